"""CATS in the unsupervised setting: anomalies in the table do not hide each other."""

import numpy as np
import pytest

from odbench.scoring.metrics import auroc
from odbench_detectors.cats.detector import CATS
from odbench_detectors.cats.robust import on_scale_of, robust_surprise


def test_a_group_of_anomalies_is_found_among_the_rows(rng):
    X = np.vstack([rng.normal(size=(500, 4)), rng.normal(size=(40, 4)) * 0.2 + 3.0])
    labels = np.repeat([0, 1], [500, 40]).astype(np.int8)
    assert auroc(labels, CATS().fit_score(X)) > 0.9


def test_equal_rows_have_equal_scores_in_any_order(rng):
    X = rng.normal(size=(300, 3))
    X[50:60] = X[0]
    scores = CATS().fit_score(X)
    assert len(np.unique(scores[50:60])) == 1
    order = rng.permutation(300)
    assert (CATS().fit_score(X[order]) == scores[order]).all()


@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 5), (20, 120)])
def test_small_and_wide_tables_get_finite_surprises(rng, n, d):
    surprise = robust_surprise(rng.normal(size=(n, d)))
    assert surprise.shape == (n,)
    assert np.isfinite(surprise).all()


def test_a_scale_is_put_in_the_order_of_scores():
    moved = on_scale_of(np.array([3.0, 1.0, 2.0, 2.0]), np.array([9.0, 7.0, 8.0, 6.0]))
    assert moved.tolist() == [9.0, 6.0, 7.0, 7.0]
