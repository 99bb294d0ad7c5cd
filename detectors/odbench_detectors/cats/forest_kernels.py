"""Numba kernels of randomised trees that tell two groups of rows apart."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench_detectors.shared.rng import Int32Array, WordArray, draw
from odbench_detectors.shared.views import read_only

IndexArray = NDArray[np.uint32]


@njit(cache=True, nogil=True)
def _choose(
    stream: WordArray, order: Int32Array, start: int, stop: int, wanted: int
) -> None:
    """Move `wanted` random entries of ``order[start:stop]`` to its beginning."""
    for i in range(wanted):
        j = start + i + int(draw(stream) * (stop - start - i))
        order[start + i], order[j] = order[j], order[start + i]


@njit(cache=True, nogil=True)
def _copy_columns(X: FloatArray, sample: Int32Array, values: FloatArray) -> None:
    """Write a tree's rows to `values`, each column together, as it is read."""
    for p in range(len(sample)):
        row = X[sample[p]]
        for j in range(len(row)):
            values[j, p] = row[j]


@njit(cache=True, nogil=True)
def _count_below(
    value: FloatArray, second: IntArray, size: int, cut: float
) -> tuple[int, int]:
    """Count the values up to the cut among the first `size`, for either group.

    `second` is 1 for rows of the second group, else 0.
    """
    below = seconds = 0
    for p in range(size):
        is_below = int(value[p] <= cut)
        below += is_below
        seconds += is_below & second[p]
    return below - seconds, seconds


@njit(cache=True, nogil=True)
def _best_split(  # noqa: PLR0917 - numba passes by position
    values: FloatArray,
    places: IndexArray,
    second: IntArray,
    masses: FloatArray,
    columns: Int32Array,
    tries: int,
    stream: WordArray,
    read: FloatArray,
) -> tuple[int, float]:
    """Return the column and the threshold of the best of some random splits, or -1.

    Splits are compared by the sum over both sides of (weight of the second group)² /
    weight, which is the Gini criterion. ``masses[g, k]`` is the weight of k rows of
    group g; `second` is 1 for rows of the second group. `read` has room for a value
    per place.
    """
    best, best_column, best_cut = -1.0, -1, 0.0
    size = len(places)
    seconds = 0
    for p in range(size):
        seconds += second[p]
    first_all, second_all = masses[0, size - seconds], masses[1, seconds]
    left, tried = len(columns), 0
    while left and tried < tries:
        at = int(draw(stream) * left)
        left -= 1
        columns[at], columns[left] = columns[left], columns[at]
        column = columns[left]
        from_column = values[column]
        low = high = from_column[places[0]]
        for p in range(size):
            value = from_column[places[p]]
            read[p] = value
            low = value if value < low else low
            high = value if value > high else high
        if low == high:
            continue
        tried += 1
        u = draw(stream)
        cut = low * (1.0 - u) + high * u
        if not low <= cut < high:  # rounding must not leave a side empty
            cut = low
        firsts, seconds = _count_below(read, second, size, cut)
        first_below, second_below = masses[0, firsts], masses[1, seconds]
        first_above, second_above = first_all - first_below, second_all - second_below
        gain = second_below * second_below / (first_below + second_below)
        gain += second_above * second_above / (first_above + second_above)
        if gain > best:
            best, best_column, best_cut = gain, column, cut
    return best_column, best_cut


@njit(cache=True, nogil=True)
def _grow(  # noqa: PLR0917 - numba passes by position
    values: FloatArray,
    n_first: int,
    weight: FloatArray,
    masses: FloatArray,
    smallest: int,
    tries: int,
    stream: WordArray,
    column: IndexArray,
    cut: FloatArray,
    child: IndexArray,
    share: FloatArray,
    columns: Int32Array,
    waiting: IntArray,
    places: IndexArray,
    second: IntArray,
    read: FloatArray,
) -> None:
    """Write a tree's nodes: children lie side by side, a leaf is its own child.

    The tree's rows are the columns of `values`, of which the first `n_first` belong to
    the first group. `places`, `second` and `read` have room for an entry per row.
    """
    for j in range(len(columns)):
        columns[j] = j
    for p in range(len(places)):
        places[p] = p
    waiting[0, 0] = waiting[0, 1] = 0
    waiting[0, 2] = len(places)
    count, free = 1, 1
    while count:
        count -= 1
        node, start, stop = waiting[count, 0], waiting[count, 1], waiting[count, 2]
        rows = places[start:stop]
        seconds = 0
        for p in range(len(rows)):
            second[p] = np.int64(rows[p] >= n_first)
            seconds += second[p]
        firsts = len(rows) - seconds
        mass = firsts * weight[0] + seconds * weight[1]
        share[node] = seconds * weight[1] / mass
        column[node] = 0
        cut[node] = np.inf
        child[node] = node
        if not firsts or not seconds or len(rows) < 2 * smallest:
            continue
        chosen, threshold = _best_split(
            values, rows, second, masses, columns, tries, stream, read
        )
        if chosen < 0:
            continue
        middle = start
        for p in range(start, stop):
            if values[chosen, places[p]] <= threshold:
                places[p], places[middle] = places[middle], places[p]
                middle += 1
        if min(middle - start, stop - middle) < smallest:
            continue
        column[node] = chosen
        cut[node] = threshold
        child[node] = free
        waiting[count, 0] = free
        waiting[count, 1] = start
        waiting[count, 2] = middle
        waiting[count + 1, 0] = free + 1
        waiting[count + 1, 1] = middle
        waiting[count + 1, 2] = stop
        count += 2
        free += 2


def out_of_bag(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    n_first: int,
    trees: int,
    most: int,
    smallest: int,
    tries: int,
    seed: int,
) -> FloatArray:
    """Return how much each row looks like the second group, by trees without the row.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        The first group's rows, then the second's.
    n_first : int
        Number of rows of the first group.
    trees : int
        Number of trees. Each is grown on half of either group, at most `most` rows.
    most, smallest : int
        Rows of a group per tree; rows per leaf.
    tries : int
        Random splits compared per node, each of another column.
    seed : int
        Seed.

    Returns
    -------
    float64 array of shape (n,)
        Mean share of the second group, both groups weighing the same, in the leaves
        of the trees that were grown without the row; from 0 to 1.
    """
    n, d = X.shape
    sizes = [max(min(size // 2, most), 1) for size in (n_first, n - n_first)]
    rows, room = sum(sizes), 2 * sum(sizes) + 1
    weight = 1.0 / np.array(sizes)
    # Summed row by row, as a sum over the rows of a node would be.
    masses = np.cumsum(np.repeat(weight[:, None], max(sizes), axis=1), axis=1)
    masses = np.column_stack([np.zeros(2), masses])
    total = np.zeros(n)
    _add_trees(
        read_only(X), trees, smallest, tries,
        np.array([0, n_first, n]), np.array(sizes), weight, masses,
        np.array([seed], dtype=np.uint64), np.arange(n, dtype=np.int32),
        np.empty(rows, dtype=np.int32), np.empty((d, rows)),
        np.empty(n, dtype=np.bool_), np.empty(room, dtype=np.uint32), np.empty(room),
        np.empty(room, dtype=np.uint32), np.empty(room), np.empty(d, dtype=np.int32),
        np.empty((rows + 1, 3), dtype=np.int64), np.empty(rows, dtype=np.uint32),
        np.empty(rows, dtype=np.int64), np.empty(rows),
        np.zeros(n), total,
    )  # fmt: skip
    return total


@njit(cache=True, nogil=True)
def _add_shares(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    is_in: BoolArray,
    column: IndexArray,
    cut: FloatArray,
    child: IndexArray,
    share: FloatArray,
    total: FloatArray,
    times: FloatArray,
) -> None:
    """Add to `total` the shares of the leaves that rows outside the tree reach."""
    for i in range(len(X)):
        if is_in[i]:
            continue
        node = np.uint32(0)
        while child[node] != node:
            node = child[node] + np.uint32(X[i, column[node]] > cut[node])
        total[i] += share[node]
        times[i] += 1.0


@njit(cache=True, nogil=True)
def _add_trees(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    trees: int,
    smallest: int,
    tries: int,
    starts: IntArray,
    sizes: IntArray,
    weight: FloatArray,
    masses: FloatArray,
    stream: WordArray,
    order: Int32Array,
    sample: Int32Array,
    values: FloatArray,
    is_in: BoolArray,
    column: IndexArray,
    cut: FloatArray,
    child: IndexArray,
    share: FloatArray,
    columns: Int32Array,
    waiting: IntArray,
    places: IndexArray,
    second: IntArray,
    read: FloatArray,
    times: FloatArray,
    total: FloatArray,
) -> None:
    """Grow trees, and turn `total` from zeros into the mean share of each row.

    Group g has rows ``starts[g]`` to ``starts[g + 1]``, ``sizes[g]`` of them per tree.
    """
    for _ in range(trees):
        for i in range(len(X)):
            is_in[i] = False
        taken = 0
        for group in range(2):
            start = starts[group]
            _choose(stream, order, start, starts[group + 1], sizes[group])
            for i in range(sizes[group]):
                sample[taken] = order[start + i]
                is_in[sample[taken]] = True
                taken += 1
        _copy_columns(X, sample, values)
        _grow(
            values, sizes[0], weight, masses, smallest, tries, stream,
            column, cut, child, share, columns, waiting, places, second, read,
        )  # fmt: skip
        _add_shares(X, is_in, column, cut, child, share, total, times)
    for i in range(len(X)):
        total[i] = total[i] / times[i] if times[i] else 0.5
