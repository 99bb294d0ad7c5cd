"""Neighbours with many columns: matrix products by block, then exact distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.neighbours.distinct import IndexArray, Int32Array
from odbench_detectors.shared.neighbours.kd_build import Split
from odbench_detectors.shared.neighbours.product_kernels import (
    LARGEST,
    box_gaps,
    lanes,
    settle,
    sift,
    slack,
)
from odbench_detectors.shared.order_statistics import Singles

# Maximum number of rows per block of a tree: its products with a task's queries stay in
# the core's own cache.
BLOCK = 512
# Rows per block where no block can be skipped: larger products are faster.
_LARGE_BLOCK = 1024
# Rows converted at once, which stay in the core's own cache.
_PART = 128


def fits(norms: FloatArray) -> bool:
    """Check whether sums of squares of rows, (n,), are within float32's range."""
    return len(norms) == 0 or bool(norms.max() < LARGEST)


def searcher(  # noqa: PLR0917
    tree: Split | None,
    table: FloatArray,
    norms: FloatArray,
    offsets: Int32Array,
    members: Int32Array,
    by_tree: Callable[..., object],
) -> Callable[..., None]:
    """Prepare the search by products.

    Parameters
    ----------
    tree
        The result of `kd_build.split` for `table`, whose blocks are visited from the
        nearest on; None to visit all rows in their own order.
    table : float64 array of shape (m, d)
        Distinct rows.
    norms : float64 array of shape (m,)
        Their sums of squares, which pass `fits`.
    offsets, members : int32 arrays
        The table's rows equal to each distinct row.
    by_tree : callable
        The same search without products, for queries with too many candidates.

    Returns
    -------
    callable
        ``(queries, norms, chosen, distances, rows)``, which fills `distances` (squared)
        and `rows` at `chosen` exactly as `kd_tree.search` would.
    """
    m, d = table.shape
    tolerance = slack(d)
    order, ends, boxes = _blocks_of(tree, m)
    row_norms = norms if tree is None else norms[order]
    table_ext = _extended(
        table, None if tree is None else order, (1.0 - 2.0 * tolerance) * row_norms
    )
    largest = int(np.diff(ends, axis=1).max())

    def search(
        queries: FloatArray,
        norms: FloatArray,
        chosen: IndexArray,
        distances: FloatArray,
        found: Int32Array,
    ) -> None:
        asked, norms, k = queries[chosen], norms[chosen], distances.shape[1]
        query_ext = np.ones((len(asked), d + 1), dtype=np.float32)
        query_ext[:, :d] = asked
        near = np.empty((len(asked), 4 * k + 32), dtype=np.float32)
        candidates = np.empty(near.shape, dtype=np.int32)
        count = np.zeros(len(asked), dtype=np.int32)
        limit = np.full(len(asked), np.inf, dtype=np.float32)
        upper_bound = np.full(len(asked), np.inf)
        width = lanes(k)
        work = np.empty(max(near.shape[1], width), dtype=np.float32)
        space = np.empty(len(asked) * largest, dtype=np.float32)
        gaps = box_gaps(asked, *boxes) if boxes else np.zeros(len(ends))
        for b in np.argsort(gaps, kind="stable"):
            if gaps[b] > upper_bound.max():
                break
            start, stop = ends[b]
            products = space[: len(asked) * (stop - start)].reshape(len(asked), -1)
            np.matmul(query_ext, table_ext[start:stop].T, out=products)
            sift(
                products, start, norms, row_norms, tolerance, k, width,
                near, candidates, count, limit, upper_bound, work,
            )  # fmt: skip
        left = np.empty(len(asked), dtype=np.intp)
        n_left = settle(
            queries, chosen, norms, row_norms, tolerance,
            near, candidates, count, limit, upper_bound,
            table, order, offsets, members, distances, found,
            work, np.empty(near.shape[1]), np.empty(near.shape[1], dtype=np.intp), left,
        )  # fmt: skip
        if n_left:
            by_tree(queries, left[:n_left], distances, found)

    return search


def _blocks_of(
    tree: Split | None, m: int
) -> tuple[IndexArray, IndexArray, tuple[FloatArray, FloatArray] | None]:
    """Return the order of rows, where blocks start and stop in it, and their boxes."""
    if tree is None:
        starts = np.arange(0, m, _LARGE_BLOCK)
        stops = np.minimum(starts + _LARGE_BLOCK, m)
        return np.arange(m), np.stack([starts, stops], axis=1), None
    order, starts, low, high, _ = tree
    nodes = _block_nodes(starts)
    return order, starts[nodes], (low[nodes], high[nodes])


def _extended(table: FloatArray, order: IndexArray | None, last: FloatArray) -> Singles:
    """Return the factors of products, in some order, with a column more.

    With a column of 1 in the queries, one product is |x|^2 - 2 q.x.
    """
    d = table.shape[1]
    table_ext = np.empty((len(table), d + 1), dtype=np.float32)
    for start in range(0, len(table), _PART):
        part = slice(start, start + _PART)
        rows = table[part] if order is None else table[order[part]]
        np.multiply(rows, -2.0, out=table_ext[part, :d], casting="same_kind")
    table_ext[:, d] = last
    return table_ext


def _block_nodes(starts: IndexArray) -> Any:
    """Return the topmost nodes of the tree with at most `BLOCK` rows."""
    level = np.array([0])
    while 2 * level[0] + 1 < len(starts) and (
        np.diff(starts[level], axis=1).max() > BLOCK
    ):
        level = np.concatenate([[2 * node + 1, 2 * node + 2] for node in level])
    return level
