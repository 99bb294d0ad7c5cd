"""Means over neighbours that are the same for every memory layout."""

from __future__ import annotations

from odbench.arrays import FloatArray


def mean_of_columns(values: FloatArray) -> FloatArray:
    """Return the mean of each row, summed from left to right.

    NumPy sums in another order for another memory layout, and the same neighbours
    come as an array of their own or as the first columns of a larger one.
    """
    total = values[:, 0].copy()
    for column in range(1, values.shape[1]):
        total += values[:, column]
    mean: FloatArray = total / values.shape[1]
    return mean
