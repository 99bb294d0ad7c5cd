"""Group equal rows, and weigh rows so that each distinct one counts once.

Rows are compared as exact float64 vectors, with -0.0 taken as 0.0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray, LabelArray

# Odd 64-bit constants that mix bits well; the result does not depend on them.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)


def pair_weights(groups: IntArray, labels: LabelArray) -> FloatArray:
    """Weigh rows so that each distinct vector with its label has the weight 1.

    A row that occurs k times with the same label has the weight 1 / k. A vector that
    occurs with both labels counts once as an anomaly and once as an inlier.

    Parameters
    ----------
    groups : int64 array of shape (n,)
        Number of each row's vector, from `group_rows`.
    labels : int8 array of shape (n,)
        1 = anomaly.

    Returns
    -------
    float64 array of shape (n,)
        In (0, 1]; the weights of the anomalies add up to the number of distinct
        anomalies, those of the inliers to that of distinct inliers.
    """
    # Even numbers for inliers, odd ones for anomalies.
    pairs = 2 * groups + labels
    weights: FloatArray = 1.0 / np.bincount(pairs)[pairs]
    return weights


def group_rows(X: FloatArray) -> IntArray:
    """Return each row's number among the distinct rows.

    Rows are grouped by a 64-bit hash, and every row is then compared with the first
    of its group, so the result is exact even if hashes collide.

    Parameters
    ----------
    X : float64 array of shape (n, n_columns)
        Finite.

    Returns
    -------
    int64 array of shape (n,)
        Numbers from 0 without gaps; the same for two rows if and only if equal.
    """
    # -0.0 + 0.0 is 0.0; every other value is unchanged.
    X = X + 0.0
    _, first, groups = np.unique(_hash(X), return_index=True, return_inverse=True)
    if all(np.array_equal(x, x[first[groups]]) for x in X.T):
        return groups.astype(np.int64, copy=False)
    # Two rows share a hash: sort the rows themselves.
    as_bytes = np.ascontiguousarray(X).view(f"V{8 * X.shape[1]}").ravel()
    _, groups = np.unique(as_bytes, return_inverse=True)
    return groups.astype(np.int64, copy=False)


def _hash(X: FloatArray) -> NDArray[np.uint64]:
    """Return a 64-bit hash of every row's bytes."""
    state = np.full(len(X), _STEP, dtype=np.uint64)
    for column in X.T:
        state ^= np.ascontiguousarray(column).view(np.uint64)
        state *= _MULTIPLIER
        state ^= state >> _HALF
        state += _STEP
    return state
