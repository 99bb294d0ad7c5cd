"""HBOS scores as defined, and as PyOD does."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from odbench.errors import DetectorError
from odbench_detectors.hbos.detector import HBOS
from tests.reference import ecod as slow


def table(rng, n_rows, spread):
    return np.column_stack(
        (
            spread * rng.standard_normal(n_rows),
            spread * rng.integers(0, 5, n_rows),
            np.exp(spread * rng.standard_normal(n_rows)),
            np.full(n_rows, spread),
        )
    )


def test_equals_counting(rng):
    train, rows = table(rng, 150, 1.0), table(rng, 80, 1.7)

    scores = HBOS().fit(train).decision_function(rows)

    assert_allclose(scores, slow.hbos(train.tolist(), rows.tolist()), rtol=1e-10)


@pytest.mark.parametrize("n_bins", [3, 10, 37])
def test_equals_pyod(rng, n_bins):
    pyod = pytest.importorskip("pyod.models.hbos")
    train, rows = table(rng, 500, 1.0), table(rng, 300, 1.7)
    rows[:100] = train[:100]

    ours = HBOS(n_bins=n_bins).fit(train).decision_function(rows)

    theirs = pyod.HBOS(n_bins=n_bins).fit(train).decision_function(rows)
    assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("n_bins", [2, 10, 37])
@pytest.mark.parametrize(
    "values",
    [
        [1e16],
        [1.7e18],
        [-1e20],
        [1e308],
        [1.0, 1 + 2.3e-16],
        [2.0**53, 2.0**53 + 2],
        [0.0, 5e-324],
        [1e-320, 3e-320],
        [-1.7e308, 1.7e308],
    ],
    ids=str,
)
def test_columns_too_narrow_or_wide_for_their_bins_have_finite_scores(values, n_bins):
    train = np.resize(values, (100, 1))
    fitted = HBOS(n_bins=n_bins).fit(train)

    scores = fitted.decision_function(np.vstack((train[:2], [[0.5], [-1e30], [1e300]])))

    assert (np.diff(fitted.edges_) > 0).all()
    assert np.isfinite(scores).all()


def test_a_constant_column_gets_a_range_of_width_1():
    for value in (3.0, 1e15):
        edges = HBOS(n_bins=4).fit(np.full((9, 1), value)).edges_

        assert edges[0].tolist() == [value - 0.5 + k / 4 for k in range(5)]


def test_says_what_is_wrong():
    with pytest.raises(DetectorError, match=r"n_bins.*2 or more, got 1"):
        HBOS(n_bins=1).fit(np.ones((3, 1)))
    with pytest.raises(DetectorError, match="call fit first"):
        HBOS().decision_function(np.ones((3, 1)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_explanation_adds_up_to_the_score(rng, dtype):
    train, rows = table(rng, 150, 1.0), table(rng, 80, 1.7).astype(dtype)
    detector = HBOS().fit(train)

    explanation = detector.explain(rows)

    scores = detector.decision_function(rows)
    assert list(explanation.scores) == list(scores)
    # Added one after another, as the scores were.
    assert list(explanation.surprise.cumsum(axis=1)[:, -1]) == list(scores)
    assert (explanation.excess >= 0).all()
    assert_allclose(explanation.table(3)["share"].sum(), 1)
    assert list(explanation.table(3, limit=2)["column"]) == list(
        explanation.table(3)["column"][:2]
    )


def test_a_row_in_every_fullest_bin_has_no_share(rng):
    detector = HBOS().fit(np.repeat([[0.0, 1.0], [0.0, 1.0], [9.0, 7.0]], 9, axis=0))
    table = detector.explain(np.array([[0.0, 1.0]]), ["a", "b"]).table()
    assert list(table["share"]) == [0.0, 0.0]
    assert list(table["column"]) == ["a", "b"]


def test_another_number_of_names_than_of_columns_is_refused(rng):
    detector = HBOS().fit(rng.standard_normal((50, 3)))
    with pytest.raises(DetectorError, match="expected 3 column names, got 2"):
        detector.explain(np.zeros((1, 3)), ["a", "b"])
