"""Randomised trees that tell two groups of rows apart, and what they say of a row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench_detectors.cats.forest_kernels import (
    IndexArray,
    choose,
    copy_columns,
    grow,
)
from odbench_detectors.shared.kernels import kernel
from odbench_detectors.shared.rng import Int32Array, WordArray
from odbench_detectors.shared.views import read_only

# Rows that descend a tree together.
_LANES = 8
# Rows that pass all trees while they are in the cache.
_ROWS = 1_024


class Forest(NamedTuple):
    """Trees, each grown on some rows of either group.

    Attributes
    ----------
    column, cut, child, share : arrays of shape (trees, nodes)
        A node's column and threshold, its left child, which the right one follows, and
        the share of the second group among its rows, both groups weighing the same. A
        leaf is its own child.
    samples : int32 array of shape (trees, rows)
        The rows that each tree was grown on, those of the first group first.
    n_first : int
        How many of these are of the first group.
    """

    column: IndexArray
    cut: FloatArray
    child: IndexArray
    share: FloatArray
    samples: Int32Array
    n_first: int


def grow_forest(
    X: FloatArray,
    n_first: int,
    *,
    trees: int,
    most: int,
    smallest: int,
    tries: int,
    seed: int,
) -> Forest:
    """Grow extremely randomised trees [1]_ that tell two groups apart.

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
    Forest

    References
    ----------
    .. [1] Geurts, Ernst, Wehenkel, "Extremely randomized trees", Machine Learning 63,
       2006.
    """
    n, d = X.shape
    sizes = [max(min(size // 2, most), 1) for size in (n_first, n - n_first)]
    rows, room = sum(sizes), 2 * sum(sizes) + 1
    weight = 1.0 / np.array(sizes)
    # Summed row by row, as a sum over the rows of a node would be.
    masses = np.cumsum(np.repeat(weight[:, None], max(sizes), axis=1), axis=1)
    masses = np.column_stack([np.zeros(2), masses])
    forest = Forest(
        np.zeros((trees, room), dtype=np.uint32), np.zeros((trees, room)),
        np.zeros((trees, room), dtype=np.uint32), np.zeros((trees, room)),
        np.empty((trees, rows), dtype=np.int32), sizes[0],
    )  # fmt: skip
    _grow_trees(
        read_only(X), smallest, tries, np.array([0, n_first, n]), np.array(sizes),
        weight, masses, np.array([seed], dtype=np.uint64), np.arange(n, dtype=np.int32),
        np.empty((d, rows)), np.empty(d, dtype=np.int32),
        np.empty((rows + 1, 3), dtype=np.int64), np.empty(rows, dtype=np.uint32),
        np.empty(rows, dtype=np.int64), np.empty(rows),
        forest.column, forest.cut, forest.child, forest.share, forest.samples,
    )  # fmt: skip
    return forest


@kernel()
def _grow_trees(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    smallest: int,
    tries: int,
    starts: IntArray,
    sizes: IntArray,
    weight: FloatArray,
    masses: FloatArray,
    stream: WordArray,
    order: Int32Array,
    values: FloatArray,
    columns: Int32Array,
    waiting: IntArray,
    places: IndexArray,
    second: IntArray,
    read: FloatArray,
    column: IndexArray,
    cut: FloatArray,
    child: IndexArray,
    share: FloatArray,
    samples: Int32Array,
) -> None:
    """Write the trees.

    Group g has rows ``starts[g]`` to ``starts[g + 1]``, ``sizes[g]`` of them per tree.
    """
    for t in range(len(samples)):
        taken = 0
        for group in range(2):
            start = starts[group]
            choose(stream, order, start, starts[group + 1], sizes[group])
            for i in range(sizes[group]):
                samples[t, taken] = order[start + i]
                taken += 1
        copy_columns(X, samples[t], values)
        grow(
            values, sizes[0], weight, masses, smallest, tries, stream,
            column[t], cut[t], child[t], share[t], columns, waiting, places, second,
            read,
        )  # fmt: skip


def shares_of(
    forest: Forest, X: FloatArray, rows: IntArray, without: Int32Array | None = None
) -> FloatArray:
    """Return how much rows look like the second group.

    Parameters
    ----------
    forest : Forest
    X : float64 array of shape (n, d)
    rows : int64 array of shape (m,)
        Which rows of it.
    without : int32 array of shape (trees, k), optional
        Rows of `X` that each tree must not judge, because it was grown on them.

    Returns
    -------
    float64 array of shape (m,)
        Mean share of the second group in the leaves that a row reaches, from 0 to 1;
        0.5 if every tree was grown on the row.
    """
    total, times = np.zeros(len(rows)), np.zeros(len(rows))
    is_in, leaf = np.zeros(len(X), dtype=np.bool_), np.empty(_LANES, dtype=np.uint32)
    excluded = _excluded(forest, without)
    for start in range(0, len(rows), _ROWS):
        part = slice(start, start + _ROWS)
        _add_shares(
            read_only(X), read_only(rows[part]), excluded, is_in, leaf, *_nodes(forest),
            times[part], total[part],
        )  # fmt: skip
    shares = np.full(len(rows), 0.5)
    np.divide(total, times, out=shares, where=times > 0)
    return shares


def changes_of(
    forest: Forest, X: FloatArray, rows: IntArray, without: Int32Array | None = None
) -> FloatArray:
    """Return by how much the splits of each column change the share of rows.

    Parameters are those of `shares_of`.

    Returns
    -------
    float64 array of shape (m, d)
        The changes on a row's way down, averaged over trees. A row's sum is its share
        minus 0.5, but for rounding.
    """
    by_column, times = np.zeros((len(rows), X.shape[1])), np.zeros(len(rows))
    _add_changes(
        read_only(X), read_only(rows), _excluded(forest, without),
        np.zeros(len(X), dtype=np.bool_),
        *_nodes(forest), times, by_column,
    )  # fmt: skip
    return by_column / np.maximum(times, 1.0)[:, None]


def _nodes(forest: Forest) -> tuple[IndexArray, FloatArray, IndexArray, FloatArray]:
    return (
        read_only(forest.column),
        read_only(forest.cut),
        read_only(forest.child),
        read_only(forest.share),
    )


def _excluded(forest: Forest, without: Int32Array | None) -> Int32Array:
    rows = forest.samples[:, :0] if without is None else without
    return read_only(np.ascontiguousarray(rows))


@kernel()
def _add_shares(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    rows: IntArray,
    without: Int32Array,
    is_in: BoolArray,
    leaf: IndexArray,
    column: IndexArray,
    cut: FloatArray,
    child: IndexArray,
    share: FloatArray,
    times: FloatArray,
    total: FloatArray,
) -> None:
    """Add the shares of the leaves that rows reach, and count the trees.

    Eight rows descend together: while one waits for memory, the others proceed. A row
    in a leaf stays there, because its threshold is infinite. Unrolled by hand, because
    the compiler keeps scalar variables in registers.
    """
    last = len(rows) - 1
    for t in range(len(without)):
        for p in range(without.shape[1]):
            is_in[without[t, p]] = True
        split, most, below = column[t], cut[t], child[t]
        for start in range(0, len(rows), _LANES):
            x0 = X[rows[start]]
            x1 = X[rows[min(start + 1, last)]]
            x2 = X[rows[min(start + 2, last)]]
            x3 = X[rows[min(start + 3, last)]]
            x4 = X[rows[min(start + 4, last)]]
            x5 = X[rows[min(start + 5, last)]]
            x6 = X[rows[min(start + 6, last)]]
            x7 = X[rows[min(start + 7, last)]]
            n0 = n1 = n2 = n3 = n4 = n5 = n6 = n7 = np.uint32(0)
            moved = True
            while moved:
                m0 = np.uint32(below[n0] + np.uint32(x0[split[n0]] > most[n0]))
                m1 = np.uint32(below[n1] + np.uint32(x1[split[n1]] > most[n1]))
                m2 = np.uint32(below[n2] + np.uint32(x2[split[n2]] > most[n2]))
                m3 = np.uint32(below[n3] + np.uint32(x3[split[n3]] > most[n3]))
                m4 = np.uint32(below[n4] + np.uint32(x4[split[n4]] > most[n4]))
                m5 = np.uint32(below[n5] + np.uint32(x5[split[n5]] > most[n5]))
                m6 = np.uint32(below[n6] + np.uint32(x6[split[n6]] > most[n6]))
                m7 = np.uint32(below[n7] + np.uint32(x7[split[n7]] > most[n7]))
                here = (m0 ^ n0) | (m1 ^ n1) | (m2 ^ n2) | (m3 ^ n3)
                there = (m4 ^ n4) | (m5 ^ n5) | (m6 ^ n6) | (m7 ^ n7)
                moved = here | there != 0
                n0, n1, n2, n3, n4, n5, n6, n7 = m0, m1, m2, m3, m4, m5, m6, m7
            leaf[0] = n0
            leaf[1] = n1
            leaf[2] = n2
            leaf[3] = n3
            leaf[4] = n4
            leaf[5] = n5
            leaf[6] = n6
            leaf[7] = n7
            for r in range(min(_LANES, len(rows) - start)):
                if not is_in[rows[start + r]]:
                    total[start + r] += share[t, leaf[r]]
                    times[start + r] += 1.0
        for p in range(without.shape[1]):
            is_in[without[t, p]] = False


@kernel()
def _add_changes(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    rows: IntArray,
    without: Int32Array,
    is_in: BoolArray,
    column: IndexArray,
    cut: FloatArray,
    child: IndexArray,
    share: FloatArray,
    times: FloatArray,
    by_column: FloatArray,
) -> None:
    """Add the change of the share at each split to its column, and count the trees."""
    for t in range(len(without)):
        for p in range(without.shape[1]):
            is_in[without[t, p]] = True
        for e in range(len(rows)):
            i = rows[e]
            if is_in[i]:
                continue
            node = np.uint32(0)
            while child[t, node] != node:
                j = column[t, node]
                there = child[t, node] + np.uint32(X[i, j] > cut[t, node])
                by_column[e, j] += share[t, there] - share[t, node]
                node = there
            times[e] += 1.0
        for p in range(without.shape[1]):
            is_in[without[t, p]] = False
