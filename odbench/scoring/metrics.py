"""Metrics of how well scores separate anomalies from inliers: AUROC, AP, F1.

Label 1 is an anomaly, a higher score is more anomalous, and every metric is better
when it is higher. All of them depend on the scores' order only, and rows with equal
scores are taken together, so the order of the rows never matters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from odbench.arrays import BoolArray, FloatArray, IntArray, LabelArray
from odbench.errors import DataError, DetectorError
from odbench.scoring.severity import c_index

_Number = TypeVar("_Number", float, FloatArray)


class Steps(NamedTuple):
    """Anomalies and rows at or above each distinct score, from the highest down.

    Attributes
    ----------
    hits, rows : int64 or float64 arrays of shape (n_distinct_scores,)
        Cumulative counts, or cumulative weights; the last entries are those of all
        anomalies and of all rows.
    """

    hits: IntArray | FloatArray
    rows: IntArray | FloatArray


def evaluate(
    labels: ArrayLike,
    scores: ArrayLike,
    weights: FloatArray | None = None,
    levels: LabelArray | None = None,
) -> dict[str, float]:
    """Return every metric of `METRICS`, from one order of the scores.

    Parameters
    ----------
    labels : array of shape (n_rows,)
        1 for an anomaly, 0 for an inlier; both occur.
    scores : array of shape (n_rows,)
        Finite; higher is more anomalous.
    weights : float64 array of shape (n_rows,), optional
        Positive weights that make each distinct vector with its label count once,
        from `odbench.data.groups.pair_weights`.
    levels : int8 array of shape (n_rows,), optional
        Levels of severity, 0 for inliers.

    Returns
    -------
    dict of str to float
        Name -> value, in the order of `METRICS`; without weights or levels, those that
        need them are left out.

    Raises
    ------
    DataError
        If the labels are not 0 and 1 with at least one of each.
    DetectorError
        If the scores are not finite numbers, one per row.

    Examples
    --------
    >>> evaluate([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9])["auroc"]
    0.75
    """
    truth, values = _checked(labels, scores)
    # Where every weight is 1, the sums are the counts, in any order of equal scores.
    weighs = weights is not None and bool((weights != 1.0).any())
    order, last = _in_order(values, stable=weighs)
    steps = _counted(truth[order], last)
    weighed = steps
    if weights is not None and weighs:
        weighed = _weighed(truth[order], weights[order], last)
    plain = (m for m in METRICS if not m.distinct and not m.graded)
    found = {m.name: m.of(steps) for m in plain}
    if weights is not None:
        found |= {m.name: m.of(weighed) for m in METRICS if m.distinct}
    if levels is not None:
        found |= {m.name: c_index(levels, values) for m in METRICS if m.graded}
    return found


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


def adjusted_average_precision(ap: _Number, base_rate: _Number) -> _Number:
    """Return the average precision rescaled so that chance is 0 and the best is 1.

    ``(AP - r) / (1 - r)`` with r the share of anomalies (Campos et al., DMKD 2016).

    Parameters
    ----------
    ap : float or float64 array
        Average precision.
    base_rate : float or float64 array
        Share of anomalies among the rows scored, in [0, 1).

    Returns
    -------
    float or float64 array
        At most 1; 0 is chance, negative is worse than chance.
    """
    return (ap - base_rate) / (1.0 - base_rate)


def precision_at_n(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the precision among the n highest scores, n being the anomalies' number.

    If the n-th place lies within a tie, the remaining places are shared equally by the
    tied rows, which gives the expected precision over all orders of the tied rows.

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


def _steps(labels: ArrayLike, scores: ArrayLike) -> Steps:
    """Sort by score, highest first, and count at the end of each run of ties."""
    truth, values = _checked(labels, scores)
    order, last = _in_order(values)
    return _counted(truth[order], last)


def _in_order(
    values: FloatArray, *, stable: bool = False
) -> tuple[IntArray, BoolArray]:
    """Return the rows from the highest score down, and mark the last of each tie.

    Rows with equal scores stay in their order if `stable`. Such a sort takes twice as
    long, so it is done only where there are ties.
    """
    order = np.argsort(-values)
    last = _last_of_tie(values[order])
    if stable and not last.all():
        order = np.argsort(-values, kind="stable")
    return order, last


def _last_of_tie(ordered: FloatArray) -> BoolArray:
    """Mark the last row of each run of equal scores."""
    return np.append(ordered[1:] != ordered[:-1], True)


def _counted(truth: IntArray, last: BoolArray) -> Steps:
    """Count anomalies and rows, which are sorted by score, up to each marked row."""
    rows = np.flatnonzero(last) + 1
    hits = np.cumsum(truth, dtype=np.int64)[last]
    return Steps(hits, rows.astype(np.int64))


def _weighed(truth: IntArray, weights: FloatArray, last: BoolArray) -> Steps:
    """Add up the weights of anomalies and of rows up to each marked row."""
    return Steps(np.cumsum(weights * truth)[last], np.cumsum(weights)[last])


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
            f"{truth.shape} real numbers, one per row"
        )
        raise DetectorError(msg)
    values = values.astype(np.float64, copy=False)
    bad = values.size - int(np.count_nonzero(np.isfinite(values)))
    if bad:
        msg = f"scores: {bad} of {values.size} are not finite; wanted finite numbers"
        raise DetectorError(msg)
    return truth.astype(np.int64), values


def _auroc(steps: Steps) -> float:
    anomalies = steps.hits[-1].item()
    false = steps.rows - steps.hits
    inliers = false[-1].item()
    new_hits = np.diff(steps.hits, prepend=0)
    new_false = np.diff(false, prepend=0)
    # Twice the number of pairs in the right order; at most 2 n_a n_i, far from 2^63.
    doubled = np.sum(new_hits * (2 * (inliers - false) + new_false)).item()
    # Sums of weights are rounded, and must not leave the range for it.
    return float(min(max(doubled / (2 * anomalies * inliers), 0.0), 1.0))


def _average_precision(steps: Steps) -> float:
    recall_gain = np.diff(steps.hits, prepend=0) / steps.hits[-1]
    return min(float(np.sum(recall_gain * (steps.hits / steps.rows))), 1.0)


def _precision_at_n(steps: Steps) -> float:
    n = int(steps.hits[-1])
    k = int(np.searchsorted(steps.rows, n))
    above_rows = int(steps.rows[k - 1]) if k else 0
    above_hits = int(steps.hits[k - 1]) if k else 0
    tied_rows = int(steps.rows[k]) - above_rows
    tied_hits = int(steps.hits[k]) - above_hits
    return (above_hits + (n - above_rows) * tied_hits / tied_rows) / n


def _adjusted_average_precision(steps: Steps) -> float:
    rate = float(steps.hits[-1] / steps.rows[-1])
    return adjusted_average_precision(_average_precision(steps), rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A row of `METRICS`: all that the rest of odbench knows about a metric.

    Attributes
    ----------
    name : str
        Column of results; derived columns are ``mean_NAME``, ``rank_NAME`` and so on.
    label : str
        Name in tables and on the page.
    meaning : str
        What it measures, as a noun phrase.
    of : callable
        Value of a trial from its `Steps`; higher is better.
    use : {"ranked", "listed", "recorded"}
        "ranked" metrics have columns on the leaderboard, ranks and ratings; "listed"
        ones are in ``per_dataset.csv``; "recorded" ones are in results only.
    lowest, highest : float
        Range of the value; a results file that leaves it is refused.
    chance : float or None
        Value that a failed trial counts as; None for the share of anomalies.
    interval : bool
        Whether results have columns for a 95 % interval of each trial, which
        `odbench.scoring.intervals.trial_intervals` computes.
    required : bool
        Whether a leaderboard needs the column in a results file.
    distinct : bool
        Whether each distinct vector with its label counts once, instead of each row.
    graded : bool
        Whether it compares scores with levels of severity instead of labels; `of` is
        its value for two levels.
    """

    name: str
    label: str
    meaning: str
    of: Callable[[Steps], float]
    use: Literal["ranked", "listed", "recorded"] = "recorded"
    lowest: float = 0.0
    highest: float = 1.0
    chance: float | None = None
    interval: bool = False
    required: bool = False
    distinct: bool = False
    graded: bool = False


# The first metric is the primary one: win rates, gaps, tests against the best and the
# order of equal ranks are by it.
METRICS: tuple[Metric, ...] = (
    Metric(
        name="auroc",
        label="AUROC",
        meaning="area under the ROC curve",
        of=_auroc,
        use="ranked",
        chance=0.5,
        interval=True,
        required=True,
    ),
    Metric(
        name="ap",
        label="AP",
        meaning="average precision",
        of=_average_precision,
        use="ranked",
        interval=True,
        required=True,
    ),
    Metric(
        name="ap_adjusted",
        label="AP adj.",
        meaning="average precision, adjusted for the share of anomalies",
        of=_adjusted_average_precision,
        # (AP - r) / (1 - r) has no lower bound; the number only excludes infinity.
        lowest=-1e15,
    ),
    Metric(
        name="f1",
        label="F1",
        meaning="F1 with as many rows flagged as there are anomalies",
        of=_precision_at_n,
        use="listed",
    ),
    Metric(
        name="auroc_distinct",
        label="AUROC distinct",
        meaning="area under the ROC curve, each distinct vector counted once",
        of=_auroc,
        use="listed",
        chance=0.5,
        distinct=True,
    ),
    Metric(
        name="ap_distinct",
        label="AP distinct",
        meaning="average precision, each distinct vector counted once",
        of=_average_precision,
        use="listed",
        distinct=True,
    ),
    Metric(
        name="c_index",
        label="C-index",
        meaning="concordance of scores with levels of severity",
        of=_auroc,
        use="listed",
        chance=0.5,
        graded=True,
    ),
)


def interval_columns() -> tuple[str, ...]:
    """Return the columns of results that hold the ends of a trial's intervals."""
    return tuple(
        f"{metric.name}_{end}"
        for metric in METRICS
        if metric.interval
        for end in ("low", "high")
    )


def ranked_metrics() -> tuple[Metric, ...]:
    """Return the metrics that leaderboards rank by, the primary one first."""
    return tuple(metric for metric in METRICS if metric.use == "ranked")


def listed_metrics() -> tuple[Metric, ...]:
    """Return the metrics that are averaged over trials: ranked ones, then listed."""
    listed = tuple(metric for metric in METRICS if metric.use == "listed")
    return (*ranked_metrics(), *listed)
