"""Isolation trees, grown and walked; compiled."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.rng import (
    Int32Array,
    WordArray,
    choose_rows,
    draw,
    first_state,
)
from odbench_detectors.shared.views import read_only

IndexArray = NDArray[np.uint32]

# Rows that descend a tree together: while one waits for memory, the others proceed.
_BLOCK = 64
# Lengths are multiples of one over this, so a sum of a million of them is exact.
_UNITS = 2.0**32


class Nodes(NamedTuple):
    """The nodes of all trees, one tree after another.

    Attributes
    ----------
    column : uint32 array
        The column that a node splits.
    cut : float64 array
        The threshold: rows with values up to it go left. Infinite in a leaf.
    child : uint32 array
        The left child; the right one follows it. A leaf is its own child, so that a
        walk ends there.
    length : float64 array
        For a leaf, its depth plus `search_depth` of its training rows; else 0.
    """

    column: IndexArray
    cut: FloatArray
    child: IndexArray
    length: FloatArray


class Forest(NamedTuple):
    """Isolation trees.

    Attributes
    ----------
    nodes : Nodes
        Their nodes.
    roots : uint32 array of shape (trees,)
        Index of each tree's root.
    heights : int32 array of shape (trees,)
        The depth of each tree's deepest leaf.
    """

    nodes: Nodes
    roots: IndexArray
    heights: Int32Array


class Work(NamedTuple):
    """Scratch space for growing a tree: random state and work arrays.

    Attributes
    ----------
    stream : uint64 array of shape (1,)
        The state of the random numbers.
    sample : int32 array of shape (samples,)
        The tree's training rows, grouped by node.
    values : float64 array of shape (samples,)
        Their values in the column that was read last.
    columns : int32 array of shape (d,)
        All columns; those known to be constant in a node come last.
    picked : int64 array of shape (samples,)
        Work array of `choose_rows`.
    waiting : int64 array of shape (levels + 2, 5)
        The nodes to grow: at most one per level, besides the current one.
    """

    stream: WordArray
    sample: Int32Array
    values: FloatArray
    columns: Int32Array
    picked: IntArray
    waiting: IntArray


@kernel()
def search_depth(rows: int) -> float:
    """Return c(rows), the mean depth of an unsuccessful search among that many.

    Rounded to a multiple of 2**-32, so that sums of lengths are exact in any order:
    equally isolated rows tie, although processors round logarithms differently.
    """
    if rows <= 1:
        return 0.0
    if rows == 2:
        return 1.0
    harmonic = math.log(rows - 1.0) + np.euler_gamma
    depth = 2.0 * harmonic - 2.0 * (rows - 1.0) / rows
    return math.floor(depth * _UNITS + 0.5) / _UNITS


@helper()
def _choose_column(
    X: FloatArray, work: Work, start: int, stop: int, varying: int
) -> tuple[int, float, float]:
    """Draw a column that is not constant in a node.

    Returns the number of columns that may still vary (the chosen one is the last of
    them) and its minimum and maximum. `values` then holds its values.
    """
    sample, values, columns = work.sample, work.values, work.columns
    while varying:
        at = int(draw(work.stream) * varying)
        column = columns[at]
        columns[at] = columns[varying - 1]
        columns[varying - 1] = column
        lowest = highest = X[sample[start], column]
        for p in range(start, stop):
            value = X[sample[p], column]
            values[p] = value
            lowest = min(lowest, value)
            highest = max(highest, value)
        if lowest < highest:
            return varying, lowest, highest
        varying -= 1
    return 0, 0.0, 0.0


@helper()
def _part(work: Work, start: int, stop: int, cut: float) -> int:
    """Partition a node's rows by the threshold; return where the right part starts."""
    sample, values = work.sample, work.values
    middle = start
    for p in range(start, stop):
        if values[p] <= cut:
            sample[p], sample[middle] = sample[middle], sample[p]
            values[p] = values[middle]
            middle += 1
    return middle


# Element by element, and arrays come from outside: numba takes seconds to compile an
# assignment of a tuple or an array, and NumPy's functions.
@helper()
def _put(  # noqa: PLR0917 - numba passes by position
    waiting: IntArray, at: int, node: int, start: int, stop: int, depth: int, d: int
) -> None:
    waiting[at, 0] = node
    waiting[at, 1] = start
    waiting[at, 2] = stop
    waiting[at, 3] = depth
    waiting[at, 4] = d


@helper()
def _grow_tree(
    X: FloatArray, work: Work, limit: int, nodes: Nodes, root: int
) -> tuple[int, int]:
    """Write a tree's nodes from `root` on; return their end and the tree's height."""
    waiting = work.waiting
    waiting[0, 0] = root
    waiting[0, 1] = waiting[0, 3] = 0
    waiting[0, 2] = len(work.sample)
    waiting[0, 4] = len(work.columns)
    count, free, height = 1, root + 1, 0
    while count:
        count -= 1
        node, depth = waiting[count, 0], waiting[count, 3]
        start, stop = waiting[count, 1], waiting[count, 2]
        varying = waiting[count, 4]
        lowest = highest = 0.0
        if depth < limit and stop - start > 1:
            varying, lowest, highest = _choose_column(X, work, start, stop, varying)
        if lowest == highest:
            nodes.column[node] = 0
            nodes.cut[node] = np.inf
            nodes.child[node] = node
            nodes.length[node] = depth + search_depth(stop - start)
            height = max(height, depth)
            continue
        u = draw(work.stream)
        # Each product is finite, although highest - lowest could overflow.
        cut = lowest * (1.0 - u) + highest * u
        if not lowest <= cut < highest:  # rounding must not leave a child empty
            cut = lowest
        nodes.column[node] = work.columns[varying - 1]
        nodes.cut[node] = cut
        nodes.child[node] = free
        nodes.length[node] = 0.0
        middle = _part(work, start, stop, cut)
        _put(waiting, count, free, start, middle, depth + 1, varying)
        _put(waiting, count + 1, free + 1, middle, stop, depth + 1, varying)
        count += 2
        free += 2
    return free, height


def grow(X: FloatArray, trees: int, samples: int, seed: np.uint64) -> Forest:
    """Grow isolation trees.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        Training rows, finite.
    trees : int
        Number of trees.
    samples : int
        Rows per tree, at most n.
    seed : uint64
        Seed of all random numbers.

    Returns
    -------
    Forest
        The trees.
    """
    limit = 1
    while 2**limit < samples:
        limit += 1
    most = trees * (2 * samples - 1)
    room = Nodes(
        np.empty(most, dtype=np.uint32),
        np.empty(most),
        np.empty(most, dtype=np.uint32),
        np.empty(most),
    )
    work = Work(
        np.empty(1, dtype=np.uint64),
        np.empty(samples, dtype=np.int32),
        np.empty(samples),
        np.empty(X.shape[1], dtype=np.int32),
        np.empty(samples, dtype=np.int64),
        np.empty((limit + 2, 5), dtype=np.int64),
    )
    roots = np.empty(trees, dtype=np.uint32)
    heights = np.empty(trees, dtype=np.int32)
    order = np.arange(len(X), dtype=np.int32)
    free = _grow_trees(read_only(X), order, work, limit, seed, room, 0, roots, heights)
    nodes = Nodes(
        room.column[:free].copy(),
        room.cut[:free].copy(),
        room.child[:free].copy(),
        room.length[:free].copy(),
    )
    return Forest(nodes, roots, heights)


@kernel()
def _grow_trees(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    order: Int32Array,
    work: Work,
    limit: int,
    seed: np.uint64,
    nodes: Nodes,
    free: int,
    roots: IndexArray,
    heights: Int32Array,
) -> int:
    """Write the nodes of all trees from `free` on, which is 0; return their end.

    An argument, because a literal would be another type, compiled for once more.
    """
    for tree in range(len(roots)):
        work.stream[0] = first_state(seed, tree)
        choose_rows(work.stream, order, work.sample, work.picked)
        for column in range(X.shape[1]):
            work.columns[column] = column
        roots[tree] = free
        free, heights[tree] = _grow_tree(X, work, limit, nodes, free)
    return free


def total_lengths(X: FloatArray, forest: Forest) -> FloatArray:
    """Sum, over trees, the lengths of the leaves that rows reach.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        Rows, finite, of the columns of the training rows.
    forest : Forest
        The trees.

    Returns
    -------
    float64 array of shape (n,)
        Summed in the order of the trees, so independent of the rest of the batch.
    """
    total = np.zeros(len(X))
    at = np.empty(_BLOCK, dtype=np.uint32)
    _add_lengths(read_only(X), forest.nodes, forest.roots, forest.heights, at, total)
    return total


@kernel()
def _add_lengths(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    nodes: Nodes,
    roots: IndexArray,
    heights: Int32Array,
    at: IndexArray,
    total: FloatArray,
) -> None:
    """Walk a block of rows down each tree together; `at` has room for the block."""
    column, cut, child = nodes.column, nodes.cut, nodes.child
    for start in range(0, len(X), len(at)):
        rows = min(len(at), len(X) - start)
        for tree in range(len(roots)):
            for r in range(rows):
                at[r] = roots[tree]
            for _ in range(heights[tree]):
                for r in range(rows):
                    node = at[r]
                    right = np.uint32(X[start + r, column[node]] > cut[node])
                    at[r] = child[node] + right
            for r in range(rows):
                total[start + r] += nodes.length[at[r]]
