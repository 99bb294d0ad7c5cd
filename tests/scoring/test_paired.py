"""Pairs of methods are compared with ties that the rows and seeds allow."""

import numpy as np
import pytest

from odbench.scoring.clusters import clusters_of
from odbench.scoring.intervals import hanley_mcneil
from odbench.scoring.paired import compare_pair, tie_band, variance_of


def compared(apart, band=0.0, families=None):
    apart = np.asarray(apart, dtype=float)
    values = np.column_stack([0.5 + apart, np.full(len(apart), 0.5)])
    return compare_pair(
        values,
        np.full(len(apart), band),
        clusters_of(len(apart), families),
        rng=np.random.default_rng(0),
        permutations=2000,
    )


def test_a_clear_difference_is_better_and_turned_round_worse(rng):
    apart = rng.normal(0.1, 0.05, 40)

    better, worse = compared(apart), compared(-apart)

    assert (better.verdict, worse.verdict) == ("better", "worse")
    assert better.low < better.difference < better.high
    assert (worse.low, worse.high) == pytest.approx((-better.high, -better.low))
    assert better.p < 0.001
    assert better.p_wilcoxon < 0.001


def test_a_difference_known_to_be_small_is_equivalent(rng):
    found = compared(rng.normal(0.004, 0.005, 300))

    assert found.verdict == "equivalent"
    assert found.p < 0.01


def test_a_method_is_equivalent_to_itself():
    assert compared(np.zeros(30)).verdict == "equivalent"
    assert compared(np.zeros(4)).verdict == "unknown"


def test_noise_is_undecided(rng):
    assert compared(rng.normal(0.0, 0.2, 20)).verdict == "undecided"


def test_four_families_decide_nothing():
    found = compared([0.3, 0.2, 0.25, 0.3] * 5, families=list("abcd") * 5)

    assert found.verdict == "unknown"
    assert np.isnan(found.low)
    # Of the 16 assignments of signs, two are as extreme.
    assert found.p == pytest.approx(2 / 16, abs=0.03)
    assert found.p_wilcoxon == pytest.approx(2 / 16)


def test_wins_ties_and_losses_are_counted_by_the_band():
    found = compared([0.1, 0.03, 0.02, -0.03, -0.2], band=0.03)

    assert (found.wins, found.ties, found.losses) == (1, 3, 1)


def test_the_band_is_that_of_both_methods(rng):
    values = np.array([[0.9, 0.8], [0.7, 0.7]])
    seeds = np.array([[0.0, 0.001], [0.0, 0.0]])
    anomalies, inliers = np.array([10.0, 50.0]), np.array([90.0, 450.0])

    variance = variance_of("auroc", values, seeds, anomalies, inliers)

    slow = hanley_mcneil(0.9, 10, 90) + hanley_mcneil(0.8, 10, 90) + 0.001
    assert tie_band(variance)[0] == pytest.approx(1.96 * np.sqrt(slow))
    by_ap = variance_of("ap", values, seeds, anomalies, inliers)
    assert by_ap[1].tolist() == pytest.approx([0.21 / 50, 0.21 / 50])


def test_equal_methods_rarely_win(rng):
    # Two methods that are equally good and independent on 12 anomalies and 120 inliers.
    wins = 0
    for _ in range(300):
        pair = []
        for _ in range(2):
            anomalies, inliers = rng.normal(1.0, 1.0, 12), rng.normal(0.0, 1.0, 120)
            pair.append((anomalies[:, None] > inliers).mean())
        values = np.array([pair])
        rows = np.array([12.0]), np.array([120.0])
        variance = variance_of("auroc", values, np.zeros((1, 2)), *rows)
        wins += abs(pair[0] - pair[1]) > tie_band(variance)[0]
    assert wins / 300 <= 0.08
