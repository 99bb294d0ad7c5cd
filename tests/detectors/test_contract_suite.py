"""Every registered detector keeps the contract; exceptions stand here with reasons."""

import pytest

from odbench.contract_check import check_detector
from odbench.plugins import find_detector, list_detectors, missing_requirements

# (detector, probe) -> why it cannot pass.
EXEMPT = {
    ("pyod.ABOD", "large values"): "its angles overflow",
    ("pyod.ABOD", "constant"): "equal rows have no angle",
    ("pyod.ABOD", "duplicates"): "equal rows have no angle",
}
# Slow, or broken with the libraries of today; none of them is ours.
SKIPPED = {
    "pyod.LOCI": "cubic time",
    "pyod.RGraph": "minutes for two hundred rows",
    "pyod.ROD": "minutes for two hundred rows",
    "pyod.LMDD": "minutes for two hundred rows",
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
@pytest.mark.parametrize("info", registered(), ids=lambda info: info.name)
def test_every_point_of_the_grid_scores(info):
    if info.name in SKIPPED:
        pytest.skip(SKIPPED[info.name])
    from odbench.contract_tables import planted
    from odbench.plugins import grid_of

    table = planted()
    for configuration in grid_of(find_detector(info.name)):
        detector = configuration.build(0)
        detector.fit(table.train)
        scores = detector.decision_function(table.test)
        assert scores.shape == (len(table.test),), configuration.label
