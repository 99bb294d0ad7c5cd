"""CATS in the transductive setting: trees that tell the batch from train."""

import math

import numpy as np
import pytest

from odbench.scoring.metrics import auroc
from odbench_detectors.cats.batch import surprise_of_batch, weight_of
from odbench_detectors.cats.detector import CATS
from odbench_detectors.cats.forest import changes_of, grow_forest, shares_of
from odbench_detectors.cats.order import content_order
from odbench_detectors.cats.rounding import rounded
from tests.reference import two_groups


def out_of_bag(X, n_first, **options):
    """Grow trees; return each row's share by trees without it, whole and by column."""
    usual = {"trees": 100, "most": 1000, "smallest": 5, "tries": 3, "seed": 0}
    forest = grow_forest(X, n_first, **(usual | options))
    rows = np.arange(len(X))
    given = forest, X, rows, forest.samples
    return shares_of(*given), changes_of(*given)


def a_cluster(rng, n=400, share=0.25):
    """Anomalies form a group inside the range of the inliers."""
    train, inliers = rng.normal(size=(n, 4)), rng.normal(size=(n, 4))
    group = rng.normal(size=(int(share * n), 4)) * 0.3 + 1.0
    labels = np.repeat([0, 1], [n, len(group)]).astype(np.int8)
    return train, np.vstack([inliers, group]), labels


def test_a_group_that_the_batch_adds_is_found(rng):
    train, batch, labels = a_cluster(rng)
    detector = CATS().fit(train)
    alone = auroc(labels, detector.decision_function(batch))
    together = auroc(labels, detector.score_batch(batch))
    assert alone < 0.6
    assert together > 0.85


def test_the_order_of_train_and_of_the_batch_changes_no_bit(rng):
    train, batch, _ = a_cluster(rng)
    batch[10:20] = batch[0]
    scores = CATS().fit(train).score_batch(batch)
    assert len(np.unique(scores[10:20])) == 1
    for _ in range(10):
        there, here = rng.permutation(len(train)), rng.permutation(len(batch))
        moved = CATS().fit(train[there]).score_batch(batch[here])
        assert (moved == scores[here]).all()


def test_scores_of_rows_alone_stay_what_they_were(rng):
    train, batch, _ = a_cluster(rng)
    detector = CATS().fit(train)
    before = detector.decision_function(batch)
    first = detector.score_batch(batch)
    assert (detector.decision_function(batch) == before).all()
    assert (detector.score_batch(batch) == first).all()


@pytest.mark.parametrize("m", [1, 2, 3])
def test_a_small_batch_gets_finite_scores(rng, m):
    scores = CATS().fit(rng.normal(size=(9, 3))).score_batch(rng.normal(size=(m, 3)))
    assert scores.shape == (m,)
    assert np.isfinite(scores).all()


def test_rows_alike_in_both_groups_are_not_surprising(rng):
    rows = np.ones((60, 2))
    assert surprise_of_batch(rows, rows) == pytest.approx(np.zeros(60))
    train, batch = rng.normal(size=(1_000, 4)), rng.normal(size=(1_000, 4))
    # The surprise of an exchangeable row is exponential with mean 1, and weighs little.
    assert surprise_of_batch(train, batch).mean() < 2.0
    batch[:200] += 2.0
    assert surprise_of_batch(train, batch)[:200].mean() > 10.0


def test_the_surprise_follows_the_slow_definition(rng):
    train, batch, _ = a_cluster(rng, n=60)
    train = train[content_order(train)]
    order = content_order(batch)
    shares, _ = out_of_bag(np.vstack([train, batch[order]]), 60, tries=4, seed=3)
    own, others = rounded(shares[:60]), rounded(shares[60:])
    spread = max(own) - sorted(own)[30]
    surprise = surprise_of_batch(train, batch)[order]
    deviation = max(
        np.mean(own < x) - np.mean(others < x) for x in [*own, *others]
    ) / math.sqrt((1 / 60 + 1 / len(others)) / 2)
    weight = 5 * deviation**2 / (deviation**2 + 2.5**2)
    assert weight_of(own, others) == pytest.approx(weight)
    for share, found in zip(others, surprise, strict=True):
        excess = max(share - max(own), 0.0) / spread
        expected = -math.log((1 + sum(own >= share)) / 61) + excess / (1 + excess)
        assert found == pytest.approx(weight * expected, abs=1e-9)


def test_the_trees_weigh_as_much_as_the_groups_differ(rng):
    same, m = rng.random(500), 400
    assert weight_of(same, same) == 0.0
    # Of one law: q² is exponential, about.
    chance = [weight_of(rng.random(500), rng.random(m)) for _ in range(300)]
    q_squared = rng.exponential(size=100_000)
    expected = np.mean(5 * q_squared / (q_squared + 2.5**2))
    assert np.mean(chance) == pytest.approx(expected, abs=0.1)
    # Smaller shares of the batch are no evidence.
    assert weight_of(same + 1.0, same) == 0.0
    apart = weight_of(same, same + 1.0)
    assert apart == pytest.approx(5 * 500 / (500 + 2.5**2))


def test_out_of_bag_shares_are_even_without_a_difference_and_clear_with_one(rng):
    same, _ = out_of_bag(rng.normal(size=(600, 3)), 300)
    assert same[:300].mean() == pytest.approx(0.5, abs=0.06)
    assert same[300:].mean() == pytest.approx(0.5, abs=0.06)
    apart = np.vstack([rng.normal(size=(300, 3)), rng.normal(size=(300, 3)) + 9])
    shares, _ = out_of_bag(apart, 300)
    assert shares[:300].max() < 0.3
    assert shares[300:].min() > 0.7


@pytest.mark.parametrize(
    ("n", "m", "most", "smallest"), [(64, 64, 1000, 5), (90, 61, 17, 2), (1, 2, 9, 1)]
)
def test_the_trees_are_those_of_the_slow_version_to_the_last_bit(
    rng, n, m, most, smallest
):
    X = rng.normal(size=(n + m, 4))
    X[n:] += 0.5
    X[:, 1] = np.round(X[:, 1], 1)  # ties
    X[:, 2] = np.where(rng.random(n + m) < 0.9, 0.0, X[:, 2])  # constant in nodes
    given = {"trees": 10, "most": most, "smallest": smallest, "tries": 3, "seed": 7}
    shares, by_column = out_of_bag(X, n, **given)
    slow_shares, slow_by_column = two_groups.out_of_bag(X, n, **given)
    assert shares.tolist() == slow_shares
    assert by_column.tolist() == slow_by_column
    assert by_column.sum(axis=1) == pytest.approx(shares - 0.5)
