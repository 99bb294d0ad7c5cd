"""Build a balanced k-d tree, whose leaves are laid out for vector instructions."""

from __future__ import annotations

from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.neighbours.distinct import IndexArray
from odbench_detectors.shared.views import read_only

Split = tuple[IndexArray, IndexArray, FloatArray, FloatArray, IndexArray]
Tree = tuple[IndexArray, IndexArray, FloatArray, FloatArray, IndexArray, FloatArray]

LEAF = 48
# Leaves are padded to a multiple of this, so that vector loops have no remainder.
_LANES = 8
# Number of a node's rows that choose its widest column.
_SAMPLE = 64
# Number of columns that a leaf is filled with at once.
_COLUMNS = 8


def build(rows: FloatArray, size: int) -> Tree:
    """Build a tree with `split`, and lay out the rows of its leaves.

    Parameters
    ----------
    rows, size
        As in `split`.

    Returns
    -------
    order, starts, low, high, cuts
        As from `split`.
    leaves : float64 array of shape (leaves, d, width)
        The rows of each leaf, column by column, padded with infinity.
    """
    order, starts, low, high, cuts = split(rows, size)
    ends = starts[len(cuts) :]
    fullest = int((ends[:, 1] - ends[:, 0]).max())
    width = -(-fullest // _LANES) * _LANES
    leaves = np.empty((len(ends), rows.shape[1], width))
    _fill(read_only(rows), order, ends, leaves)
    return order, starts, low, high, cuts, leaves


def split(rows: FloatArray, size: int) -> Split:
    """Build a balanced tree, split at the median of each node's widest column.

    The widest column of a large node is that of evenly spaced rows.

    Parameters
    ----------
    rows : float64 array of shape (m, d)
        Distinct rows, C-contiguous, m > 0.
    size : int
        Maximum number of rows per leaf.

    Returns
    -------
    order : intp array of shape (m,)
        Rows in the tree's order.
    starts : intp array of shape (nodes, 2)
        Start and stop of each node's rows in `order`.
    low, high : float64 arrays of shape (nodes, d)
        The bounding box of each node.
    cuts : intp array of shape (nodes - leaves,)
        The column by which each inner node is split.
    """
    m, d = rows.shape
    n_leaves = 1
    while n_leaves * size < m:
        n_leaves *= 2
    nodes = 2 * n_leaves - 1
    order = np.arange(m)
    starts = np.zeros((nodes, 2), dtype=np.intp)
    starts[0, 1] = m
    low, high = np.empty((nodes, d)), np.empty((nodes, d))
    cuts = np.empty(n_leaves - 1, dtype=np.intp)
    _split(read_only(rows), order, starts, low, high, cuts)
    return order, starts, low, high, cuts


# Kernels get their arrays from outside, and assign values, never slices: numba would
# compile its own versions of NumPy's functions and error messages along with them.
@kernel()
def _split(  # noqa: PLR0917 - numba passes by position
    rows: FloatArray,
    order: IndexArray,
    starts: IndexArray,
    low: FloatArray,
    high: FloatArray,
    cuts: IndexArray,
) -> None:
    """Fill the nodes: their rows in `order`, their boxes and cuts."""
    inner = len(cuts)
    for node in range(inner):
        start, stop = starts[node, 0], starts[node, 1]
        step = max(1, (stop - start) // _SAMPLE)
        _bound(rows, order, start, stop, step, low[node], high[node])
        middle = (start + stop) // 2
        cuts[node] = _widest(low[node], high[node])
        _partition(rows[:, cuts[node]], order, start, stop - 1, middle)
        left, right = 2 * node + 1, 2 * node + 2
        starts[left, 0], starts[left, 1] = start, middle
        starts[right, 0], starts[right, 1] = middle, stop
    # Not a literal, which is another type and would be compiled for once more.
    every: Any = np.int64(1)
    for leaf in range(inner, len(low)):
        start, stop = starts[leaf, 0], starts[leaf, 1]
        _bound(rows, order, start, stop, every, low[leaf], high[leaf])
    for node in range(inner - 1, -1, -1):
        left, right = 2 * node + 1, 2 * node + 2
        for j in range(low.shape[1]):
            low[node, j] = min(low[left, j], low[right, j])
            high[node, j] = max(high[left, j], high[right, j])


@helper()
def _bound(  # noqa: PLR0917 - numba passes by position
    rows: FloatArray,
    order: IndexArray,
    start: int,
    stop: int,
    step: int,
    low: FloatArray,
    high: FloatArray,
) -> None:
    """Write the box of every `step`-th row."""
    for j in range(len(low)):
        low[j] = high[j] = rows[order[start], j]
    for p in range(start + step, stop, step):
        row = rows[order[p]]
        for j in range(len(low)):
            low[j] = min(low[j], row[j])
            high[j] = max(high[j], row[j])


@helper()
def _widest(low: FloatArray, high: FloatArray) -> int:
    """Return the column with the largest range in a box."""
    column, widest = 0, -1.0
    for j in range(len(low)):
        width = high[j] - low[j]
        if width > widest:
            column, widest = j, width
    return column


@kernel()
def _fill(
    rows: FloatArray, order: IndexArray, ends: IndexArray, leaves: FloatArray
) -> None:
    """Copy the rows of each leaf, column by column, and pad them with infinity."""
    d, width = leaves.shape[1], leaves.shape[2]
    for leaf in range(len(ends)):
        start, stop = ends[leaf, 0], ends[leaf, 1]
        # A few columns at once, whose values share a line of the cache.
        for first in range(0, d, _COLUMNS):
            last = min(first + _COLUMNS, d)
            for p in range(start, stop):
                for j in range(first, last):
                    leaves[leaf, j, p - start] = rows[order[p], j]
            for j in range(first, last):
                for p in range(stop - start, width):
                    leaves[leaf, j, p] = np.inf


@helper()
def _partition(
    values: FloatArray, order: IndexArray, left: int, right: int, middle: int
) -> None:
    """Partition so that position `middle` is in sorted order (quickselect)."""
    while left < right:
        a = values[order[left]]
        b = values[order[(left + right) // 2]]
        c = values[order[right]]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = left, right
        while i <= j:
            while values[order[i]] < pivot:
                i += 1
            while values[order[j]] > pivot:
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            right = j
        elif middle >= i:
            left = i
        else:
            return
