"""Numba kernels that grow randomised trees, which tell two groups of rows apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.shared.kernels import helper
from odbench_detectors.shared.rng import Int32Array, WordArray, draw

IndexArray = NDArray[np.uint32]


@helper()
def choose(
    stream: WordArray, order: Int32Array, start: int, stop: int, wanted: int
) -> None:
    """Move `wanted` random entries of ``order[start:stop]`` to its beginning."""
    for i in range(wanted):
        j = start + i + int(draw(stream) * (stop - start - i))
        order[start + i], order[j] = order[j], order[start + i]


@helper()
def copy_columns(X: FloatArray, sample: Int32Array, values: FloatArray) -> None:
    """Write a tree's rows to `values`, each column together, as it is read."""
    for p in range(len(sample)):
        row = X[sample[p]]
        for j in range(len(row)):
            values[j, p] = row[j]


@helper()
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


@helper()
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


@helper()
def grow(  # noqa: PLR0917 - numba passes by position
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
