"""Compare rows with their candidates, the nearest context rows."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.kernels import kernel
from odbench_detectors.shared.neighbours.distinct import Int32Array
from odbench_detectors.shared.views import read_only


def manhattan(rows: FloatArray, context: FloatArray, near: Int32Array) -> FloatArray:
    """Return the mean absolute difference to each candidate, (n_rows, k).

    Parameters
    ----------
    rows : float64 array of shape (n_rows, d)
    context : float64 array of shape (n, d)
    near : int32 array of shape (n_rows, k)
        Indices of context rows.
    """
    found = np.empty(near.shape)
    _manhattan(read_only(rows), read_only(context), read_only(near), found)
    return found


@kernel()
def _manhattan(
    rows: FloatArray, context: FloatArray, near: Int32Array, found: FloatArray
) -> None:
    n, k = near.shape
    d = rows.shape[1]
    for i in range(n):
        for c in range(k):
            other, total = near[i, c], 0.0
            for j in range(d):
                total += abs(rows[i, j] - context[other, j])
            found[i, c] = total / d


def fewest_changes(
    rows: FloatArray, context: FloatArray, near: Int32Array
) -> FloatArray:
    """Return the least share of columns that differ from a candidate, (n_rows,)."""
    found = np.empty(len(near))
    _fewest_changes(read_only(rows), read_only(context), read_only(near), found)
    return found


@kernel()
def _fewest_changes(
    rows: FloatArray, context: FloatArray, near: Int32Array, found: FloatArray
) -> None:
    n, k = near.shape
    d = rows.shape[1]
    for i in range(n):
        least = d
        for c in range(k):
            other, count = near[i, c], 0
            for j in range(d):
                count += rows[i, j] != context[other, j]
            least = min(least, count)
        found[i] = least / d


def differences(
    rows: FloatArray, context: FloatArray, near: Int32Array, k: int
) -> FloatArray:
    """Return each column's mean absolute difference to the first k candidates.

    Of shape (n_rows, d).
    """
    found = np.zeros(rows.shape)
    _differences(read_only(rows), read_only(context), read_only(near), k, found)
    return found


@kernel()
def _differences(
    rows: FloatArray, context: FloatArray, near: Int32Array, k: int, found: FloatArray
) -> None:
    n, d = rows.shape
    for i in range(n):
        for c in range(k):
            other = near[i, c]
            for j in range(d):
                found[i, j] += abs(rows[i, j] - context[other, j])
        for j in range(d):
            found[i, j] /= k
