"""An exact k-d tree whose leaves are scanned with vector instructions.

Every distance is summed over columns in ascending order, with one rounding per step,
and the lower bound of a box is summed in the same order. Rounding is monotone, so the
computed bound of a box never exceeds the computed distance of a row in it. Therefore
results are exact including ties, not just up to an epsilon.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench_detectors.shared.neighbours.distinct import Int32Array
from odbench_detectors.shared.neighbours.heap import clear, drain, push
from odbench_detectors.shared.views import read_only

IndexArray = NDArray[np.intp]

LEAF = 32
# Number of columns between two checks whether a leaf can be abandoned.
_STRIDE = 8
# Leaves are padded to a multiple of this, so that vector loops have no remainder.
_LANES = 8


def build(
    rows: FloatArray, size: int
) -> tuple[IndexArray, IndexArray, FloatArray, FloatArray, FloatArray]:
    """Build a balanced tree, split at the median of each node's widest column.

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
    starts : intp array of shape (nodes + 1, 2)
        Start and stop of each node's rows in `order`.
    low, high : float64 arrays of shape (nodes, d)
        The bounding box of each node.
    leaves : float64 array of shape (leaves, d, width)
        The rows of each leaf, column by column, padded with infinity.
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
    rows = read_only(rows)
    _split(rows, order, starts, low, high)
    ends = starts[n_leaves - 1 :]
    fullest = int((ends[:, 1] - ends[:, 0]).max())
    width = -(-fullest // _LANES) * _LANES
    leaves = np.full((n_leaves, d, width), np.inf)
    _fill(rows, order, ends, leaves)
    return order, starts, low, high, leaves


# Kernels get their arrays from outside, and assign values, never slices: numba would
# compile its own versions of NumPy's functions and error messages along with them.
@njit(cache=True, nogil=True)
def _split(
    rows: FloatArray,
    order: IndexArray,
    starts: IndexArray,
    low: FloatArray,
    high: FloatArray,
) -> None:
    """Fill the nodes: their rows in `order`, and their boxes."""
    inner = len(low) // 2
    for node in range(len(low)):
        start, stop = starts[node, 0], starts[node, 1]
        _bound(rows, order, start, stop, low[node], high[node])
        if node >= inner:
            continue
        middle = (start + stop) // 2
        column = rows[:, _widest(low[node], high[node])]
        _partition(column, order, start, stop - 1, middle)
        left, right = 2 * node + 1, 2 * node + 2
        starts[left, 0], starts[left, 1] = start, middle
        starts[right, 0], starts[right, 1] = middle, stop


@njit(cache=True, nogil=True)
def _bound(  # noqa: PLR0917 - numba passes by position
    rows: FloatArray,
    order: IndexArray,
    start: int,
    stop: int,
    low: FloatArray,
    high: FloatArray,
) -> None:
    for j in range(len(low)):
        low[j] = high[j] = rows[order[start], j]
    for p in range(start + 1, stop):
        row = rows[order[p]]
        for j in range(len(low)):
            low[j] = min(low[j], row[j])
            high[j] = max(high[j], row[j])


@njit(cache=True, nogil=True)
def _widest(low: FloatArray, high: FloatArray) -> int:
    """Return the column with the largest range in a box."""
    column, widest = 0, -1.0
    for j in range(len(low)):
        width = high[j] - low[j]
        if width > widest:
            column, widest = j, width
    return column


@njit(cache=True, nogil=True)
def _fill(
    rows: FloatArray, order: IndexArray, ends: IndexArray, leaves: FloatArray
) -> None:
    """Copy the rows of each leaf, column by column."""
    for leaf in range(len(ends)):
        start = ends[leaf, 0]
        for p in range(start, ends[leaf, 1]):
            for j in range(rows.shape[1]):
                leaves[leaf, j, p - start] = rows[order[p], j]


@njit(cache=True, nogil=True)
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


def near_order(queries: FloatArray, low: FloatArray, high: FloatArray) -> IndexArray:
    """Order queries by their nearest leaf, so that the cache is reused."""
    leaf = np.empty(len(queries), dtype=np.intp)
    _near_leaf(queries, low, high, leaf)
    return np.argsort(leaf, kind="stable")


@njit(cache=True, nogil=True)
def _near_leaf(
    queries: FloatArray, low: FloatArray, high: FloatArray, leaf: IndexArray
) -> None:
    inner = len(low) // 2
    for q in range(len(queries)):
        query, node = queries[q], 0
        while node < inner:
            left, right = 2 * node + 1, 2 * node + 2
            a = _gap(query, low, high, left, False)
            b = _gap(query, low, high, right, False)
            node = left if a <= b else right
        leaf[q] = node


# Pass whole arrays with an index, because a slice costs more than the work on it.
@njit(cache=True, nogil=True, inline="always")
def _gap(
    query: FloatArray, low: FloatArray, high: FloatArray, node: int, manhattan: bool
) -> float:
    """Return the minimum distance from a query to a box, squared unless `manhattan`."""
    total = 0.0
    for j in range(len(query)):
        gap = max(low[node, j] - query[j], query[j] - high[node, j], 0.0)
        total += gap if manhattan else gap * gap
    return total


@njit(cache=True, nogil=True)
def _scan(  # noqa: PLR0917 - numba passes by position
    query: FloatArray,
    leaves: FloatArray,
    leaf: int,
    manhattan: bool,
    upper_bound: float,
    sums: FloatArray,
) -> int:
    """Sum the distances (squared unless `manhattan`) from a query to a leaf's rows.

    Stops when all exceed `upper_bound`; returns how many columns were summed.
    """
    for p in range(len(sums)):
        sums[p] = 0.0
    d = len(query)
    for first in range(0, d, _STRIDE):
        last = min(first + _STRIDE, d)
        for j in range(first, last):
            x = query[j]
            if manhattan:
                for p in range(len(sums)):
                    sums[p] += abs(x - leaves[leaf, j, p])
            else:
                for p in range(len(sums)):
                    difference = x - leaves[leaf, j, p]
                    sums[p] += difference * difference
        if last < d and not _any_within(sums, upper_bound):
            return last
    return d


@njit(cache=True, nogil=True)
def _any_within(sums: FloatArray, upper_bound: float) -> bool:
    within = 0
    for p in range(len(sums)):
        within += sums[p] <= upper_bound
    return within > 0


@njit(cache=True, nogil=True)
def search(  # noqa: PLR0917 - numba passes by position
    queries: FloatArray,
    chosen: IndexArray,
    order: IndexArray,
    starts: IndexArray,
    low: FloatArray,
    high: FloatArray,
    leaves: FloatArray,
    offsets: Int32Array,
    members: Int32Array,
    manhattan: bool,
    distances: FloatArray,
    rows: Int32Array,
) -> float:
    """Find the nearest rows of some queries.

    Parameters
    ----------
    queries : float64 array of shape (n, d)
    chosen : intp array
        The queries to answer, in this order.
    order, starts, low, high, leaves
        The tree of `build`.
    offsets, members : int32 arrays
        The table's rows equal to each row of the tree (`members_of`).
    manhattan : bool
        Use absolute differences instead of squares.
    distances, rows : arrays of shape (n, k), float64 and int32
        Filled at `chosen`: ascending by distance, then by row. Squared unless
        `manhattan`.
        k must not exceed the number of rows.

    Returns
    -------
    float
        The number of the table's values that were visited.
    """
    d, k = queries.shape[1], distances.shape[1]
    inner = len(starts) // 2
    far, row = np.empty(k), np.empty(k, dtype=np.int32)
    sums = np.empty(leaves.shape[2])
    stack, gaps = np.empty(128, dtype=np.intp), np.empty(128)
    seen = 0.0
    for q in chosen:
        query = queries[q]
        clear(far, row)
        stack[0], gaps[0] = 0, 0.0
        depth = 1
        while depth:
            depth -= 1
            node = stack[depth]
            upper_bound = far[0]
            if gaps[depth] > upper_bound:
                continue
            while node < inner:
                near, distant = 2 * node + 1, 2 * node + 2
                a = _gap(query, low, high, near, manhattan)
                b = _gap(query, low, high, distant, manhattan)
                if b < a:
                    near, distant = distant, near
                    a, b = b, a
                stack[depth], gaps[depth] = distant, b
                depth += b <= upper_bound
                node = near if a <= upper_bound else len(starts)
            if node == len(starts):
                continue
            columns = _scan(query, leaves, node - inner, manhattan, upper_bound, sums)
            start, stop = starts[node, 0], starts[node, 1]
            seen += columns * (stop - start)
            if columns < d or not _any_within(sums, upper_bound):
                continue
            for p in range(stop - start):
                if sums[p] <= far[0]:
                    u = order[start + p]
                    push(far, row, sums[p], members, offsets[u], offsets[u + 1])
        drain(far, row, distances[q], rows[q])
    return seen
