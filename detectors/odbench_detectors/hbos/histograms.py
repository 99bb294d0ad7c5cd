"""Histograms of columns: edges, counts and densities, also of columns in parts."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.shared.columns import Floats, SortedColumns

_LARGEST = float(np.finfo(np.float64).max)
_FAR = _LARGEST / 4


def histograms(columns: SortedColumns, n_bins: int) -> tuple[FloatArray, FloatArray]:
    """Histogram of every column, by binary search of the edges.

    Parameters
    ----------
    columns : SortedColumns
        All n rows, not a sketch.
    n_bins : int
        Bins of equal width; see `bin_edges`.

    Returns
    -------
    edges : float64 array of shape (n_columns, n_bins + 1)
    density : float64 array of shape (n_columns, n_bins)
        Bins are closed on the left, the last on both sides; each row integrates to 1.
    """
    edges = bin_edges(columns.values[:, 0], columns.values[:, -1], n_bins)
    below = count_below(columns, edges)
    return edges, densities(below, edges, columns.n_rows)


def bin_edges(lows: Floats, highs: Floats, n_bins: int) -> FloatArray:
    """Return the edges of every column's bins.

    Parameters
    ----------
    lows, highs : arrays of shape (n_columns,)
        Lowest and highest value of each column; finite.
    n_bins : int
        Bins of equal width between a column's ends; a constant column gets a range
        of width 1 around its value, and so does one whose bins would be no wider than
        rounding. If values are so large that 1 is itself below rounding, bins are two
        rounding errors wide.

    Returns
    -------
    float64 array of shape (n_columns, n_bins + 1)
    """
    edges = np.empty((len(lows), n_bins + 1))
    for j in range(len(lows)):
        low, high = _range(float(lows[j]), float(highs[j]), n_bins)
        edges[j] = np.linspace(low, high, n_bins + 1)
    return edges


def count_below(columns: SortedColumns, edges: FloatArray) -> IntArray:
    """Count the rows below each edge but the last; counts of parts may be added.

    Parameters
    ----------
    columns : SortedColumns
        All rows, or a part of them.
    edges : float64 array of shape (n_columns, n_bins + 1)

    Returns
    -------
    int64 array of shape (n_columns, n_bins)
    """
    below = np.empty((len(edges), edges.shape[1] - 1), dtype=np.int64)
    for j, column in enumerate(columns.values):
        below[j] = np.searchsorted(column, edges[j, :-1], side="left")
    return below


def densities(below: IntArray, edges: FloatArray, n_rows: int) -> FloatArray:
    """Return the density of every bin, of shape (n_columns, n_bins).

    Parameters
    ----------
    below : int64 array of shape (n_columns, n_bins)
        From `count_below`, of all rows.
    edges : float64 array of shape (n_columns, n_bins + 1)
    n_rows : int
        Number of rows.
    """
    counts = np.diff(below, axis=1, append=n_rows)
    found: FloatArray = counts / np.diff(edges, axis=1) / n_rows
    return found


def _range(low: float, high: float, n_bins: int) -> tuple[float, float]:
    """Return the ends of a column's histogram, far enough apart for distinct edges."""
    # The difference of ends farther out might overflow.
    low, high = (min(max(end, -_FAR), _FAR) for end in (low, high))
    rounding = 2 * n_bins * float(np.spacing(max(abs(low), abs(high))))
    # A larger density would overflow.
    if high - low > max(rounding, n_bins / _LARGEST):
        return low, high
    half = max(0.5, rounding / 2)
    return low - half, high + half
