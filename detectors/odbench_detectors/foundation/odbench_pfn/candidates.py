"""Compare rows with their candidates, the nearest context rows."""

from __future__ import annotations

import numpy as np
from numba import njit

from odbench.arrays import FloatArray
from odbench_detectors.shared.neighbours.distinct import Int32Array


@njit(cache=True, nogil=True)
def manhattan(rows: FloatArray, context: FloatArray, near: Int32Array) -> FloatArray:
    """Return the mean absolute difference to each candidate, (n_rows, k).

    Parameters
    ----------
    rows : float64 array of shape (n_rows, d)
    context : float64 array of shape (n, d)
    near : int32 array of shape (n_rows, k)
        Indices of context rows.
    """
    n, k = near.shape
    d = rows.shape[1]
    found = np.empty((n, k))
    for i in range(n):
        for c in range(k):
            other, total = near[i, c], 0.0
            for j in range(d):
                total += abs(rows[i, j] - context[other, j])
            found[i, c] = total / d
    return found


@njit(cache=True, nogil=True)
def fewest_changes(
    rows: FloatArray, context: FloatArray, near: Int32Array
) -> FloatArray:
    """Return the least share of columns that differ from a candidate, (n_rows,)."""
    n, k = near.shape
    d = rows.shape[1]
    found = np.empty(n)
    for i in range(n):
        least = d
        for c in range(k):
            other, count = near[i, c], 0
            for j in range(d):
                count += rows[i, j] != context[other, j]
            least = min(least, count)
        found[i] = least / d
    return found


@njit(cache=True, nogil=True)
def differences(
    rows: FloatArray, context: FloatArray, near: Int32Array, k: int
) -> FloatArray:
    """Return each column's mean absolute difference to the first k candidates.

    Of shape (n_rows, d).
    """
    n, d = rows.shape
    found = np.zeros((n, d))
    for i in range(n):
        for c in range(k):
            other = near[i, c]
            for j in range(d):
                found[i, j] += abs(rows[i, j] - context[other, j])
        for j in range(d):
            found[i, j] /= k
    return found
