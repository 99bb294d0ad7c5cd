"""Concordance of scores with levels of severity: the C-index."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from odbench.errors import DataError, DetectorError


def c_index(levels: ArrayLike, scores: ArrayLike) -> float:
    """Return the share of pairs of different levels that scores put in order.

    Over all pairs of rows whose levels differ: 1 if the row of the higher level has
    the higher score, 1/2 if the scores are equal, 0 else (Harrell et al., JAMA 1982,
    without censoring). With two levels it is the AUROC. Counted in integers, so it is
    exact to the last division; O(n log n) per level.

    Parameters
    ----------
    levels : array of shape (n_rows,)
        Whole numbers; 0 for an inlier, a higher level departs further. At least two
        different ones.
    scores : array of shape (n_rows,)
        Finite; higher is more anomalous.

    Returns
    -------
    float
        In [0, 1]; 0.5 is chance, higher is better.

    Raises
    ------
    DataError
        If the levels are not whole numbers, or all equal.
    DetectorError
        If the scores are not finite numbers, one per row.

    Examples
    --------
    >>> c_index([0, 0, 1, 2], [0.1, 0.3, 0.3, 0.2])
    0.5
    """
    truth, values = np.asarray(levels), np.asarray(scores)
    if truth.ndim != 1 or truth.dtype.kind not in "iu":
        msg = (
            f"levels: got shape {truth.shape} of {truth.dtype}; wanted one dimension "
            f"of whole numbers, 0 for inliers"
        )
        raise DataError(msg)
    if values.shape != truth.shape or not np.isfinite(values).all():
        msg = (
            f"scores: got shape {values.shape} of {values.dtype}; wanted {truth.shape} "
            f"finite numbers, one per row"
        )
        raise DetectorError(msg)
    doubled = pairs = 0
    for level in np.unique(truth)[1:]:
        below, here = np.sort(values[truth < level]), values[truth == level]
        left = np.searchsorted(below, here, side="left")
        right = np.searchsorted(below, here, side="right")
        doubled += int(left.sum()) + int(right.sum())
        pairs += len(below) * len(here)
    if not pairs:
        msg = f"levels: all {truth.size} rows have the same; wanted two or more levels"
        raise DataError(msg)
    return doubled / (2 * pairs)
