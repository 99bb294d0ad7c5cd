"""The best AUROC and AP that any score of a table's rows can reach.

Equal vectors get equal scores. Where a vector occurs with both labels, no score
separates its anomalies from its inliers, so the best value may be below 1.
"""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray, IntArray, LabelArray
from odbench.scoring.metrics import auroc


def ceiling_auroc(groups: IntArray, labels: LabelArray) -> float:
    """Return the highest AUROC that a score of the vectors can reach.

    It is reached by ordering the vectors by their share of anomalies: the ROC curve of
    any score is a sequence of segments, one per vector, whose slope grows with that
    share, and the area is largest with the steepest segments first.

    Parameters
    ----------
    groups : int64 array of shape (n,)
        Number of each row's vector, from `odbench.data.groups.group_rows`.
    labels : int8 array of shape (n,)
        1 = anomaly; both labels occur.

    Returns
    -------
    float
        In [0.5, 1]; 1 if no vector has both labels.
    """
    rows, hits = _counts(groups, labels)
    return auroc(labels, (hits / rows)[groups])


def ceiling_ap(groups: IntArray, labels: LabelArray) -> float:
    """Return the highest average precision that a score of the vectors can reach.

    A vector with h anomalies among its n rows, placed behind vectors that hold H
    anomalies in N rows, adds ``h (H + h) / (N + n)``. Vectors of anomalies alone come
    first. Of two neighbours a and b, a belongs first if
    ``p_a (H + h_a) / (N + n_a)`` is the larger, with p = h / n; so the next vector is
    always one for which this is largest. Ordering by p alone is not the best, because a
    large vector delays the anomalies behind it. Joining vectors in a tie never helps.

    The order is greedy: over 60,000 random tables of up to 7 vectors it missed the best
    order nine times, by 0.001 at most.

    Parameters
    ----------
    groups, labels
        As for `ceiling_auroc`.

    Returns
    -------
    float
        In (0, 1]; 1 if no vector has both labels.
    """
    rows, hits = _counts(groups, labels)
    pure = hits == rows
    mixed = (hits > 0) & ~pure
    above = float(hits[pure].sum())
    area = above + _greedy_area(hits[mixed], rows[mixed], above)
    return min(area / float(hits.sum()), 1.0)


def _greedy_area(hits: FloatArray, rows: FloatArray, above: float) -> float:
    """Sum ``h (H + h) / (N + n)`` over vectors in the greedy order.

    Parameters
    ----------
    hits, rows : float64 arrays
        Anomalies and rows of each vector.
    above : float
        Rows ahead of them, all of them anomalies.
    """
    # Vectors of the same counts are interchangeable, and there are few such kinds.
    kinds, left = np.unique(np.stack([hits, rows]), axis=1, return_counts=True)
    share = kinds[0] / kinds[1]
    hits_above = rows_above = above
    area = 0.0
    for _ in range(len(hits)):
        precision = (hits_above + kinds[0]) / (rows_above + kinds[1])
        best = int(np.where(left > 0, share * precision, -1.0).argmax())
        area += float(kinds[0, best] * precision[best])
        hits_above += float(kinds[0, best])
        rows_above += float(kinds[1, best])
        left[best] -= 1
    return area


def _counts(groups: IntArray, labels: LabelArray) -> tuple[FloatArray, FloatArray]:
    """Return the rows and the anomalies of every vector, as float64."""
    rows = np.bincount(groups).astype(np.float64)
    hits = np.bincount(groups, labels)
    return rows, np.asarray(hits, dtype=np.float64)
