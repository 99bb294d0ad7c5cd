"""Every registered detector keeps the contract, with a reason for each exception."""

import numpy as np
import pandas as pd
import pytest

from odbench.errors import DetectorError
from odbench.plugins.check.contract import check_detector
from odbench.plugins.check.tables import planted
from odbench.plugins.find import (
    find_detector,
    grid_of,
    list_detectors,
    missing_requirements,
)

# (detector, probe) -> reason for the exception.
EXEMPT = {
    ("pyod.CBLOF", "duplicates"): "seven distinct rows are fewer than its clusters",
}


def registered():
    infos, _ = list_detectors()
    # Those with downloaded weights are tried in tests/detectors/foundation, with
    # weights made there.
    return [i for i in infos if i.weights is None and not missing_requirements(i)]


OURS = [info.name for info in registered() if not info.name.startswith("pyod.")]
# Networks that are trained keep the contract after a few epochs, too; how well they
# detect is measured elsewhere.
TRAINED = [info.name for info in registered() if "epochs" in info.params]
# An epoch of these is long: SLAD draws each row of a small table 50 times, and GOAD
# passes it through 256 transformations, of which an eighth do.
LITTLE = {"slad": "epochs=1", "goad": "epochs=1,transformations=32", "mcm": "epochs=3"}


def quick(name):
    """Return a detector's spec with little training."""
    return f"{name}:{LITTLE.get(name, 'epochs=10')}" if name in TRAINED else name


# The probes of these take more than five seconds.
SLOW = ("icl", "mcm", "neutral", "pyod.CBLOF", "pyod.HBOS", "pyod.INNE")


def slowly(names):
    """Mark the slow ones of some detectors; CI leaves out those that are PyOD's."""
    return [
        pytest.param(name, marks=marks_of(name)) if name in SLOW else name
        for name in names
    ]


def marks_of(name):
    marks = [pytest.mark.slow]
    return [*marks, pytest.mark.long] if name.startswith("pyod.") else marks


PYOD = ["pyod.KNN", "pyod.LODA", "pyod.ECOD", "pyod.HBOS", "pyod.CBLOF", "pyod.INNE"]


@pytest.mark.parametrize("name", slowly(OURS))
def test_ours_pass_every_probe(name):
    findings = list(check_detector(find_detector(quick(name))))

    # After a few epochs the planted outliers need not stand out.
    allowed = {"orientation"} if name in TRAINED else set()
    assert len(findings) == 22
    assert [f for f in findings if f.verdict == "fail"] == []
    assert {f.probe for f in findings if f.verdict == "warn"} <= allowed


def with_value(rows, value):
    rows = rows.copy()
    rows[2, 1] = value
    return rows


# Case -> (rows to fit or None, rows to score, text of the one-line error).
REFUSED = {
    "unfitted": lambda t: (None, t.test, "call fit first"),
    "no rows": lambda t: (t.train[:0], t.test, r"shape \(0, 4\)"),
    "no columns": lambda t: (t.train[:, :0], t.test[:, :0], r"shape \(200, 0\)"),
    "no table": lambda t: (t.train[:, 0], t.test, r"n_columns\), got shape \(200,\)"),
    "complex": lambda t: (t.train + 1j, t.test, "real numbers, got complex ones"),
    "texts": lambda t: (np.full((9, 4), "x"), t.test, "numbers: could not"),
    "uneven": lambda t: ([[1.0], [1.0, 2.0]], t.test, "rows of unequal length"),
    "pandas.NA to fit": lambda t: (
        with_value(t.train.astype(object), pd.NA),
        t.test,
        "column 1 holds NaN",
    ),
    "no date to fit": lambda t: (
        with_value(t.train.astype("datetime64[s]"), "NaT"),
        t.test,
        "column 1 holds NaN",
    ),
    "NaN to fit": lambda t: (with_value(t.train, np.nan), t.test, "column 1 holds NaN"),
    "inf to fit": lambda t: (with_value(t.train, np.inf), t.test, "column 1 holds NaN"),
    "narrow": lambda t: (t.train, t.test[:, :3], "expected 4 columns as in fit, got 3"),
    "wide": lambda t: (t.train, t.test[:, [0, 1, 2, 3, 0]], "expected 4 .* got 5"),
    "NaN": lambda t: (t.train, with_value(t.test, np.nan), "row 2 holds NaN"),
    "inf": lambda t: (t.train, with_value(t.test, -np.inf), "row 2 holds NaN"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("name", OURS)
def test_ours_refuse_what_cannot_be_scored(name, case):
    train, test, words = REFUSED[case](planted())
    detector = find_detector(quick(name)).build(0)

    with pytest.raises(DetectorError, match=words):
        (detector if train is None else detector.fit(train)).decision_function(test)


@pytest.mark.parametrize("name", OURS)
def test_no_rows_have_no_scores(name):
    detector = find_detector(quick(name)).build(0).fit(planted().train)

    assert detector.decision_function(planted().test[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("name", "param", "value"),
    [
        ("knn", "k", 2.5),
        ("lof", "k", "five"),
        ("dte_np", "k", True),
        ("iforest", "trees", 10.0),
        ("iforest", "samples", 0),
        ("hbos", "n_bins", "ten"),
        ("hbos", "alpha", float("inf")),
        ("hbos", "tol", float("nan")),
    ],
)
def test_an_impossible_parameter_is_refused_before_a_run(name, param, value):
    obj = find_detector(name).build(0).inner

    with pytest.raises(DetectorError, match=f"{param}.*{value!r}"):
        type(obj)(**{param: value}).check_params()


@pytest.mark.parametrize("name", slowly(PYOD))
def test_pyods_break_nothing_that_is_not_listed(name):
    pytest.importorskip("pyod")
    findings = check_detector(find_detector(name))
    broken = [f for f in findings if f.verdict == "fail"]

    assert [f for f in broken if (name, f.probe) not in EXEMPT] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in OURS if name not in TRAINED])
def test_every_point_of_the_grid_scores(name):
    table = planted()
    for configuration in grid_of(find_detector(name)):
        detector = configuration.build(0)
        detector.fit(table.train)
        scores = detector.decision_function(table.test)
        assert table.detection_rate(scores) > 0.9, configuration.label
