"""How well scores separate anomalies from inliers: AUROC, AP, F1.

Label 1 is an anomaly, a higher score is more anomalous, and every metric is better
when it is higher. All of them depend on the scores' order only, and rows with equal
scores are taken together, so the order of the rows never matters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from odbench.arrays import FloatArray, IntArray
from odbench.errors import DataError, DetectorError


class Metrics(NamedTuple):
    """All metrics of one trial; higher is better.

    Attributes
    ----------
    auroc : float
        See `auroc`.
    ap : float
        See `average_precision`.
    ap_adjusted : float
        See `adjusted_average_precision`.
    f1 : float
        F1 when as many rows are flagged as there are anomalies: precision and recall
        then have the same denominator, so it is `precision_at_n`.
    """

    auroc: float
    ap: float
    ap_adjusted: float
    f1: float


class _Steps(NamedTuple):
    """Anomalies and rows at or above each distinct score, from the highest down."""

    hits: IntArray
    rows: IntArray


def evaluate(labels: ArrayLike, scores: ArrayLike) -> Metrics:
    """Return every metric at the price of one sort.

    Parameters
    ----------
    labels : array of shape (n_rows,)
        1 for an anomaly, 0 for an inlier; both occur.
    scores : array of shape (n_rows,)
        Finite; higher is more anomalous.

    Returns
    -------
    Metrics

    Raises
    ------
    DataError
        If the labels are not 0 and 1 with at least one of each.
    DetectorError
        If the scores are not finite numbers, one a row.

    Examples
    --------
    >>> evaluate([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9])._asdict()["auroc"]
    0.75
    """
    steps = _steps(labels, scores)
    ap = _average_precision(steps)
    rate = float(steps.hits[-1] / steps.rows[-1])
    return Metrics(
        _auroc(steps), ap, adjusted_average_precision(ap, rate), _precision_at_n(steps)
    )


def auroc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the area under the ROC curve.

    The probability that a random anomaly is scored above a random inlier, a tie
    counting half: ``(#{a > i} + #{a = i} / 2) / (n_anomalies * n_inliers)``
    (Mann and Whitney, 1947; Hanley and McNeil, 1982). Counted in integers, so it
    is exact to the last division.

    Parameters
    ----------
    labels : array of shape (n_rows,)
        1 for an anomaly, 0 for an inlier; both occur.
    scores : array of shape (n_rows,)
        Finite; higher is more anomalous.

    Returns
    -------
    float
        In [0, 1]; 0.5 is chance, higher is better.

    Raises
    ------
    DataError, DetectorError
        See `evaluate`.
    """
    return _auroc(_steps(labels, scores))


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the average precision: the step-wise area under precision and recall.

    ``sum_k (R_k - R_{k-1}) * P_k`` over the distinct scores from the highest down,
    P_k and R_k the precision and recall of the rows at or above the k-th (no
    interpolation; Davis and Goadrich, ICML 2006, say why).

    Parameters
    ----------
    labels : array of shape (n_rows,)
        1 for an anomaly, 0 for an inlier; both occur.
    scores : array of shape (n_rows,)
        Finite; higher is more anomalous.

    Returns
    -------
    float
        In (0, 1]; constant scores give the share of anomalies, higher is better.

    Raises
    ------
    DataError, DetectorError
        See `evaluate`.
    """
    return _average_precision(_steps(labels, scores))


def adjusted_average_precision(ap: float, base_rate: float) -> float:
    """Return the average precision with chance moved to 0 and the best kept at 1.

    ``(AP - r) / (1 - r)`` with r the share of anomalies (Campos et al., DMKD 2016).

    Parameters
    ----------
    ap : float
        Average precision.
    base_rate : float
        Share of anomalies among the rows scored, in [0, 1).

    Returns
    -------
    float
        At most 1; 0 is chance, negative is worse than chance.
    """
    return (ap - base_rate) / (1.0 - base_rate)


def precision_at_n(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the precision among the n highest scores, n the number of anomalies.

    Where a tie straddles the n-th place, the places left go to the tied rows in
    equal shares: the expected precision over all orders of the tied rows.

    Parameters
    ----------
    labels : array of shape (n_rows,)
        1 for an anomaly, 0 for an inlier; both occur.
    scores : array of shape (n_rows,)
        Finite; higher is more anomalous.

    Returns
    -------
    float
        In [0, 1]; constant scores give the share of anomalies, higher is better.

    Raises
    ------
    DataError, DetectorError
        See `evaluate`.
    """
    return _precision_at_n(_steps(labels, scores))


def _steps(labels: ArrayLike, scores: ArrayLike) -> _Steps:
    """Sort by score, highest first, and count at the end of each run of ties."""
    truth, values = _checked(labels, scores)
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    last_of_tie = np.append(ordered[1:] != ordered[:-1], True)
    rows = np.flatnonzero(last_of_tie) + 1
    hits = np.cumsum(truth[order], dtype=np.int64)[last_of_tie]
    return _Steps(hits, rows.astype(np.int64))


def _checked(labels: ArrayLike, scores: ArrayLike) -> tuple[IntArray, FloatArray]:
    truth = np.asarray(labels)
    values = np.asarray(scores)
    if truth.ndim != 1 or not ((truth == 0) | (truth == 1)).all():
        msg = (
            f"labels: got shape {truth.shape} of {truth.dtype}; wanted one dimension "
            "that holds only 0 (inlier) and 1 (anomaly)"
        )
        raise DataError(msg)
    anomalies = int(np.count_nonzero(truth))
    if not 0 < anomalies < truth.size:
        msg = (
            f"labels: got {anomalies} anomalies among {truth.size} rows; wanted at "
            "least one anomaly and one inlier, without which nothing can be ranked"
        )
        raise DataError(msg)
    if values.shape != truth.shape or values.dtype.kind not in "fiu":
        msg = (
            f"scores: got shape {values.shape} of {values.dtype}; wanted "
            f"{truth.shape} real numbers, one a row"
        )
        raise DetectorError(msg)
    values = values.astype(np.float64, copy=False)
    bad = values.size - int(np.count_nonzero(np.isfinite(values)))
    if bad:
        msg = f"scores: {bad} of {values.size} are not finite; wanted finite numbers"
        raise DetectorError(msg)
    return truth.astype(np.int64), values


def _auroc(steps: _Steps) -> float:
    anomalies = int(steps.hits[-1])
    false = steps.rows - steps.hits
    inliers = int(false[-1])
    new_hits = np.diff(steps.hits, prepend=0)
    new_false = np.diff(false, prepend=0)
    # Twice the number of pairs in the right order; at most 2 n_a n_i, far from 2^63.
    doubled = int(np.sum(new_hits * (2 * (inliers - false) + new_false)))
    return doubled / (2 * anomalies * inliers)


def _average_precision(steps: _Steps) -> float:
    recall_gain = np.diff(steps.hits, prepend=0) / steps.hits[-1]
    return float(np.sum(recall_gain * (steps.hits / steps.rows)))


def _precision_at_n(steps: _Steps) -> float:
    n = int(steps.hits[-1])
    k = int(np.searchsorted(steps.rows, n))
    above_rows = int(steps.rows[k - 1]) if k else 0
    above_hits = int(steps.hits[k - 1]) if k else 0
    tied_rows = int(steps.rows[k]) - above_rows
    tied_hits = int(steps.hits[k]) - above_hits
    return (above_hits + (n - above_rows) * tied_hits / tied_rows) / n
