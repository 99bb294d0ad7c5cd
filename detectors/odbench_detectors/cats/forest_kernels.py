"""Numba kernels of randomised trees that tell two groups of rows apart."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from odbench.arrays import BoolArray, FloatArray
from odbench_detectors.shared.rng import WordArray, draw

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
        for i in sample:
            low, high = min(low, X[i, column]), max(high, X[i, column])
        if low == high:
            continue
        tried += 1
        u = draw(stream)
        cut = low * (1.0 - u) + high * u
        if not low <= cut < high:  # rounding must not leave a side empty
            cut = low
        all_here = np.zeros(2)
        below = np.zeros(2)
        for i in sample:
            group = np.int64(second[i])
            all_here[group] += weight[group]
            if X[i, column] <= cut:
                below[group] += weight[group]
        above = all_here - below
        gain = below[1] ** 2 / below.sum() + above[1] ** 2 / above.sum()
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
) -> None:
    """Write a tree's nodes: children lie side by side, a leaf is its own child."""
    columns = np.arange(X.shape[1]).astype(np.int32)
    waiting = np.empty((len(sample) + 1, 3), dtype=np.int64)
    waiting[0, 0], waiting[0, 1], waiting[0, 2] = 0, 0, len(sample)
    count, free = 1, 1
    while count:
        count -= 1
        node, start, stop = waiting[count, 0], waiting[count, 1], waiting[count, 2]
        rows = sample[start:stop]
        firsts = seconds = 0
        for i in rows:
            seconds += second[i]
        firsts = len(rows) - seconds
        mass = firsts * weight[0] + seconds * weight[1]
        share[node] = seconds * weight[1] / mass
        column[node], cut[node], child[node] = 0, np.inf, node
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
        column[node], cut[node], child[node] = chosen, threshold, free
        waiting[count, 0], waiting[count, 1], waiting[count, 2] = free, start, middle
        count += 1
        waiting[count, 0], waiting[count, 1], waiting[count, 2] = free + 1, middle, stop
        count += 1
        free += 2


@njit(cache=True, nogil=True)
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
    n = len(X)
    second = np.arange(n) >= n_first
    take = (min(n_first // 2, most), min((n - n_first) // 2, most))
    take = (max(take[0], 1), max(take[1], 1))
    weight = np.array([1.0 / take[0], 1.0 / take[1]])
    order = np.arange(n).astype(np.int32)
    sample = np.empty(take[0] + take[1], dtype=np.int32)
    room = 2 * len(sample) + 1
    column, child = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32)
    cut, share = np.empty(room), np.empty(room)
    total, times = np.zeros(n), np.zeros(n)
    is_in = np.zeros(n, dtype=np.bool_)
    stream = np.empty(1, dtype=np.uint64)
    stream[0] = np.uint64(seed)
    for _ in range(trees):
        _choose(stream, order, 0, n_first, take[0])
        _choose(stream, order, n_first, n, take[1])
        for i in range(take[0]):
            sample[i] = order[i]
        for i in range(take[1]):
            sample[take[0] + i] = order[n_first + i]
        is_in[:] = False
        for row in sample:
            is_in[row] = True
        _grow(
            X, sample, second, weight, smallest, tries, stream,
            column, cut, child, share,
        )  # fmt: skip
        for i in range(n):
            if is_in[i]:
                continue
            node = 0
            while child[node] != node:
                node = int(child[node]) + int(X[i, column[node]] > cut[node])
            total[i] += share[node]
            times[i] += 1.0
    for i in range(n):
        total[i] = total[i] / times[i] if times[i] else 0.5
    return total
