"""The search of MCD against scikit-learn's, which tries one candidate at a time."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.covariance import MinCovDet, fast_mcd

from odbench.arrays import FloatArray
from odbench_detectors.mcd.detector import MCD
from odbench_detectors.mcd.search import smallest_determinant, squared_distances

SHAPES = ((40, 2), (501, 3), (1_200, 6), (1_500, 2), (1_700, 4))


def table(n: int, d: int) -> FloatArray:
    """Return heavy-tailed rows."""
    return np.random.default_rng(n).standard_t(4, size=(n, d))


@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_the_same_rows_as_one_candidate_at_a_time(n: int, d: int) -> None:
    X = table(n, d)
    centre, covariance, support, squares = fast_mcd(X, random_state=3)
    h = int(support.sum())
    found = smallest_determinant(X, h, np.random.RandomState(3))
    assert sorted(found.rows[0]) == np.flatnonzero(support).tolist()
    np.testing.assert_allclose(found.centres[0], centre, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.covariances[0], covariance, rtol=1e-9, atol=1e-12)
    mine = squared_distances(X, found.centres, found.precisions)[0]
    np.testing.assert_allclose(mine, squares, rtol=1e-9)


@pytest.mark.parametrize("support", [None, 0.75, 1.0])
@pytest.mark.parametrize("d", [1, 5])
def test_scores_are_distances_of_scikit_learn(support: float | None, d: int) -> None:
    X = table(600, d)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    wanted = MinCovDet(support_fraction=support, random_state=7)
    detector = MCD(support, random_state=7).fit(X)
    # Scikit-learn's estimate of the rows as `MCD` turns them.
    turn = detector._turn
    wanted.fit(X @ turn)
    np.testing.assert_allclose(
        detector.decision_function(X), wanted.mahalanobis(X @ turn), rtol=1e-7
    )


def test_rows_in_a_plane_have_the_smallest_determinant() -> None:
    X = table(400, 3)
    X[:300, 2] = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = smallest_determinant(X, 202, np.random.RandomState(0))
    assert set(found.rows[0]) <= set(range(300))
    assert found.covariances[0, 2, 2] == 0.0
