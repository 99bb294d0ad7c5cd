"""Confidence intervals for the metrics of one trial whose scores were kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from odbench.arrays import FloatArray
from odbench.scoring.aggregate import average_ranks
from odbench.scoring.metrics import auroc, average_precision

# Number of counts drawn at once, which bounds the memory.
_BLOCK = 500_000


class Interval(NamedTuple):
    """A value with the ends of its confidence interval.

    Attributes
    ----------
    value, low, high : float
        In [0, 1], ``low <= value <= high``.
    """

    value: float
    low: float
    high: float


def auroc_interval(
    labels: ArrayLike, scores: ArrayLike, *, level: float = 0.95
) -> Interval:
    """Return the AUROC with its DeLong interval.

    The variance is that of the structural components of the Mann-Whitney statistic
    (DeLong et al., Biometrics 1988), found from ranks in O(n log n) (Sun and Xu,
    IEEE Signal Processing Letters 2014). The interval is symmetric on the logit
    scale, so that it stays inside [0, 1] (Qin and Hotilovac, 2008).

    Parameters
    ----------
    labels : array of shape (n_rows,)
        1 for an anomaly, 0 for an inlier; both occur.
    scores : array of shape (n_rows,)
        Finite; higher is more anomalous.
    level : float
        Coverage.

    Returns
    -------
    Interval
        If the AUROC is 1 (or 0), the components do not vary. The far end is then that
        of Clopper and Pearson for n successes out of n, with n the rows of the
        smaller class. From 0 to 1 if there is only one anomaly or one inlier, because
        its variance is unknown.

    Raises
    ------
    DataError, DetectorError
        See `odbench.scoring.metrics.evaluate`.
    """
    from scipy.special import ndtri

    value = auroc(labels, scores)
    truth = np.asarray(labels) == 1
    anomalies = np.asarray(scores, dtype=np.float64)[truth]
    inliers = np.asarray(scores, dtype=np.float64)[~truth]
    if min(len(anomalies), len(inliers)) < 2:
        return Interval(value, 0.0, 1.0)
    tail = (1.0 - level) / 2.0
    if value in (0.0, 1.0):
        bound = tail ** (1.0 / min(len(anomalies), len(inliers)))
        return Interval(value, bound * value, 1.0 - bound * (1.0 - value))
    together = _ranks(np.concatenate([anomalies, inliers]))
    n_a, n_i = len(anomalies), len(inliers)
    above = (together[:n_a] - _ranks(anomalies)) / n_i
    below = 1.0 - (together[n_a:] - _ranks(inliers)) / n_a
    variance = above.var(ddof=1) / n_a + below.var(ddof=1) / n_i
    width = float(ndtri(1.0 - tail)) * np.sqrt(variance)
    centre = np.log(value / (1.0 - value))
    margin = width / (value * (1.0 - value))
    ends = np.clip([centre - margin, centre + margin], -700.0, 700.0)
    low, high = 1.0 / (1.0 + np.exp(-ends))
    return Interval(value, float(low), float(high))


def average_precision_interval(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    rng: np.random.Generator,
    resamples: int = 200,
    level: float = 0.95,
) -> Interval:
    """Return the average precision with a bootstrap interval.

    Anomalies and inliers are drawn separately, with replacement, so that the share of
    anomalies, on which the average precision depends, stays the same. The ends are
    percentiles, widened to contain the value itself.

    Parameters
    ----------
    labels : array of shape (n_rows,)
        1 for an anomaly, 0 for an inlier; both occur.
    scores : array of shape (n_rows,)
        Finite; higher is more anomalous.
    rng : numpy.random.Generator
        Source of the draws.
    resamples : int
        Number of bootstrap samples.
    level : float
        Coverage.

    Returns
    -------
    Interval

    Raises
    ------
    DataError, DetectorError
        See `odbench.scoring.metrics.evaluate`.
    """
    value = average_precision(labels, scores)
    truth = np.asarray(labels) == 1
    points = np.asarray(scores, dtype=np.float64)
    drawn = _bootstrap(points[truth], points[~truth], rng, resamples)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(drawn, [tail, 1.0 - tail])
    return Interval(value, min(float(low), value), max(float(high), value))


def trial_intervals(
    labels: ArrayLike, scores: ArrayLike, *, seed: int
) -> dict[str, float]:
    """Return the intervals of a trial as columns of a results file.

    Parameters
    ----------
    labels : array of shape (n_rows,)
        1 for an anomaly, 0 for an inlier; both occur.
    scores : array of shape (n_rows,)
        Finite; higher is more anomalous.
    seed : int
        Seed of the trial. Equal labels, scores and seed give equal intervals.

    Returns
    -------
    dict of str to float
        ``auroc_low``, ``auroc_high``, ``ap_low``, ``ap_high``: the 95 % intervals of
        `auroc_interval` and `average_precision_interval` (200 samples).

    Raises
    ------
    DataError, DetectorError
        See `odbench.scoring.metrics.evaluate`.
    """
    rng = np.random.default_rng([seed, np.size(labels)])
    by_rank = auroc_interval(labels, scores)
    by_precision = average_precision_interval(labels, scores, rng=rng)
    return {
        "auroc_low": by_rank.low,
        "auroc_high": by_rank.high,
        "ap_low": by_precision.low,
        "ap_high": by_precision.high,
    }


def _bootstrap(
    anomalies: FloatArray, inliers: FloatArray, rng: np.random.Generator, resamples: int
) -> FloatArray:
    """Return the average precision of samples drawn with replacement within each class.

    It depends only on the number of anomalies at each distinct score of an anomaly
    and the number of inliers between two such scores, so those counts are drawn
    instead of rows.
    """
    steps, hits = np.unique(-anomalies, return_counts=True)
    between = np.searchsorted(steps, -inliers, side="left")
    misses = np.bincount(between, minlength=len(steps) + 1)
    drawn = np.empty(resamples)
    block = max(1, _BLOCK // len(misses))
    for start in range(0, resamples, block):
        n = min(block, resamples - start)
        a = rng.multinomial(len(anomalies), hits / len(anomalies), size=n)
        i = rng.multinomial(len(inliers), misses / len(inliers), size=n)[:, :-1]
        found = a.cumsum(axis=1)
        rows = np.maximum(found + i.cumsum(axis=1), 1)
        drawn[start : start + n] = (a * (found / rows)).sum(axis=1) / len(anomalies)
    return drawn


def _ranks(points: FloatArray) -> FloatArray:
    ranked: FloatArray = average_ranks(points[None, :]).rank[0]
    return ranked
