"""A forest that tells two groups of rows apart, and judges a row without it."""

from __future__ import annotations

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench_detectors.cats.forest_kernels import (
    IndexArray,
    choose,
    copy_columns,
    grow,
)
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.rng import Int32Array, WordArray
from odbench_detectors.shared.views import read_only


def out_of_bag(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    n_first: int,
    trees: int,
    most: int,
    smallest: int,
    tries: int,
    seed: int,
    explained: IntArray,
) -> tuple[FloatArray, FloatArray]:
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
    explained : int64 array of shape (m,)
        Rows whose shares are split by column.

    Returns
    -------
    shares : float64 array of shape (n,)
        Mean share of the second group, both groups weighing the same, in the leaves
        of the trees that were grown without the row; from 0 to 1.
    by_column : float64 array of shape (m, d)
        By how much the splits of each column change the share on the way of an
        explained row, averaged likewise. A row's sum is its share minus 0.5.
    """
    n, d = X.shape
    sizes = [max(min(size // 2, most), 1) for size in (n_first, n - n_first)]
    rows, room = sum(sizes), 2 * sum(sizes) + 1
    weight = 1.0 / np.array(sizes)
    # Summed row by row, as a sum over the rows of a node would be.
    masses = np.cumsum(np.repeat(weight[:, None], max(sizes), axis=1), axis=1)
    masses = np.column_stack([np.zeros(2), masses])
    total, by_column = np.zeros(n), np.zeros((len(explained), d))
    _add_trees(
        read_only(X), trees, smallest, tries,
        np.array([0, n_first, n]), np.array(sizes), weight, masses,
        np.array([seed], dtype=np.uint64), np.arange(n, dtype=np.int32),
        np.empty(rows, dtype=np.int32), np.empty((d, rows)),
        np.empty(n, dtype=np.bool_), np.empty(room, dtype=np.uint32), np.empty(room),
        np.empty(room, dtype=np.uint32), np.empty(room), np.empty(d, dtype=np.int32),
        np.empty((rows + 1, 3), dtype=np.int64), np.empty(rows, dtype=np.uint32),
        np.empty(rows, dtype=np.int64), np.empty(rows),
        np.zeros(n), total, read_only(explained), by_column,
    )  # fmt: skip
    return total, by_column


@helper()
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


@helper()
def _add_changes(  # noqa: PLR0917 - numba passes by position
    X: FloatArray,
    is_in: BoolArray,
    column: IndexArray,
    cut: FloatArray,
    child: IndexArray,
    share: FloatArray,
    explained: IntArray,
    by_column: FloatArray,
) -> None:
    """Add the change of the share at each split to the column of the split."""
    for e in range(len(explained)):
        i = explained[e]
        if is_in[i]:
            continue
        node = np.uint32(0)
        while child[node] != node:
            following = child[node] + np.uint32(X[i, column[node]] > cut[node])
            by_column[e, column[node]] += share[following] - share[node]
            node = following


@kernel()
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
    explained: IntArray,
    by_column: FloatArray,
) -> None:
    """Grow trees, and turn `total` and `by_column` from zeros into means.

    Group g has rows ``starts[g]`` to ``starts[g + 1]``, ``sizes[g]`` of them per tree.
    """
    for _ in range(trees):
        for i in range(len(X)):
            is_in[i] = False
        taken = 0
        for group in range(2):
            start = starts[group]
            choose(stream, order, start, starts[group + 1], sizes[group])
            for i in range(sizes[group]):
                sample[taken] = order[start + i]
                is_in[sample[taken]] = True
                taken += 1
        copy_columns(X, sample, values)
        grow(
            values, sizes[0], weight, masses, smallest, tries, stream,
            column, cut, child, share, columns, waiting, places, second, read,
        )  # fmt: skip
        _add_shares(X, is_in, column, cut, child, share, total, times)
        _add_changes(X, is_in, column, cut, child, share, explained, by_column)
    for e in range(len(explained)):
        for j in range(X.shape[1]):
            by_column[e, j] /= max(times[explained[e]], 1.0)
    for i in range(len(X)):
        total[i] = total[i] / times[i] if times[i] else 0.5
