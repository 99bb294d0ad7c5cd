"""Every registered detector keeps the contract; exceptions stand here with reasons."""

import pytest

from odbench.contract_check import check_detector
from odbench.contract_tables import planted
from odbench.plugins import (
    find_detector,
    grid_of,
    list_detectors,
    missing_requirements,
)

# (detector, probe) -> why it cannot pass.
EXEMPT = {
    ("pyod.CBLOF", "duplicates"): "seven distinct rows are fewer than its clusters",
}


def registered():
    infos, _ = list_detectors()
    return [info for info in infos if not missing_requirements(info)]


OURS = [info.name for info in registered() if not info.name.startswith("pyod.")]
PYOD = ["pyod.KNN", "pyod.LODA", "pyod.ECOD", "pyod.HBOS", "pyod.CBLOF", "pyod.INNE"]


@pytest.mark.parametrize("name", OURS)
def test_ours_pass_every_probe(name):
    findings = list(check_detector(find_detector(name)))

    assert len(findings) == 19
    assert [f for f in findings if f.verdict != "ok"] == []


@pytest.mark.parametrize("name", PYOD)
def test_pyods_break_nothing_that_is_not_listed(name):
    pytest.importorskip("pyod")
    findings = check_detector(find_detector(name))
    broken = [f for f in findings if f.verdict == "fail"]

    assert [f for f in broken if (name, f.probe) not in EXEMPT] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
def test_every_point_of_the_grid_scores(name):
    table = planted()
    for configuration in grid_of(find_detector(name)):
        detector = configuration.build(0)
        detector.fit(table.train)
        scores = detector.decision_function(table.test)
        assert table.detection_rate(scores) > 0.9, configuration.label
