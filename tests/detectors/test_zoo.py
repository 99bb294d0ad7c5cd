"""Wrapped detectors against slow or independent versions."""

import numpy as np
import pytest

from odbench.errors import DetectorError
from odbench.plugins.find import find_detector
from tests.reference import kde as slow_kde
from tests.reference import neighbours as slow


@pytest.fixture
def table(rng):
    train = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4))
    test = np.concatenate([rng.normal(size=(60, 4)), rng.normal(size=(9, 4)) * 6])
    spread = train.std(axis=0)
    return (train - train.mean(axis=0)) / spread, (test - train.mean(axis=0)) / spread


def score(spec, train, test, seed=0):
    return find_detector(spec).build(seed).fit(train).decision_function(test)


def test_knn_is_the_distance_to_the_kth(table):
    distances, _ = slow.neighbours(*table, 20)
    last = [d[-1] for d in distances]
    assert score("knn:k=20", *table).tolist() == last
    means = np.mean(distances, axis=1)
    assert score("knn:k=20,method=mean", *table) == pytest.approx(means, rel=1e-14)


def test_lof_is_the_papers(table):
    expected = slow.lof(*table, 15)
    assert score("lof:k=15", *table) == pytest.approx(expected, rel=1e-12)


def test_lof_of_duplicates_is_finite(rng):
    train = np.repeat(rng.normal(size=(5, 3)), 50, axis=0)
    test = np.concatenate([train[:2], rng.normal(size=(4, 3))])
    scores = score("lof", train, test)
    assert scores[:2] == pytest.approx([1, 1])
    assert scores[2:].min() > 1e6


def test_dte_np_continuous_is_the_mean_square(table):
    distances, _ = slow.neighbours(*table, 5)
    squares = np.mean(np.square(distances), axis=1)
    assert score("dte_np:continuous=true", *table) == pytest.approx(squares, rel=1e-14)


def test_dte_np_steps_with_the_mean_square_and_saturates(table):
    steps, squares = score("dte_np", *table), score("dte_np:continuous=true", *table)
    order = np.argsort(squares, kind="stable")
    assert (np.diff(steps[order]) >= 0).all()
    assert set(steps) <= set(range(300))
    assert (steps[squares / 4 > 1] == 299).all()


def test_kde_is_the_sum_of_kernels(table):
    expected = slow_kde.surprise(*table, 0.7)
    assert score("kde:bandwidth=0.7", *table) == pytest.approx(expected, rel=1e-10)


def test_kde_counts_duplicates(rng):
    train, test = rng.normal(size=(40, 2)), rng.normal(size=(10, 2))
    doubled = np.concatenate([train, train[:30]])
    expected = slow_kde.surprise(doubled, test, 1.0)
    assert score("kde", doubled, test) == pytest.approx(expected, rel=1e-10)


def test_gmm_of_one_component_is_the_gaussian(table):
    train, test = table
    cov = np.cov(train.T, bias=True) + 1e-6 * np.eye(4)
    centred = test - train.mean(axis=0)
    squares = np.einsum("ij,jk,ik->i", centred, np.linalg.inv(cov), centred)
    expected = 0.5 * (squares + np.linalg.slogdet(2 * np.pi * cov)[1])
    assert score("gmm", train, test) == pytest.approx(expected, rel=1e-8)


def test_egmm_is_the_mean_of_standardised_members(table):
    train, test = table
    both = np.concatenate([train, test])
    parts = []
    for size in (1, 3):
        nll = score(f"egmm:components=({size},)", train, both)
        parts.append(nll)
        assert nll[:300].mean() == pytest.approx(0, abs=1e-9)
        assert nll[:300].std() == pytest.approx(1)
    together = score("egmm:components=(1,3)", train, both)
    assert together == pytest.approx(np.mean(parts, axis=0))


def test_mcd_forgets_training_outliers(rng):
    train = rng.normal(size=(400, 3))
    train[:40] = 30.0 + rng.normal(size=(40, 3))
    test = np.array([[0.0, 0, 0], [30, 30, 30]])
    inside, outside = score("mcd", train, test)
    assert outside > 500 * max(inside, 1)


@pytest.mark.parametrize("shape", [(30, 60), (200, 12), (4, 3)])
def test_mcd_survives_singular_covariances(rng, shape):
    n, d = shape
    train = rng.normal(size=(n, 3)) @ rng.normal(size=(3, d))
    train[:, 0] = 0.0
    test = np.concatenate([train[:5], 20 * rng.normal(size=(5, 3)) @ train[:3]])
    scores = score("mcd", train, test)
    assert np.isfinite(scores).all()
    assert scores[5:].mean() > scores[:5].mean()


def test_pca_is_the_weighted_distance_to_the_axes(table):
    train, test = table
    values, vectors = np.linalg.eigh(np.cov(train.T))
    share = values / values.sum()
    ours = score("pca", train, test)
    best = np.inf
    # An axis has no direction, so one choice of signs must fit.
    for signs in np.ndindex(2, 2, 2, 2):
        axes = vectors * (1 - 2 * np.array(signs))
        gaps = np.linalg.norm(test[:, :, None] - axes, axis=1) / share
        best = min(best, np.abs(gaps.sum(axis=1) - ours).max())
    assert best < 1e-8


def test_pca_without_floor_cannot_rank_dependent_columns(table):
    train, test = (np.column_stack([t, np.zeros(len(t))]) for t in table)
    assert len(set(score("pca", train, test))) == 1
    assert len(set(score("pca:floor=1e-12", train, test))) == len(test)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("knn", "pyod.KNN"),
        ("lof", "pyod.LOF"),
        ("pca", "pyod.PCA"),
        ("ocsvm", "pyod.OCSVM"),
        ("gmm", "pyod.GMM"),
        ("kde", "pyod.KDE"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_the_order_is_that_of_pyod(table, ours, theirs):
    pytest.importorskip("pyod")
    a, b = score(ours, *table), score(theirs, *table)
    assert np.corrcoef(a.argsort().argsort(), b.argsort().argsort())[0, 1] > 1 - 1e-6


@pytest.mark.parametrize("value", [1e160, 1e300, 1.7e308])
@pytest.mark.parametrize("name", ["kde", "gmm", "egmm", "mcd", "knn", "lof"])
def test_the_farthest_rows_score_finite_and_highest(table, name, value):
    train, test = table
    far = test.copy()
    far[0, 0], far[1] = value, -value

    scores = score(name, train, far)

    assert np.isfinite(scores).all()
    assert scores[:2].min() > scores[2:].max()


@pytest.mark.parametrize("name", ["kde", "gmm", "mcd", "knn", "lof"])
def test_a_table_of_huge_values_has_finite_scores(table, name):
    train, test = table

    assert np.isfinite(score(name, train * 1e300, test * 1e300)).all()


def test_too_many_neighbours_mean_all_of_them(rng):
    train, test = rng.normal(size=(6, 2)), rng.normal(size=(4, 2))
    assert np.array_equal(score("knn:k=50", train, test), score("knn:k=6", train, test))


@pytest.mark.parametrize("spec", ["knn:k=0", "knn:method=median", "lof:k=0"])
def test_impossible_parameters_are_named(spec, rng):
    with pytest.raises(DetectorError, match="got"):
        score(spec, rng.normal(size=(9, 2)), rng.normal(size=(3, 2)))


def test_mcd_takes_a_table_that_is_mostly_one_row(rng):
    train = np.vstack([np.zeros((90, 3)), rng.normal(size=(20, 3))])

    scores = find_detector("mcd").build(0).fit(train).decision_function(train)

    assert np.isfinite(scores).all()
    assert scores[:90].max() < np.median(scores[90:])


@pytest.mark.parametrize("name", ["mcd", "pca", "gmm", "egmm"])
def test_memory_layout_changes_nothing_on_singular_tables(rng, name):
    # Rounding, amplified by a covariance without an inverse, shows every layout.
    train = rng.normal(size=(60, 5)) @ rng.normal(size=(5, 90))
    test = rng.normal(size=(40, 90))

    plain = score(name, train, test)

    columns_first = score(name, np.asfortranarray(train), np.asfortranarray(test))
    assert np.array_equal(columns_first, plain)
