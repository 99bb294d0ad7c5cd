"""Numba kernels that locate values in ascending ones, without branches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.views import read_only

Places = NDArray[np.uint64]

# Number of interleaved searches, because a single one waits for memory at each step.
LANES = 16
ONE = np.uint64(1)


@helper()
def below(ordered: FloatArray, x: FloatArray, place: Places) -> None:
    """Count the values of `ordered`, at least one, that are below each x.

    Uses the sign of a difference, because the compiler turns a comparison into a branch
    that is mispredicted half of the time. Zeros in x must be -0.0, so that no zero is
    below another.
    """
    for r in range(LANES):
        place[r] = np.uint64(0)
    size = np.uint64(len(ordered))
    while size > ONE:
        half = size >> ONE
        for r in range(LANES):
            away = ordered[place[r] + half - ONE] - x[r]
            place[r] += np.uint64(np.float64(away).view(np.int64) >> 63) & half
        size -= half
    for r in range(LANES):
        away = ordered[place[r]] - x[r]
        place[r] += np.uint64(np.float64(away).view(np.int64) >> 63) & ONE


@helper()
def not_above(ordered: FloatArray, x: FloatArray, place: Places) -> None:
    """Count the values that are not above each x, like `below`; zeros are -0.0."""
    for r in range(LANES):
        place[r] = np.uint64(0)
    size = np.uint64(len(ordered))
    while size > ONE:
        half = size >> ONE
        for r in range(LANES):
            away = (x[r] + 0.0) - ordered[place[r] + half - ONE]
            place[r] += np.uint64(~(np.float64(away).view(np.int64) >> 63)) & half
        size -= half
    for r in range(LANES):
        away = (x[r] + 0.0) - ordered[place[r]]
        place[r] += np.uint64(~(np.float64(away).view(np.int64) >> 63)) & ONE


@helper()
def zero_below(x: float) -> float:
    """Return x, with -0.0 instead of 0.0."""
    return -(-x + 0.0)


def below_each(ordered: FloatArray, values: FloatArray) -> IntArray:
    """Count, for each query, the ascending values that are below it."""
    return below_columns(ordered[None], values[:, None])[:, 0]


def below_columns(ordered: FloatArray, values: FloatArray) -> IntArray:
    """Count, for each value, those of its column that are below it.

    Parameters
    ----------
    ordered : float64 array of shape (d, n)
        Ascending along each row; n is at least 1.
    values : float64 array of shape (m, d)

    Returns
    -------
    int64 array of shape (m, d)
    """
    counts = np.empty(values.shape, dtype=np.int64)
    x, place = np.zeros(LANES), np.empty(LANES, dtype=np.uint64)
    _below_columns(read_only(ordered), read_only(values), x, place, counts)
    return counts


@kernel()
def _below_columns(
    ordered: FloatArray,
    values: FloatArray,
    x: FloatArray,
    place: Places,
    counts: IntArray,
) -> None:
    m, d = values.shape
    for j in range(d):
        for start in range(0, m, LANES):
            count = min(LANES, m - start)
            for r in range(count):
                x[r] = zero_below(values[start + r, j])
            below(ordered[j], x, place)
            for r in range(count):
                counts[start + r, j] = place[r]
