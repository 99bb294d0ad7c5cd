"""Numba kernels of randomised trees that tell two groups of rows apart."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench_detectors.shared.rng import WordArray, draw
from odbench_detectors.shared.views import read_only

Int32Array = NDArray[np.int32]


@njit(cache=True, nogil=True)
def _choose(
    stream: WordArray, order: Int32Array, start: int, stop: int, wanted: int
) -> None:
    """Move `wanted` random entries of ``order[start:stop]`` to its beginning."""
    for i in range(wanted):
        j = start + i + int(draw(stream) * (stop - start - i))
        order[start + i], order[j] = order[j], order[start + i]


@njit(cache=True, nogil=True)
def _best_split(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    sample: Int32Array,
    second: BoolArray,
    weight: FloatArray,
    columns: Int32Array,
    tries: int,
    stream: WordArray,
) -> tuple[int, float]:
    """Return the column and the threshold of the best of some random splits, or -1.

    Splits are compared by the sum over both sides of (weight of the second group)² /
    weight, which is the Gini criterion.
    """
    best, best_column, best_cut = -1.0, -1, 0.0
    left, tried = len(columns), 0
    while left and tried < tries:
        at = int(draw(stream) * left)
        left -= 1
        columns[at], columns[left] = columns[left], columns[at]
        column = columns[left]
        low = high = X[sample[0], column]
        for p in range(len(sample)):
            value = X[sample[p], column]
            low = min(low, value)
            high = max(high, value)
        if low == high:
            continue
        tried += 1
        u = draw(stream)
        cut = low * (1.0 - u) + high * u
        if not low <= cut < high:  # rounding must not leave a side empty
            cut = low
        first_all = second_all = first_below = second_below = 0.0
        for p in range(len(sample)):
            i = sample[p]
            is_below = X[i, column] <= cut
            if second[i]:
                second_all += weight[1]
                second_below += weight[1] if is_below else 0.0
            else:
                first_all += weight[0]
                first_below += weight[0] if is_below else 0.0
        first_above, second_above = first_all - first_below, second_all - second_below
        gain = second_below * second_below / (first_below + second_below)
        gain += second_above * second_above / (first_above + second_above)
        if gain > best:
            best, best_column, best_cut = gain, column, cut
    return best_column, best_cut


@njit(cache=True, nogil=True)
def _grow(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    sample: Int32Array,
    second: BoolArray,
    weight: FloatArray,
    smallest: int,
    tries: int,
    stream: WordArray,
    column: Int32Array,
    cut: FloatArray,
    child: Int32Array,
    share: FloatArray,
    columns: Int32Array,
    waiting: IntArray,
) -> None:
    """Write a tree's nodes: children lie side by side, a leaf is its own child."""
    for j in range(len(columns)):
        columns[j] = j
    waiting[0, 0] = waiting[0, 1] = 0
    waiting[0, 2] = len(sample)
    count, free = 1, 1
    while count:
        count -= 1
        node, start, stop = waiting[count, 0], waiting[count, 1], waiting[count, 2]
        rows = sample[start:stop]
        firsts = seconds = 0
        for p in range(len(rows)):
            seconds += second[rows[p]]
        firsts = len(rows) - seconds
        mass = firsts * weight[0] + seconds * weight[1]
        share[node] = seconds * weight[1] / mass
        column[node] = 0
        cut[node] = np.inf
        child[node] = node
        if not firsts or not seconds or len(rows) < 2 * smallest:
            continue
        chosen, threshold = _best_split(X, rows, second, weight, columns, tries, stream)
        if chosen < 0:
            continue
        middle = start
        for p in range(start, stop):
            if X[sample[p], chosen] <= threshold:
                sample[p], sample[middle] = sample[middle], sample[p]
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
    room = 2 * sum(sizes) + 1
    total = np.zeros(n)
    _add_trees(
        read_only(X), trees, smallest, tries,
        np.array([0, n_first, n]), np.array(sizes), 1.0 / np.array(sizes),
        np.arange(n) >= n_first, np.array([seed], dtype=np.uint64),
        np.arange(n, dtype=np.int32), np.empty(sum(sizes), dtype=np.int32),
        np.empty(n, dtype=np.bool_), np.empty(room, dtype=np.int32), np.empty(room),
        np.empty(room, dtype=np.int32), np.empty(room), np.empty(d, dtype=np.int32),
        np.empty((sum(sizes) + 1, 3), dtype=np.int64), np.zeros(n), total,
    )  # fmt: skip
    return total


@njit(cache=True, nogil=True)
def _add_trees(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    trees: int,
    smallest: int,
    tries: int,
    starts: IntArray,
    sizes: IntArray,
    weight: FloatArray,
    second: BoolArray,
    stream: WordArray,
    order: Int32Array,
    sample: Int32Array,
    is_in: BoolArray,
    column: Int32Array,
    cut: FloatArray,
    child: Int32Array,
    share: FloatArray,
    columns: Int32Array,
    waiting: IntArray,
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
        _grow(
            X, sample, second, weight, smallest, tries, stream,
            column, cut, child, share, columns, waiting,
        )  # fmt: skip
        for i in range(len(X)):
            if is_in[i]:
                continue
            node = 0
            while child[node] != node:
                node = int(child[node]) + int(X[i, column[node]] > cut[node])
            total[i] += share[node]
            times[i] += 1.0
    for i in range(len(X)):
        total[i] = total[i] / times[i] if times[i] else 0.5
