"""Means over neighbours that do not depend on the memory layout."""

from __future__ import annotations

from odbench.arrays import FloatArray


def mean_of_columns(values: FloatArray) -> FloatArray:
    """Return the mean of each row, summed from left to right.

    NumPy's order of summation depends on the memory layout, and the same neighbours
    may be an array of their own or the first columns of a larger one.
    """
    total = values[:, 0].copy()
    for column in range(1, values.shape[1]):
        total += values[:, column]
    mean: FloatArray = total / values.shape[1]
    return mean
