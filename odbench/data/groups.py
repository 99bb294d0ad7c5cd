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

    Rows are grouped by a 64-bit hash, and rows of one hash are then compared, so the
    result is exact even if hashes collide.

    Parameters
    ----------
    X : float64 array of shape (n, n_columns)
        Finite.

    Returns
    -------
    int64 array of shape (n,)
        Numbers from 0 without gaps; the same for two rows if and only if equal.
    """
    hashes = _hash(X)
    order = np.argsort(hashes)
    in_order = hashes[order]
    is_first = np.ones(len(order), dtype=np.bool_)
    np.not_equal(in_order[1:], in_order[:-1], out=is_first[1:])
    numbers = np.cumsum(is_first) - 1
    groups = np.empty(len(order), dtype=np.int64)
    groups[order] = numbers
    # Most rows of most tables are alone with their hash and equal to no other.
    others = order[~is_first]
    first = order[is_first][groups[others]]
    # 0.0 and -0.0 are equal here, as they are to the hash.
    if all(np.array_equal(x[others], x[first]) for x in X.T):
        return groups
    # Two rows share a hash: sort the rows themselves.
    as_bytes = np.ascontiguousarray(X + 0.0).view(f"V{8 * X.shape[1]}").ravel()
    _, groups = np.unique(as_bytes, return_inverse=True)
    return groups.astype(np.int64, copy=False)


def _hash(X: FloatArray) -> NDArray[np.uint64]:
    """Return a 64-bit hash of every row's bytes."""
    state = np.full(len(X), _STEP, dtype=np.uint64)
    shifted = np.empty_like(state)
    for column in X.T:
        # -0.0 + 0.0 is 0.0; every other value is unchanged.
        state ^= np.ascontiguousarray(column + 0.0).view(np.uint64)
        state *= _MULTIPLIER
        state ^= np.right_shift(state, _HALF, out=shifted)
        state += _STEP
    return state
