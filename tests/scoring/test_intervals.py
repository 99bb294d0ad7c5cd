"""Intervals of a single trial's metrics have the stated coverage."""

import numpy as np
import pytest
from scipy.stats import ks_2samp, norm

from odbench.scoring import intervals
from odbench.scoring.intervals import (
    auroc_interval,
    average_precision_interval,
    trial_intervals,
)
from odbench.scoring.metrics import auroc, average_precision
from tests.reference import scoring as reference


def delong_variance(anomalies, inliers):
    """The structural components, pair by pair."""
    psi = [
        [1.0 if a > i else 0.5 if a == i else 0.0 for i in inliers] for a in anomalies
    ]
    by_anomaly = [np.mean(row) for row in psi]
    by_inlier = [np.mean(column) for column in zip(*psi, strict=True)]
    return np.var(by_anomaly, ddof=1) / len(anomalies) + np.var(
        by_inlier, ddof=1
    ) / len(inliers)


def test_the_width_is_delongs(rng):
    labels = np.r_[np.ones(12), np.zeros(40)]
    scores = np.round(rng.normal(labels, 1.0), 1)

    found = auroc_interval(labels, scores)

    sd = np.sqrt(delong_variance(scores[:12], scores[12:]))
    centre = np.log(found.value / (1 - found.value))
    reach = norm.ppf(0.975) * sd / (found.value * (1 - found.value))
    assert found.value == auroc(labels, scores)
    assert found.low == pytest.approx(1 / (1 + np.exp(reach - centre)))
    assert found.high == pytest.approx(1 / (1 + np.exp(-reach - centre)))


def test_auroc_intervals_cover_the_true_area(rng):
    truth = norm.cdf(1 / np.sqrt(2))
    labels = np.r_[np.ones(40), np.zeros(200)]
    held = 0
    for _ in range(400):
        found = auroc_interval(labels, rng.normal(labels, 1.0))
        held += found.low <= truth <= found.high

    assert 0.92 <= held / 400 <= 0.98


def test_a_perfect_score_on_few_anomalies_is_not_certain():
    few = auroc_interval([1, 1, 1, 0, 0, 0, 0], [5, 6, 7, 1, 2, 3, 4])
    many = auroc_interval(np.r_[np.ones(500), np.zeros(500)], np.arange(1000)[::-1])

    assert few.low == pytest.approx(0.025 ** (1 / 3))
    assert few.high == 1.0
    assert many.low > 0.99


def test_a_score_that_is_always_wrong_mirrors_a_perfect_one():
    right = auroc_interval([1, 1, 0, 0, 0], [4, 5, 1, 2, 3])
    wrong = auroc_interval([1, 1, 0, 0, 0], [-4, -5, -1, -2, -3])

    assert (wrong.low, wrong.high) == (0.0, 1 - right.low)


def test_one_anomaly_tells_nothing_about_its_spread():
    assert auroc_interval([1, 0, 0], [2.0, 1.0, 3.0])[1:] == (0.0, 1.0)


def test_average_precision_intervals_hold_the_value(rng):
    labels = np.r_[np.ones(20), np.zeros(200)]
    scores = rng.normal(labels, 1.0)

    found = average_precision_interval(labels, scores, rng=rng)

    assert found.value == average_precision(labels, scores)
    assert found.low < found.value < found.high
    assert found.high - found.low < 0.5


@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_drawn_counts_are_samples_of_rows(rng, decimals):
    anomalies = np.round(rng.normal(1.0, 1.0, 9), decimals)
    inliers = np.round(rng.normal(0.0, 1.0, 40), decimals)
    fast = intervals._bootstrap(anomalies, inliers, rng, 20_000)

    slow = reference.bootstrap_average_precision(
        anomalies.tolist(), inliers.tolist(), rng, 1_500
    )

    # Two samples of one distribution: the largest distance of Kolmogorov and Smirnov.
    assert ks_2samp(fast, slow).pvalue > 1e-3


def test_each_sample_is_scored_as_its_rows_are():
    class Fixed:
        """Draws that are written down."""

        draws = iter([[[2, 0, 1], [1, 1, 1]], [[3, 0, 1, 1], [0, 5, 0, 0]]])

        def multinomial(self, *_, size):
            return np.array(next(self.draws))

    # Distinct anomalies 3, 2, 1; inliers above 3, at or above 2, at or above 1, below.
    found = intervals._bootstrap(
        np.array([3.0, 2.0, 1.0]), np.array([4.0, 2.0, 1.5, 1.0, 0.0]), Fixed(), 2
    )

    wanted = [
        average_precision([1, 1, 1, 0, 0, 0, 0, 0], [3, 3, 1, 4, 4, 4, 1, 0]),
        average_precision([1, 1, 1, 0, 0, 0, 0, 0], [3, 2, 1, 2, 2, 2, 2, 2]),
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_blocks_bound_the_memory_and_cover_every_sample(rng, monkeypatch):
    monkeypatch.setattr(intervals, "_BLOCK", 50)
    labels = np.r_[np.ones(30), np.zeros(100)]

    found = average_precision_interval(labels, rng.normal(labels, 1.0), rng=rng)

    assert 0 < found.low < found.value < found.high <= 1


def test_a_trial_has_the_same_intervals_each_time(rng):
    labels = np.r_[np.ones(20), np.zeros(200)]
    scores = rng.normal(labels, 1.0)

    first, again = (trial_intervals(labels, scores, seed=3) for _ in range(2))
    other = trial_intervals(labels, scores, seed=4)

    assert first == again
    assert (first["auroc_low"], first["auroc_high"]) == auroc_interval(labels, scores)[
        1:
    ]
    assert first["auroc_low"] == other["auroc_low"]
    assert first["ap_low"] != other["ap_low"]
    assert first["ap_low"] <= average_precision(labels, scores) <= first["ap_high"]
