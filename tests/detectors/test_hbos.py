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
