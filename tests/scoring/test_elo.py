"""Elo ratings are those of Bradley and Terry, and their intervals cover."""

import choix
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odbench.scoring import aggregate, elo
from odbench.scoring.clusters import clusters_of
from tests.reference import inference
from tests.reference import scoring as reference


def simulate(rng, strength, datasets):
    """Ranks of methods whose pairs follow Bradley-Terry exactly.

    The difference of two standard Gumbel variables is logistic.
    """
    utility = strength + rng.gumbel(size=(datasets, len(strength)))
    return aggregate.ranks(utility)


def pairs_of(rank):
    """Each comparison twice, so that half a win is a whole row."""
    data = []
    for row in rank:
        for i in range(len(row)):
            for j in range(len(row)):
                if row[i] < row[j]:
                    data += [(i, j)] * 2
                elif row[i] == row[j] and i != j:
                    data.append((i, j))
    return data


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_ratings_equal_the_slow_ones(methods, seed):
    rng = np.random.default_rng(seed)
    rank = aggregate.ranks(rng.integers(0, 4, size=(40, methods)) / 4)
    count = reference.wins(rank.tolist(), [1] * 40)

    ratings = elo.rate(rank)

    assert ratings.elo.tolist() == pytest.approx(reference.elo(count), abs=1e-6)
    assert ratings.elo.mean() == pytest.approx(1000)


def test_ratings_equal_choixs(rng):
    rank = simulate(rng, np.array([0.0, 0.4, 1.0, -0.7]), 60)
    rank[:5] = 2.5

    ratings = elo.rate(rank)

    # lsr_pairwise iterates to 1e-8 on its own scale, optimize stops at 1e-5 or so.
    beta = choix.ilsr_pairwise(4, pairs_of(rank), alpha=0.0, tol=1e-12)
    expected = 1000 + elo.SCALE * (beta - beta.mean())
    np.testing.assert_allclose(ratings.elo, expected, atol=1e-4)


def test_ratings_equal_bencheval_where_it_is_installed(rng):
    pytest.importorskip("bencheval")
    import pandas as pd
    from bencheval.elo_utils import EloHelper

    rank = simulate(rng, np.array([0.0, 0.4, 1.0, -0.7]), 200)
    rows = pd.DataFrame(
        [
            {"method": f"m{i}", "task": f"t{t}", "metric_error": float(value)}
            for t, row in enumerate(rank)
            for i, value in enumerate(row)
        ]
    )
    helper = EloHelper(method_col="method", task_col="task", error_col="metric_error")

    theirs = helper.compute_mle_elo(
        helper.convert_results_to_battles(rows), INIT_RATING=1000
    )

    ours = elo.rate(rank).elo
    named = theirs.loc[[f"m{i}" for i in range(4)]].to_numpy(dtype=float).ravel()
    # A penalty keeps theirs finite; differences to the mean are what is comparable.
    np.testing.assert_allclose(ours - ours.mean(), named - named.mean(), atol=0.5)


def test_four_hundred_points_are_odds_of_ten():
    count = np.array([[[0.0, 10.0], [1.0, 0.0]]])

    ratings = elo.elo_from_wins(count)[0]

    assert ratings[0] - ratings[1] == pytest.approx(400)


def test_wins_are_counted_with_their_weights(rng):
    rank = aggregate.ranks(rng.integers(0, 3, size=(9, 4)) / 3)
    weights = rng.integers(0, 4, size=(3, 9)).astype(float)

    count = elo.wins(rank, weights)

    for k in range(3):
        expected = reference.wins(rank.tolist(), weights[k].tolist())
        np.testing.assert_array_equal(count[k], expected)


def test_many_methods_are_counted_in_blocks(rng, monkeypatch):
    rank = aggregate.ranks(rng.random((30, 6)))
    weights = rng.integers(0, 4, size=(4, 30)).astype(float)
    whole = elo.wins(rank, weights)

    monkeypatch.setattr(elo, "_CHUNK_BYTES", 1)

    np.testing.assert_array_equal(elo.wins(rank, weights), whole)


@pytest.mark.parametrize("methods", [2, 3, 7])
def test_a_method_that_always_wins_is_first_and_finite(methods):
    rank = np.tile(np.arange(1.0, methods + 1), (10, 1))

    ratings = elo.rate(rank).elo

    assert np.isfinite(ratings).all()
    assert (np.diff(ratings) < 0).all()


def test_a_tie_data_set_is_added_only_where_there_is_no_maximum():
    # Two methods, one wins all four: with the tie, 4.5 to 0.5.
    count = np.array([[[0.0, 4.0], [0.0, 0.0]], [[0.0, 3.0], [1.0, 0.0]]])

    ratings = elo.elo_from_wins(count)

    assert ratings[0, 0] - ratings[0, 1] == pytest.approx(400 * np.log10(9))
    assert ratings[1, 0] - ratings[1, 1] == pytest.approx(400 * np.log10(3))


def test_two_groups_that_never_lose_to_each_other_are_separated():
    # 0 and 1 share wins, 2 and 3 do, and the first pair always beats the second.
    rank = np.array([[1, 2, 3, 4], [2, 1, 4, 3]] * 3, dtype=float)

    ratings = elo.rate(rank).elo

    assert np.isfinite(ratings).all()
    assert ratings[0] == pytest.approx(ratings[1])
    assert ratings[1] > ratings[2]


def test_extreme_tables_converge():
    count = np.full((1, 3, 3), 2000.0)
    count[0, 1:, 0] = 0.5
    count[0] -= np.diag(np.diag(count[0]))

    ratings = elo.elo_from_wins(count)[0]

    # The other two are equal, so each loses to the first at 4000 to one.
    assert ratings[0] - ratings[1] == pytest.approx(400 * np.log10(4000), abs=1e-6)
    assert ratings[1] == pytest.approx(ratings[2], abs=1e-6)


def test_one_method_is_rated_one_thousand():
    assert elo.rate(np.ones((5, 1))).elo.tolist() == [1000.0]


def test_the_error_is_that_of_leaving_families_out(rng):
    strength = np.array([0.0, 0.5, -0.5, 0.2])
    families = [f"family {t % 40 // (1 + t % 3)}" for t in range(120)]
    clusters = clusters_of(120, families)
    rank = simulate(rng, strength, 120)

    ratings = elo.rate(rank, clusters)

    left = [
        reference.elo(reference.wins(kept.tolist(), [1] * len(kept)))
        for kept in (rank[clusters.family != g] for g in range(len(clusters.sizes)))
    ]
    error = inference.jackknife_error(left, ratings.elo.tolist())
    half = (ratings.high - ratings.low) / 2 / clusters.quantile()
    half /= np.sqrt(1 + 3 / clusters.effective)
    # The jackknife is followed to first order only.
    np.testing.assert_allclose(half, error, rtol=0.05)


def test_intervals_hold_the_rating_and_shrink_with_data(rng):
    strength = np.array([0.0, 0.5, -0.5])
    widths = []
    for datasets in (50, 800):
        rank = simulate(rng, strength, datasets)
        ratings = elo.rate(rank, clusters_of(datasets))
        assert (ratings.low < ratings.elo).all()
        assert (ratings.elo < ratings.high).all()
        widths.append((ratings.high - ratings.low).mean())
    # Sixteen times the data, a quarter of the width.
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.25)


@pytest.mark.parametrize("datasets", [5, 10, 60])
def test_intervals_cover_the_known_strength(datasets):
    rng = np.random.default_rng(5)
    strength = np.linspace(-0.8, 0.8, 6)
    truth = 1000 + elo.SCALE * strength
    held = []
    for _ in range(300):
        rank = simulate(rng, strength, datasets)
        ratings = elo.rate(rank, clusters_of(datasets))
        if np.isfinite(ratings.low).all():
            held.append((ratings.low <= truth) & (truth <= ratings.high))
    assert len(held) > 200
    assert np.mean(held) >= 0.93


def test_without_families_there_is_no_interval(rng):
    ratings = elo.rate(rng.random((5, 3)))

    assert np.isnan(ratings.low).all()
    assert np.isnan(ratings.high).all()


def test_four_families_are_too_few_for_an_interval(rng):
    rank = simulate(rng, np.array([0.0, 0.1, -0.1]), 40)
    few = clusters_of(40, [f"family {t % 4}" for t in range(40)])

    assert np.isnan(elo.rate(rank, few).low).all()
    assert np.isfinite(elo.rate(rank, clusters_of(40)).low).all()


def test_a_method_that_always_wins_has_no_interval():
    rank = np.tile(np.arange(1.0, 4.0), (10, 1))

    ratings = elo.rate(rank, clusters_of(10))

    assert np.isfinite(ratings.elo).all()
    assert np.isnan(ratings.low).all()
    assert np.isnan(ratings.high).all()


def test_dependent_data_sets_widen_the_interval(rng):
    once = simulate(rng, np.array([0.3, 0.0, -0.3]), 40)
    copied = np.repeat(once, 10, axis=0)

    def width(families):
        ratings = elo.rate(copied, clusters_of(400, families))
        return (ratings.high - ratings.low).mean()

    assert width([f"family {i // 10}" for i in range(400)]) > 2.5 * width(None)


def test_the_order_is_that_of_mean_ranks(rng):
    for _ in range(20):
        rank = aggregate.ranks(rng.random((15, 6)).round(1))

        ratings = elo.rate(rank).elo

        best_first = np.argsort(rank.mean(axis=0), kind="stable")
        assert (np.diff(ratings[best_first]) <= 1e-6).all()


@pytest.mark.parametrize("n", [5, 6, 7, 9, 10, 13])
def test_a_method_that_is_always_in_the_middle_has_no_interval(n):
    first = np.array([[1.0, 2.0, 3.0]] * (n - n // 2))
    last = np.array([[3.0, 2.0, 1.0]] * (n // 2))

    ratings = elo.rate(np.concatenate([first, last]), clusters_of(n))

    # Rounding must not decide: it gave an interval of no width for some n.
    assert np.isnan(ratings.low).tolist() == [False, True, False]
