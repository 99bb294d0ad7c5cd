"""Numba kernels on sorted columns: transposing, skewness."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.views import read_only

# Rows transposed together: few enough to stay in the L1 cache.
_ROWS = 32
# A power of two, so that scaling by it is exact.
TINY = 2.0**-900


@kernel()
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


@kernel()
def skewness(values: NDArray[Any], symmetric: float, out: FloatArray) -> None:
    """Third standardised moment of sorted columns.

    Computed over sorted values, so that it does not depend on the order of rows;
    centred on the median, which is within one standard deviation of the mean, so that
    one pass suffices; scaled by the range, so that powers do not overflow.

    Parameters
    ----------
    values : array of shape (n_columns, n_rows)
        Ascending, finite.
    symmetric : float
        Below this magnitude the result is 0.
    out : float64 array of shape (n_columns,)
        Overwritten.
    """
    n = values.shape[1]
    for j in range(values.shape[0]):
        low = np.float64(values[j, 0])
        high = np.float64(values[j, n - 1])
        out[j] = 0.0
        if low == high:
            continue
        # Halved, because high - low may overflow; and 1 / (high - low) may as well.
        by = 0.5 if high / 2 - low / 2 > TINY else 1 / TINY
        centre = np.float64(values[j, n // 2]) * by
        s1, s2, s3 = _moments(values[j], by, centre, 1 / (high * by - low * by))
        mean = s1 / n
        m2 = s2 / n - mean * mean
        m3 = s3 / n - mean * (3 * s2 / n - 2 * mean * mean)
        if m2 > 0.0 and abs(m3) > symmetric * m2 * np.sqrt(m2):
            out[j] = m3 / (m2 * np.sqrt(m2))


# reassoc allows vectorised sums without changing the meaning of infinities and NaN.
@helper(fastmath={"reassoc", "contract"})
def _moments(
    column: NDArray[Any], by: float, centre: float, unit: float
) -> tuple[float, float, float]:
    """Sum first, second and third powers of ``(x * by - centre) * unit``."""
    s1 = 0.0
    s2 = 0.0
    s3 = 0.0
    # By index: numba does not vectorise a loop over the values themselves.
    for i in range(column.shape[0]):
        z = (np.float64(column[i]) * by - centre) * unit
        square = z * z
        s1 += z
        s2 += square
        s3 += square * z
    return s1, s2, s3


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
        A value outside the edges belongs to the nearest bin if it is at most this many
        bin widths away; beyond, it gets the column's largest surprise.
    X : array of shape (n_rows, n_columns)
    scores : float64 array of shape (n_rows,)
        Added to. NaN where a row has NaN or infinity.
    """
    _add_histograms(edges, surprise, surprise.max(axis=1), tol, read_only(X), scores)


@kernel()
def _add_histograms(  # noqa: PLR0917 - numba passes by position
    edges: FloatArray,
    surprise: FloatArray,
    largest: FloatArray,
    tol: float,
    X: NDArray[Any],
    scores: FloatArray,
) -> None:
    n_rows, n_columns = X.shape
    n_bins = surprise.shape[1]
    for i in range(n_rows):
        total = 0.0
        for j in range(n_columns):
            x = X[i, j]
            low = edges[j, 0]
            high = edges[j, n_bins]
            if not np.isfinite(x):
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
                # Rounding can be off by one bin, so compare with the edges.
                while x <= edges[j, b]:
                    b -= 1
                while x > edges[j, b + 1]:
                    b += 1
                total += surprise[j, b]
        scores[i] += total
