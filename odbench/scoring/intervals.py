"""How sure the metrics of a single trial are, where its scores were kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from odbench.arrays import FloatArray
from odbench.scoring.aggregate import average_ranks
from odbench.scoring.metrics import auroc, average_precision


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
        Where the AUROC is 1 (or 0) the components do not vary, and the far end is
        that of Clopper and Pearson for as many successes without a failure as the
        smaller class has rows. From 0 to 1 where there is but one anomaly or one
        inlier, whose spread cannot be known.

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
    reach = width / (value * (1.0 - value))
    ends = np.clip([centre - reach, centre + reach], -700.0, 700.0)
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

    Anomalies and inliers are drawn with replacement apart from each other, so that
    their share, on which the average precision depends, stays what it is. The ends
    are percentiles, widened to hold the value itself.

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
    anomalies, inliers = points[truth], points[~truth]
    fresh = np.concatenate([np.ones(len(anomalies)), np.zeros(len(inliers))])
    drawn = np.empty(resamples)
    for k in range(resamples):
        sample: FloatArray = np.concatenate(
            [rng.choice(anomalies, len(anomalies)), rng.choice(inliers, len(inliers))]
        )
        drawn[k] = average_precision(fresh, sample)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(drawn, [tail, 1.0 - tail])
    return Interval(value, min(float(low), value), max(float(high), value))


def _ranks(points: FloatArray) -> FloatArray:
    ranked: FloatArray = average_ranks(points[None, :]).rank[0]
    return ranked
