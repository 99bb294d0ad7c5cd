"""Numba kernels on sorted columns: transposing, skewness."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from odbench.arrays import FloatArray

# Rows that are transposed together: few enough to stay in the first cache.
_ROWS = 32


@njit(cache=True, nogil=True)
def transpose(X: NDArray[Any], out: NDArray[Any]) -> None:
    """Write a table's columns as rows.

    Parameters
    ----------
    X : array of shape (n_rows, n_columns)
        Read row by row.
    out : array of shape (n_columns, n_rows)
        Overwritten.
    """
    n_rows, n_columns = X.shape
    for first in range(0, n_rows, _ROWS):
        last = min(first + _ROWS, n_rows)
        for j in range(n_columns):
            for i in range(first, last):
                out[j, i] = X[i, j]


@njit(cache=True, nogil=True)
def skewness(values: NDArray[Any], symmetric: float, out: FloatArray) -> None:
    """Third standardised moment of sorted columns.

    Taken over sorted values, so that it does not depend on the order of rows; scaled
    by the largest magnitude, so that no power overflows.

    Parameters
    ----------
    values : array of shape (n_columns, n_rows)
        Ascending, finite.
    symmetric : float
        Below this magnitude the result is 0.
    out : float64 array of shape (n_columns,)
        Overwritten.
    """
    n_columns, n_rows = values.shape
    for j in range(n_columns):
        low = np.float64(values[j, 0])
        high = np.float64(values[j, n_rows - 1])
        out[j] = 0.0
        if low == high:
            continue
        # Halves first: high - low may overflow, and so may the sum.
        centre = low / 2 + high / 2
        unit = 1 / (high / 2 - low / 2)
        s1 = 0.0
        for i in range(n_rows):
            s1 += (values[j, i] - centre) * unit
        mean = s1 / n_rows
        m2 = 0.0
        m3 = 0.0
        for i in range(n_rows):
            z = (values[j, i] - centre) * unit - mean
            m2 += z * z
            m3 += z * z * z
        m2 /= n_rows
        m3 /= n_rows
        g = m3 / (m2 * np.sqrt(m2))
        if abs(g) > symmetric:
            out[j] = g


@njit(cache=True, nogil=True)
def add_histograms(
    edges: FloatArray,
    surprise: FloatArray,
    tol: float,
    X: NDArray[Any],
    scores: FloatArray,
) -> None:
    """Add each row's surprises by histogram to `scores`.

    Parameters
    ----------
    edges : float64 array of shape (n_columns, n_bins + 1)
        Ascending, equally spaced up to rounding.
    surprise : float64 array of shape (n_columns, n_bins)
    tol : float
        A value outside the edges takes the nearest bin up to so many bin widths away,
        and the column's largest surprise beyond.
    X : array of shape (n_rows, n_columns)
    scores : float64 array of shape (n_rows,)
        Added to. NaN where a row has one.
    """
    n_rows, n_columns = X.shape
    n_bins = surprise.shape[1]
    largest = np.empty(n_columns)
    for j in range(n_columns):
        largest[j] = surprise[j].max()
    for i in range(n_rows):
        total = 0.0
        for j in range(n_columns):
            x = X[i, j]
            low = edges[j, 0]
            high = edges[j, n_bins]
            if np.isnan(x):
                total = np.nan
            elif x <= low:
                near = low - x <= (edges[j, 1] - low) * tol
                total += surprise[j, 0] if near else largest[j]
            elif x > high:
                near = x - high <= (high - edges[j, n_bins - 1]) * tol
                total += surprise[j, n_bins - 1] if near else largest[j]
            else:
                b = int((x - low) / (high - low) * n_bins)
                b = min(b, n_bins - 1)
                # Rounding may miss by one: edges decide.
                while x <= edges[j, b]:
                    b -= 1
                while x > edges[j, b + 1]:
                    b += 1
                total += surprise[j, b]
        scores[i] += total
