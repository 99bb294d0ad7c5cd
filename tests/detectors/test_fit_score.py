"""Scores of the rows that a detector was fitted on, in the unsupervised setting."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from odbench.plugins.adapter import adapt
from odbench.plugins.find import core_zoo
from odbench_detectors.cats.detector import CATS
from odbench_detectors.dte_np.detector import DTENP
from odbench_detectors.kde.detector import KDE
from odbench_detectors.knn.detector import KNN
from odbench_detectors.lof.detector import LOF


@pytest.fixture
def table(rng):
    """A table with duplicates, and an outlier in its last row."""
    rows = np.vstack([rng.normal(size=(80, 3)), np.full((1, 3), 9.0)])
    rows[40:50] = rows[:10]
    rows[50] = rows[0]
    return rows


def other_distances(rows):
    """Return the ascending distances of each row to all others."""
    distances = cdist(rows, rows)
    return np.sort(distances[~np.eye(len(rows), dtype=bool)].reshape(len(rows), -1))


@pytest.mark.parametrize("k", [1, 5, 200])
def test_neighbours_do_not_count_the_row_itself(table, k):
    others = other_distances(table)[:, :k]

    found = KNN(k=k).fit_score(table)
    mean = KNN(k=k, method="mean").fit_score(table)
    squared = DTENP(k=k, continuous=True).fit_score(table)

    np.testing.assert_allclose(found, others[:, -1], atol=1e-12)
    np.testing.assert_allclose(mean, others.mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(squared, (others**2).mean(axis=1), atol=1e-12)


def test_lof_is_scikit_learns_negative_outlier_factor(rng):
    rows = rng.normal(size=(200, 4))
    sklearn = LocalOutlierFactor(n_neighbors=20).fit(rows)

    np.testing.assert_allclose(
        LOF(k=20).fit_score(rows), -sklearn.negative_outlier_factor_, rtol=1e-6
    )


@pytest.mark.parametrize("bandwidth", [0.05, 1.0, 30.0])
def test_kde_leaves_the_row_itself_out(table, bandwidth):
    squares = cdist(table, table, "sqeuclidean") / bandwidth**2
    np.fill_diagonal(squares, np.inf)
    expected = np.log(len(table) - 1) - np.logaddexp.reduce(-squares / 2, axis=1)

    np.testing.assert_allclose(
        KDE(bandwidth).fit_score(table), expected, rtol=1e-12, atol=1e-12
    )


def test_cats_learns_from_the_core_and_scores_all_rows(table):
    detector = CATS()
    scores = detector.fit_score(table)

    assert scores.shape == (len(table),)
    assert scores.argmax() == len(table) - 1
    # The odd row was not learned from.
    assert len(detector.views.train.z) < len(table)
    assert detector.decision_function(table).argmax() == len(table) - 1


@pytest.mark.parametrize("kind", [KNN, LOF, DTENP, KDE])
def test_a_single_row_has_score_zero(kind):
    assert kind().fit_score(np.ones((1, 2))).tolist() == [0.0]


@pytest.mark.parametrize("configuration", core_zoo(), ids=lambda c: c.info.name)
def test_every_detector_of_the_zoo_scores_its_own_rows(configuration, table):
    before = table.copy()
    first = configuration.build(0).fit_score(table)
    second = configuration.build(0).fit_score(table)

    assert first.dtype == np.float64
    assert first.shape == (len(table),)
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(table, before)


def test_scikit_learns_lof_keeps_its_own_scores_in_a_pipeline(rng):
    rows = rng.normal(3, 2, size=(100, 3))
    scaled = StandardScaler().fit_transform(rows)
    expected = -LocalOutlierFactor().fit(scaled).negative_outlier_factor_

    pipeline = adapt(make_pipeline(StandardScaler(), LocalOutlierFactor()))

    np.testing.assert_allclose(pipeline.fit_score(rows), expected)


def test_other_detectors_are_fitted_and_score_the_same_rows(rng):
    from sklearn.ensemble import IsolationForest

    rows = rng.normal(size=(100, 3))
    forest = adapt(IsolationForest(random_state=0))

    scores = forest.fit_score(rows)

    np.testing.assert_array_equal(scores, forest.decision_function(rows))


def test_pyods_scores_are_its_decision_scores(rng):
    pytest.importorskip("pyod")
    from pyod.models import knn

    rows = rng.normal(size=(100, 3))

    np.testing.assert_array_equal(
        adapt(knn.KNN()).fit_score(rows), knn.KNN().fit(rows).decision_scores_
    )
