"""Intervals of a single trial's metrics have the stated coverage, or are not shown."""

import numpy as np
import pytest
from scipy.stats import norm, t

from odbench.scoring.intervals import (
    Distinct,
    auroc_interval,
    average_precision_interval,
    hanley_mcneil,
    trial_intervals,
)
from odbench.scoring.metrics import auroc, average_precision


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


def slow_newcombe(value, n_a, n_i):
    """The areas on a fine grid that are compatible with the value."""
    areas = np.linspace(0, 1, 200_001)
    spread = np.sqrt([hanley_mcneil(area, n_a, n_i) for area in areas])
    kept = areas[np.abs(areas - value) <= norm.ppf(0.975) * spread]
    return kept.min(), kept.max()


def test_the_interval_holds_delongs_and_newcombes(rng):
    labels = np.r_[np.ones(12), np.zeros(40)]
    scores = np.round(rng.normal(labels, 1.0), 1)

    found = auroc_interval(labels, scores)

    sd = np.sqrt(delong_variance(scores[:12], scores[12:]))
    centre = np.log(found.value / (1 - found.value))
    reach = t.ppf(0.975, 11) * sd / (found.value * (1 - found.value))
    low, high = slow_newcombe(found.value, 12, 40)
    assert found.value == auroc(labels, scores)
    assert found.low == pytest.approx(
        min(low, 1 / (1 + np.exp(reach - centre))), abs=1e-5
    )
    assert found.high == pytest.approx(
        max(high, 1 / (1 + np.exp(-reach - centre))), abs=1e-5
    )


# Mean of the anomalies, their spread, share of them that are obvious.
MODELS = {
    "near": (0.5, 1.0, 0.0),
    "apart": (2.0, 1.0, 0.0),
    "far": (3.0, 1.0, 0.0),
    "two kinds": (0.0, 1.0, 0.5),
    "wide": (1.0, 4.0, 0.0),
}


def drawn(rng, model, anomalies, inliers):
    mean, spread, obvious = MODELS[model]
    found = rng.normal(mean, spread, anomalies) + 7.0 * (
        rng.random(anomalies) < obvious
    )
    return np.r_[found, rng.normal(0.0, 1.0, inliers)]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("anomalies", [5, 20])
def test_intervals_cover_from_five_anomalies_on(model, anomalies):
    rng = np.random.default_rng(7)
    mean, spread, obvious = MODELS[model]
    area = (1 - obvious) * norm.cdf(mean / np.sqrt(1 + spread**2)) + obvious
    labels = np.r_[np.ones(anomalies), np.zeros(15 * anomalies)]
    found = [
        (auroc_interval(labels, scores), average_precision_interval(labels, scores))
        for scores in (drawn(rng, model, anomalies, 15 * anomalies) for _ in range(600))
    ]
    precision = np.mean([ap.value for _, ap in found])

    assert np.mean([a.low <= area <= a.high for a, _ in found]) >= 0.93
    assert np.mean([p.low <= precision <= p.high for _, p in found]) >= 0.93


def test_a_perfect_score_on_few_anomalies_is_not_certain():
    few = auroc_interval(np.r_[np.ones(5), np.zeros(9)], np.arange(14)[::-1])
    many = auroc_interval(np.r_[np.ones(500), np.zeros(500)], np.arange(1000)[::-1])

    assert few.low < 0.8
    assert few.high == 1.0
    assert many.low > 0.99


def test_a_score_that_is_always_wrong_mirrors_a_perfect_one():
    labels = np.r_[np.ones(6), np.zeros(8)]
    right = auroc_interval(labels, np.arange(14)[::-1])
    wrong = auroc_interval(labels, np.arange(14))

    assert (wrong.low, wrong.high) == pytest.approx((0.0, 1 - right.low))


@pytest.mark.parametrize(("anomalies", "inliers"), [(4, 100), (100, 4)])
def test_with_four_of_a_class_nothing_is_shown(rng, anomalies, inliers):
    labels = np.r_[np.ones(anomalies), np.zeros(inliers)]

    ends = trial_intervals(labels, rng.normal(labels, 1.0))

    assert ends == dict.fromkeys(["auroc_low", "auroc_high", "ap_low", "ap_high"])


def test_average_precision_intervals_are_wilsons(rng):
    labels = np.r_[np.ones(20), np.zeros(200)]
    scores = rng.normal(labels, 1.0)

    found = average_precision_interval(labels, scores)

    assert found.value == average_precision(labels, scores)
    for end in (found.low, found.high):
        spread = np.sqrt(end * (1 - end) / 20)
        assert abs(found.value - end) == pytest.approx(norm.ppf(0.975) * spread)


def test_a_perfect_average_precision_is_not_certain():
    labels = np.r_[np.ones(5), np.zeros(9)]

    found = average_precision_interval(labels, np.arange(14)[::-1])

    assert found.high == 1.0
    assert found.low < 0.7


def test_copies_of_rows_do_not_narrow_the_intervals(rng):
    labels = np.r_[np.ones(20), np.zeros(200)]
    scores = rng.normal(labels, 1.0)
    copies = np.tile(labels, 50), np.tile(scores, 50)
    once, often = Distinct(20, 200), Distinct(1_000, 10_000)

    assert auroc_interval(*copies, distinct=often) == auroc_interval(*copies)
    for interval in (auroc_interval, average_precision_interval):
        alone, counted = interval(labels, scores), interval(*copies, distinct=once)
        naive = interval(*copies)
        assert naive.high - naive.low < 0.3 * (alone.high - alone.low)
        width = pytest.approx(alone.high - alone.low, rel=0.1)
        assert counted.high - counted.low == width
    nine = trial_intervals(*copies, distinct=Distinct(4, 200))
    assert set(nine.values()) == {None}


def test_the_columns_are_those_of_both_metrics(rng):
    labels = np.r_[np.ones(20), np.zeros(200)]
    scores = rng.normal(labels, 1.0)

    ends = trial_intervals(labels, scores)

    assert (ends["auroc_low"], ends["auroc_high"]) == auroc_interval(labels, scores)[1:]
    assert (ends["ap_low"], ends["ap_high"]) == (
        average_precision_interval(labels, scores)[1:]
    )
