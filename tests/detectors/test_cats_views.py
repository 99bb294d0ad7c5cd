"""Every view of CATS equals a loop that counts, with each train row left out."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from odbench_detectors.cats import kernels, search
from odbench_detectors.cats.mixture import fit_mixture
from odbench_detectors.cats.mixture_kernels import (
    log_joint,
    log_sum,
    moments,
    nearest_centre,
    responsibilities,
    scatter,
)
from odbench_detectors.cats.rounding import rounded
from odbench_detectors.cats.scale import Standard, normal_scores, whitening
from odbench_detectors.cats.tail import Tail
from odbench_detectors.cats.views import VIEWS, Views
from odbench_detectors.shared.neighbours.graph import neighbour_graph
from tests.reference import cats as slow


def standardised(X):
    return Standard.of(np.sort(X.T, axis=1)).apply(X)


def a_table(rng, n, kind):
    X = rng.normal(size=(n, 4)) @ rng.normal(size=(4, 4))
    if kind == "duplicates":
        X = np.round(X)
        X[: n // 2] = X[n // 2 : n // 2 + n // 2]
    if kind == "integers":
        X = rng.integers(0, 4, size=(n, 4)).astype(float)
        X[:, 2] = 7.0
    return standardised(X), X


def views_of(Z, queries, k=20):
    near, of_queries = (
        np.sort(neighbour_graph(Z, rows, k).rows, axis=1) for rows in (None, queries)
    )
    return Views(Z, np.sort(Z.T.copy(), axis=1), near), near, of_queries


@pytest.mark.parametrize("kind", ["continuous", "duplicates", "integers"])
@pytest.mark.parametrize("own", [0, 1])
def test_views_equal_their_slow_versions(rng, kind, own):
    Z, _ = a_table(rng, 60, kind)
    queries = Z if own else np.vstack([Z[:10], rng.normal(size=(20, 4)) * 2])
    views, of_train, of_queries = views_of(Z, queries)
    candidates = of_train if own else of_queries
    at = views.place(queries, candidates, own=own)
    raw = views.raw(at)
    axes = whitening(Z)
    for i, row in enumerate(queries):
        tail, gap = slow.column_views(Z, row, i if own else None)
        assert raw["tail"][i] == pytest.approx(tail, abs=1e-12)
        assert raw["gap"][i] == pytest.approx(gap, abs=1e-12)
        share = slow.share_below(Z, row)
        assert at.share[i] == pytest.approx(share, abs=1e-12)
        assert at.normal[i] == pytest.approx(normal_scores(share, 60), abs=1e-12)
        far = min(slow.manhattan(row @ axes, Z[c] @ axes) for c in candidates[i])
        assert raw["whitened"][i] == pytest.approx(far, rel=1e-7, abs=1e-9)
        assert raw["changes"][i] == min((row != Z[c]).sum() for c in candidates[i])


def test_local_views_compare_with_what_the_neighbours_have(rng):
    Z, _ = a_table(rng, 60, "continuous")
    queries = rng.normal(size=(25, 4))
    views, of_train, of_queries = views_of(Z, queries)
    raw = views.raw(views.place(queries, of_queries))
    shares = np.array([slow.share_below(Z, row) for row in Z])
    axes = whitening(Z)
    for i, row in enumerate(queries):
        share = slow.share_below(Z, row)
        by_rank = slow.local(shares, of_train, share, of_queries[i])
        whitened = slow.local(Z @ axes, of_train, row @ axes, of_queries[i])
        assert raw["local_rank"][i] == pytest.approx(by_rank, rel=1e-6)
        assert raw["local_whitened"][i] == pytest.approx(whitened, rel=1e-6)


def looked_up(rows, columns, own):
    """Look up in tables whose values are their indices."""
    n = columns.shape[1]
    halves, counts = np.arange(2 * n + 1.0), np.arange(n + 1.0 - own)
    return search.look_up(rows, columns, own, halves, counts)


@pytest.mark.parametrize("kind", ["continuous", "duplicates", "integers"])
def test_a_train_row_is_looked_up_in_the_table_without_it(rng, kind):
    Z, _ = a_table(rng, 40, kind)
    _, _, rarest, gap = looked_up(Z, np.sort(Z.T.copy(), axis=1), 1)
    for i in range(len(Z)):
        others = np.sort(np.delete(Z, i, axis=0).T.copy(), axis=1)
        _, _, without_it, gap_without_it = looked_up(Z[i : i + 1], others, 0)
        assert (rarest[i] == without_it[0]).all()
        assert (gap[i] == gap_without_it[0]).all()


@pytest.mark.parametrize("n", [1, 2, 3, 16, 17, 100])
@pytest.mark.parametrize("digits", [0, 1, 9])
def test_values_are_looked_up_as_counting_finds_them(rng, n, digits):
    # More rows than one block of the search, and zeros of both signs.
    train = np.round(rng.normal(size=(n, 3)), digits)
    rows = np.vstack([train, np.round(rng.normal(size=(600, 3)), digits)])
    rows[::7] *= 0.0
    train[:: max(n // 2, 1), 0] *= 0.0
    found = looked_up(rows, np.sort(train.T.copy(), axis=1), 0)
    share, halves, rarest, gap = found
    below = (train[None] < rows[:, None]).sum(axis=1)
    not_above = (train[None] <= rows[:, None]).sum(axis=1)
    assert (halves == below + not_above).all()
    assert (share == halves / (2.0 * n)).all()
    nearest = np.abs(train[None] - rows[:, None]).min(axis=1)
    assert (gap == nearest.astype(np.float32)).all()
    further = np.minimum(not_above, n - below)
    beyond = np.where(further == 0, gap / (1.0 + gap), 0.0)
    assert rarest == pytest.approx(further + beyond, abs=1e-12)
    table = search.rarity_table(len(gap))
    rarity = search.rarity_of_gaps(gap, np.sort(gap.T.copy(), axis=1), 0, table)
    above = (gap[None] >= gap[:, None]).sum(axis=1)
    expected = -np.log((1.0 + above) / (len(gap) + 1.0))
    assert rarity == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("own", [0, 1])
def test_values_beyond_all_others_are_more_surprising_the_further_out(own):
    column = np.array([[0.0, 1.0, 2.0, 4.0]])
    rows = column.T if own else np.array([[4.0], [4.5], [7.0], [1e100], [-0.5]])
    _, _, tail, gap = search.look_up(rows, column, own, np.zeros(9), np.zeros(5 - own))
    # 0 is one away from its neighbour, 4 is two away; the others have values on both
    # sides.
    expected = [1 / 2, 0, 0, 2 / 3] if own else [0, 1 / 3, 3 / 4, 1.0, 1 / 3]
    assert tail[:, 0] == pytest.approx(expected, abs=1e-12)
    gaps = np.array([[1.0, 1.0, 1.0, 2.0]])
    rarity = search.rarity_of_gaps(gap, gaps, own, search.rarity_table(4))[:, 0]
    fewer = [-np.log((1 + above - own) / 5) for above in (4, 4, 4, 1)]
    new = [np.log(5 / 5), np.log(5 / 5), np.log(5) + 1 / 3, np.log(5) + 1, 0.0]
    expected = [*fewer[:3], fewer[3] + 1 / 2] if own else new
    assert rarity == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("size", [1e-300, 1e-9, 1.0, 1e100, 1e200])
def test_what_is_compared_keeps_the_bits_of_single_precision(rng, size):
    values = rng.normal(size=1000)
    # Scaled by a power of 2, which changes no other bit.
    scale = 2.0 ** np.round(np.log2(size))
    assert (rounded(values * scale) == values.astype(np.float32) * scale).all()
    assert [rounded(value) for value in values] == list(rounded(values))
    assert rounded(0.0) == 0.0


def test_tail_counts_and_keeps_the_order_beyond_the_largest(rng):
    calibration = np.round(rng.exponential(size=200), 1)
    scores = np.concatenate([calibration, rng.exponential(size=50) * 9, [1e3, 1e9, -1]])
    surprise = Tail.of(calibration).surprise(scores)
    expected = [slow.tail(calibration, score) for score in scores]
    assert surprise == pytest.approx(expected, abs=1e-12)
    assert surprise[-1] == 0.0
    beyond = np.sort(scores[scores > calibration.max()])
    assert (np.diff(Tail.of(calibration).surprise(beyond)) > 0).all()


def test_tail_of_equal_scores_still_orders_what_lies_beyond():
    surprise = Tail.of(np.zeros(9)).surprise(np.array([0.0, 1.0]))
    assert surprise[0] == 0.0
    assert surprise[1] == pytest.approx(np.log(10) + 1, abs=1e-9)


def test_whitened_columns_are_uncorrelated_and_negligible_axes_are_dropped(rng):
    X = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3))
    X = np.column_stack([X, X[:, 0] + X[:, 1]])
    Z = standardised(X)
    W = kernels.rotate(Z, whitening(Z))
    assert W.shape[1] == 3
    assert pytest.approx(np.eye(3), abs=1e-8) == W.T @ W / 500


def test_a_standardised_table_is_left_as_it_is(rng):
    Z, X = a_table(rng, 100, "integers")
    assert standardised(Z) is Z
    assert standardised(X) is not X


def test_standard_survives_what_overflows_when_squared():
    X = np.array([[1e300, 3.0], [-1e300, 3.0], [1e-300, 3.0], [0.0, 3.0]])
    Z = standardised(X)
    assert np.isfinite(Z).all()
    assert (Z[:, 1] == 0).all()


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("d", [1, 7, 60])
def test_a_row_has_the_same_density_in_every_batch(rng, full, d):
    rows, means = rng.normal(size=(35, d)), rng.normal(size=(3, d))
    factors = np.triu(rng.normal(size=(3, d, d))) if full else rng.random((3, 1, d))
    joint = log_joint(rows, means, factors, np.zeros(3))
    for k in range(3):
        off = rows - means[k]
        square = ((off @ factors[k] if full else off * factors[k]) ** 2).sum(axis=1)
        assert joint[:, k] == pytest.approx(-0.5 * square, rel=1e-9)
    for part in (slice(0, 1), slice(3, 20), slice(34, 35)):
        alone = log_joint(rows[part].copy(), means, factors, np.zeros(3))
        assert (alone == joint[part]).all()


@pytest.mark.parametrize("d", [1, 3, 60])
def test_mixture_densities_are_those_of_scipy(rng, d):
    rows = rng.normal(size=(400, d)) + 4 * rng.integers(0, 2, size=(400, 1))
    mixture = fit_mixture(rows, np.random.default_rng(0))
    joint = log_joint(rows[:9], mixture.means, mixture.factors, mixture.offsets)
    constant = 0.5 * d * np.log(2 * np.pi)
    weights = np.zeros(len(mixture.means))
    for k, mean in enumerate(mixture.means):
        U = mixture.factors[k] if mixture.full else np.diag(mixture.factors[k, 0])
        covariance = np.linalg.inv(U @ U.T)
        density = multivariate_normal(mean, covariance).logpdf(rows[:9])
        weights[k] = np.exp(np.mean(joint[:, k] - density - constant))
        assert joint[:, k] - density - constant == pytest.approx(
            np.full(9, np.log(weights[k])), abs=1e-6
        )
    assert weights.sum() == pytest.approx(1.0, abs=1e-6)
    assert mixture.full == (d <= 3)


@pytest.mark.parametrize("full", [True, False])
def test_moments_and_scatter_are_weighted_sums(rng, full):
    rows, shares = rng.normal(size=(203, 5)), rng.dirichlet(np.full(3, 0.2), size=203).T
    shares[:, :20] = np.array([[1.0], [0.0], [0.0]])
    columns = rows.T.copy()
    mass, means = moments(columns, shares.copy())
    assert mass == pytest.approx(shares.sum(axis=1), rel=1e-9)
    sums = scatter(columns, shares.copy(), means, full)
    for c, share in enumerate(shares):
        mean = np.average(rows, axis=0, weights=share)
        assert means[c] == pytest.approx(mean, rel=1e-8, abs=1e-9)
        off = rows - mean
        products = (off * share[:, None]).T @ off
        expected = products if full else np.diag(products)[None]
        assert sums[c] == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_shares_sum_to_one_however_far_components_are(rng):
    joint = rng.normal(size=(50, 4)) * np.array([1.0, 10.0, 100.0, 1000.0])
    shares, likelihood = responsibilities(joint)
    total = np.logaddexp.reduce(joint, axis=1)
    assert log_sum(joint) == pytest.approx(total, rel=1e-13)
    assert likelihood == pytest.approx(total.mean(), rel=1e-13)
    assert pytest.approx(np.exp(joint - total[:, None]), abs=1e-12) == shares.T


def test_a_row_goes_to_its_nearest_centre_or_the_first_of_them(rng):
    rows, centres = rng.normal(size=(90, 3)), rng.normal(size=(5, 3))
    centres[4] = centres[1]
    square = ((rows[:, None] - centres) ** 2).sum(axis=2)
    assert (nearest_centre(rows, centres) == square.argmin(axis=1)).all()
    # Equally far from both, except for the rounding of tenths.
    tenths = np.arange(1.0, 90.0)[:, None] / 10.0
    for row in tenths:
        assert nearest_centre(row[None], np.stack([row + 0.3, row - 0.3])) == 0


@pytest.mark.parametrize("d", [1, 2, 7, 33])
@pytest.mark.parametrize("k", [1, 3, 5, 8, 20])
def test_nearest_candidates_are_those_of_a_sort(rng, d, k):
    train, rows = rng.normal(size=(50, d)), rng.normal(size=(15, d))
    candidates = np.argsort(rng.random((15, 50)), axis=1)[:, :k].astype(np.int32)
    few = min(5, k)
    first, last, found = kernels.nearest_few(rows, train, candidates, few)
    distance, row = kernels.nearest_manhattan(rows, train, candidates)
    for i in range(15):
        away = np.array([slow.manhattan(rows[i], train[c]) for c in candidates[i]])
        order = np.argsort(away, kind="stable")[:few]
        assert (found[i] == candidates[i][order]).all()
        # Equal to the last bit, because both sum from left to right.
        assert [first[i], last[i]] == [away[order[0]], away[order[-1]]]
        assert distance[i] == first[i]
        assert row[i] == found[i, 0]


def test_axes_of_a_wide_table_are_those_of_its_covariance(rng):
    Z, _ = a_table(rng, 40, "continuous")
    wide = np.hstack([Z @ rng.normal(size=(4, 60)), rng.normal(size=(40, 3))])
    assert wide.shape[1] > len(wide)
    variances, axes = np.linalg.eigh(wide.T @ wide / 40)
    kept = variances > 1e-6 * variances[-1]
    expected = wide @ axes[:, kept] / np.sqrt(variances[kept])
    whitened = wide @ whitening(wide)
    assert whitened.shape == expected.shape
    assert np.abs(whitened) == pytest.approx(np.abs(expected), abs=1e-6)


def test_mixture_finds_two_far_groups(rng):
    centres = np.array([[-5.0, 0.0], [5.0, 0.0]])
    rows = rng.normal(size=(600, 2)) + centres[rng.integers(0, 2, 600)]
    mixture = fit_mixture(rows, np.random.default_rng(0))
    middle, inside = mixture.surprise(np.array([[0.0, 0.0], [5.0, 0.0]]))
    assert middle > inside + 5


def test_every_view_has_words_and_a_score(rng):
    Z, _ = a_table(rng, 30, "continuous")
    views, *_ = views_of(Z, Z)
    raw = views.raw(views.train)
    assert list(raw) == list(VIEWS)
    assert all(
        np.isfinite(score).all() and score.shape == (30,) for score in raw.values()
    )
