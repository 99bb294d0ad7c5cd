"""Both detectors satisfy odbench's contract."""

import pytest

from odbench.plugins.check.contract import check_detector
from odbench.plugins.find import find_detector


@pytest.mark.parametrize("name", ["mad", "mad:columns=3", "farthest"])
def test_contract(name: str) -> None:
    """No probe fails."""
    findings = list(check_detector(find_detector(name)))

    assert [f for f in findings if f.verdict == "fail"] == []
