"""Triviality: how many anomalies a rule on a single direction finds, at 5 % errors.

No detector takes part, so the result does not depend on who competes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from odbench.arrays import BoolArray, FloatArray, LabelArray
from odbench.data.protocol import standardise

# Share of the test inliers that a rule may flag.
FALSE_POSITIVES = 0.05
# Principal axes take time by the cube of the columns, and memory by their square.
_MOST_COLUMNS = 1_000
# An axis with a smaller share of the largest variance is made of rounding errors.
_LEAST_VARIANCE = 1e-9


def trivial_share(train: FloatArray, test: FloatArray, labels: LabelArray) -> float:
    """Return the largest share of the anomalies that one simple rule flags.

    Rules, of which each may flag at most 5 % of the test inliers:

    - *range*: rows outside the range of train in any column, or on any axis;
    - *tail*: rows above a threshold in one column, or below one, or outside an
      interval that leaves as many inliers out on either side;
    - *gap*: rows whose value in one column is farther than a threshold from the
      nearest value of train.

    Tail and gap also apply to each principal axis of train (columns z-scored with the
    mean and standard deviation of train) whose variance is at least 1e-9 of the
    largest, for tables of at most 1,000 columns. Thresholds are the lowest that flag
    no more than 5 % of the test inliers.

    Parameters
    ----------
    train, test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
        Finite; train holds inliers only.
    labels : int8 array of shape (n_test,)
        1 = anomaly; both labels occur.

    Returns
    -------
    float
        In [0, 1]; 1 means that one rule finds all anomalies.
    """
    is_anomaly = labels == 1
    # Scaling each column by its train rows changes no rule on columns.
    return max(_best_of(directions, is_anomaly) for directions in _bases(train, test))


def _bases(
    train: FloatArray, test: FloatArray
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield train and test in their own columns, then on the principal axes."""
    yield train, test
    if train.shape[1] <= _MOST_COLUMNS:
        yield _on_axes(*standardise(train, test))


def _on_axes(train: FloatArray, test: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return standardised tables in the coordinates of the principal axes."""
    variances, axes = np.linalg.eigh(train.T @ train / len(train))
    kept = axes[:, variances >= _LEAST_VARIANCE * max(variances[-1], 0.0)]
    # Departures from constant columns may be huge, and their products infinite.
    with np.errstate(over="ignore", invalid="ignore"):
        return train @ kept, np.nan_to_num(test @ kept)


def _best_of(tables: tuple[FloatArray, FloatArray], is_anomaly: BoolArray) -> float:
    """Return the largest share that a rule on these directions flags."""
    train, test = tables
    best = 0.0
    outside = np.zeros(len(test), dtype=np.bool_)
    for known, values in zip(train.T, test.T, strict=True):
        outside |= (values < known.min()) | (values > known.max())
        best = max(best, _tails(values, is_anomaly), _gap(known, values, is_anomaly))
    if outside[~is_anomaly].mean() <= FALSE_POSITIVES:
        best = max(best, float(outside[is_anomaly].mean()))
    return best


def _tails(values: FloatArray, is_anomaly: BoolArray) -> float:
    """Return the share of anomalies that a threshold or an interval flags."""
    anomalies, inliers = values[is_anomaly], values[~is_anomaly]
    most = int(FALSE_POSITIVES * len(inliers))
    half = most // 2
    last = len(inliers) - 1
    order = np.partition(inliers, sorted({half, most, last - half, last - most}))
    below, above = anomalies < order[most], anomalies > order[last - most]
    either = (anomalies < order[half]) | (anomalies > order[last - half])
    return float(max(below.mean(), above.mean(), either.mean()))


def _gap(known: FloatArray, values: FloatArray, is_anomaly: BoolArray) -> float:
    """Return the share of anomalies that are far from every value of train."""
    sorted_known = np.unique(known)
    place = np.searchsorted(sorted_known, values)
    right = sorted_known[np.minimum(place, len(sorted_known) - 1)]
    left = sorted_known[np.maximum(place - 1, 0)]
    # Halves, because the difference of two finite values may be infinite.
    distance = np.minimum(np.abs(right / 2 - values / 2), np.abs(values / 2 - left / 2))
    inliers = distance[~is_anomaly]
    last = len(inliers) - 1 - int(FALSE_POSITIVES * len(inliers))
    threshold = np.partition(inliers, last)[last]
    return float((distance[is_anomaly] > threshold).mean())
