"""Confidence intervals for the metrics of one trial whose scores were kept."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from odbench.arrays import FloatArray
from odbench.scoring.aggregate import average_ranks
from odbench.scoring.metrics import auroc, average_precision

# With fewer anomalies or inliers than this no interval keeps its promise.
FEWEST_ROWS = 5
_HALVINGS = 60


class Distinct(NamedTuple):
    """How many rows of either class are distinct vectors.

    Equal rows have equal scores: an anomaly and its copies are one observation.
    """

    anomalies: int
    inliers: int


class Interval(NamedTuple):
    """A value with the ends of its confidence interval.

    Attributes
    ----------
    value, low, high : float
        In [0, 1], ``low <= value <= high``; NaN ends if no interval is shown.
    """

    value: float
    low: float
    high: float


def auroc_interval(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    level: float = 0.95,
    distinct: Distinct | None = None,
) -> Interval:
    """Return the AUROC with a confidence interval.

    The smallest interval that contains two others. One is that of DeLong et al.
    (Biometrics 1988), whose variance is found from ranks (Sun and Xu, IEEE Signal
    Processing Letters 2014), symmetric on the logit scale, with the quantile of
    Student's t for the smaller class. It is too short where the few anomalies that were
    seen happen to be ranked alike. The other is method 5 of Newcombe (Statistics in
    Medicine 2006), which solves for the AUROCs whose own variance, by the formula of
    Hanley and McNeil (1982), is compatible with the observed one. It is too short where
    the anomalies are of several kinds.

    Parameters
    ----------
    labels : array of shape (n_rows,)
        1 for an anomaly, 0 for an inlier; both occur.
    scores : array of shape (n_rows,)
        Finite; higher is more anomalous.
    level : float
        Coverage.
    distinct : Distinct, optional
        Numbers of distinct anomalies and inliers, which count as the observations; all
        rows by default. The value is that of all rows.

    Returns
    -------
    Interval
        Without ends if there are fewer than `FEWEST_ROWS` anomalies or inliers.

    Raises
    ------
    DataError, DetectorError
        See `odbench.scoring.metrics.evaluate`.
    """
    value = auroc(labels, scores)
    truth = np.asarray(labels) == 1
    points = np.asarray(scores, dtype=np.float64)
    anomalies, inliers = points[truth], points[~truth]
    n = distinct or Distinct(len(anomalies), len(inliers))
    if min(n) < FEWEST_ROWS:
        return Interval(value, math.nan, math.nan)
    low, high = _delong(value, anomalies, inliers, n, level)
    lower, upper = _newcombe(value, *n, level)
    return Interval(value, min(low, lower), max(high, upper))


def average_precision_interval(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    level: float = 0.95,
    distinct: Distinct | None = None,
) -> Interval:
    """Return the average precision with a confidence interval.

    The average precision is a mean over the anomalies of numbers in [0, 1], the
    precision at each, so its variance is taken as that of a share among as many trials
    as there are anomalies (Boyd, Eng and Page, ECML PKDD 2013). The interval is
    Wilson's (1927). It is about the expected average precision of test sets with as
    many anomalies and inliers; that of infinitely many rows is lower where anomalies
    are few.

    Parameters
    ----------
    labels : array of shape (n_rows,)
        1 for an anomaly, 0 for an inlier; both occur.
    scores : array of shape (n_rows,)
        Finite; higher is more anomalous.
    level : float
        Coverage.
    distinct : Distinct, optional
        Numbers of distinct anomalies and inliers, which count as the observations; all
        rows by default. The value is that of all rows.

    Returns
    -------
    Interval
        Without ends if there are fewer than `FEWEST_ROWS` anomalies or inliers.

    Raises
    ------
    DataError, DetectorError
        See `odbench.scoring.metrics.evaluate`.
    """
    value = average_precision(labels, scores)
    truth = np.asarray(labels)
    anomalies = int(np.count_nonzero(truth))
    rows = distinct or Distinct(anomalies, truth.size - anomalies)
    if min(rows) < FEWEST_ROWS:
        return Interval(value, math.nan, math.nan)
    z, n = _normal_quantile(level), rows.anomalies
    middle = (value + z * z / (2.0 * n)) / (1.0 + z * z / n)
    spread = value * (1.0 - value) / n + z * z / (4.0 * n * n)
    reach = z * math.sqrt(spread) / (1.0 + z * z / n)
    # Rounding may move an end past a value of exactly 0 or 1.
    return Interval(value, min(middle - reach, value), max(middle + reach, value))


def trial_intervals(
    labels: ArrayLike, scores: ArrayLike, *, distinct: Distinct | None = None
) -> dict[str, float | None]:
    """Return the intervals of a trial as columns of a results file.

    Parameters
    ----------
    labels : array of shape (n_rows,)
        1 for an anomaly, 0 for an inlier; both occur.
    scores : array of shape (n_rows,)
        Finite; higher is more anomalous.
    distinct : Distinct, optional
        Numbers of distinct anomalies and inliers; all rows by default.

    Returns
    -------
    dict of str to float or None
        ``auroc_low``, ``auroc_high``, ``ap_low``, ``ap_high``: the 95 % intervals of
        `auroc_interval` and `average_precision_interval`; None where none is shown.

    Raises
    ------
    DataError, DetectorError
        See `odbench.scoring.metrics.evaluate`.
    """
    by_rank = auroc_interval(labels, scores, distinct=distinct)
    by_precision = average_precision_interval(labels, scores, distinct=distinct)
    ends = {
        "auroc_low": by_rank.low,
        "auroc_high": by_rank.high,
        "ap_low": by_precision.low,
        "ap_high": by_precision.high,
    }
    return {name: None if math.isnan(end) else end for name, end in ends.items()}


def _delong(
    value: float,
    anomalies: FloatArray,
    inliers: FloatArray,
    distinct: Distinct,
    level: float,
) -> tuple[float, float]:
    from scipy.special import stdtrit

    n_a, n_i = len(anomalies), len(inliers)
    together = _ranks(np.concatenate([anomalies, inliers]))
    above = (together[:n_a] - _ranks(anomalies)) / n_i
    below = 1.0 - (together[n_a:] - _ranks(inliers)) / n_a
    variance = (
        above.var(ddof=1) / distinct.anomalies + below.var(ddof=1) / distinct.inliers
    )
    if value in (0.0, 1.0) or variance <= 0.0:
        return value, value
    width = float(stdtrit(min(distinct) - 1, 0.5 + level / 2.0)) * math.sqrt(variance)
    centre = math.log(value / (1.0 - value))
    margin = min(width / (value * (1.0 - value)), 700.0 - abs(centre))
    return (
        1.0 / (1.0 + math.exp(margin - centre)),
        1.0 / (1.0 + math.exp(-margin - centre)),
    )


def _newcombe(value: float, n_a: int, n_i: int, level: float) -> tuple[float, float]:
    z = _normal_quantile(level)

    def too_far(area: float) -> bool:
        return abs(value - area) > z * math.sqrt(hanley_mcneil(area, n_a, n_i))

    low, high = 0.0, 1.0
    inside_low = inside_high = value
    for _ in range(_HALVINGS):
        middle = (low + inside_low) / 2.0
        low, inside_low = (
            (middle, inside_low) if too_far(middle) else (low, middle)
        )  # fmt: skip
        middle = (high + inside_high) / 2.0
        high, inside_high = (
            (middle, inside_high) if too_far(middle) else (high, middle)
        )  # fmt: skip
    return inside_low, inside_high


def hanley_mcneil(area: Any, n_anomalies: Any, n_inliers: Any) -> Any:
    """Return the variance of an AUROC, from its value and the numbers of rows.

    ``A (1 - A) (1 + k (1 - A) / (2 - A) + k A / (1 + A)) / (n_a n_i)`` with
    ``k = (n_a + n_i) / 2 - 1``: the formula of Hanley and McNeil (Radiology 1982) with
    both classes' numbers replaced by their mean, as in Newcombe (Statistics in Medicine
    2006, method 5).

    Parameters
    ----------
    area : float or float64 array
        AUROC in [0, 1].
    n_anomalies, n_inliers : float or float64 array
        Numbers of rows, 1 or more.

    Returns
    -------
    float or float64 array
    """
    k = (n_anomalies + n_inliers) / 2.0 - 1.0
    pairs = 1.0 + k * (1.0 - area) / (2.0 - area) + k * area / (1.0 + area)
    return area * (1.0 - area) * pairs / (n_anomalies * n_inliers)


def _normal_quantile(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2.0))


def _ranks(points: FloatArray) -> FloatArray:
    ranked: FloatArray = average_ranks(points[None, :]).rank[0]
    return ranked
