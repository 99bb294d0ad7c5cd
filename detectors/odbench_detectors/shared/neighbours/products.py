"""Neighbours with many columns: matrix products by block, then exact distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.neighbours import kd_tree
from odbench_detectors.shared.neighbours.distinct import IndexArray, Int32Array
from odbench_detectors.shared.neighbours.product_kernels import (
    LANES,
    LARGEST,
    Singles,
    box_gaps,
    settle,
    sift,
    slack,
)

# Rows per block: its products with a task's queries stay in the core's own cache.
BLOCK = 512


def fits(rows: FloatArray) -> bool:
    """Check whether sums of squares of rows, (n, d), are within float32's range."""
    return len(rows) == 0 or bool(
        max(rows.max(), -rows.min()) < np.sqrt(LARGEST / max(rows.shape[1], 1))
    )


def searcher(
    tree: tuple[IndexArray, IndexArray, FloatArray, FloatArray, IndexArray, FloatArray],
    table: FloatArray,
    offsets: Int32Array,
    members: Int32Array,
) -> Callable[..., None]:
    """Prepare the search by products, in the order of a built tree.

    Parameters
    ----------
    tree
        The result of `kd_build.build` for `table`.
    table : float64 array of shape (m, d)
        Distinct rows that pass `fits`.
    offsets, members : int32 arrays
        The table's rows equal to each distinct row.

    Returns
    -------
    callable
        ``(queries, chosen, distances, rows)``, which fills `distances` (squared) and
        `rows` at `chosen` exactly as `kd_tree.search` would.
    """
    order, starts, low, high, _, leaves = tree
    d = table.shape[1]
    tolerance = slack(d)
    table_ext, row_norms = _in_order(table, order, tolerance)
    nodes = _block_nodes(starts)
    block_low, block_high = low[nodes], high[nodes]

    def search(
        queries: FloatArray,
        chosen: IndexArray,
        distances: FloatArray,
        found: Int32Array,
    ) -> None:
        asked, k = queries[chosen], distances.shape[1]
        norms = np.einsum("ij,ij->i", asked, asked)
        query_ext = np.ones((len(asked), d + 1), dtype=np.float32)
        query_ext[:, :d] = asked
        near = np.empty((len(asked), 4 * k + 32), dtype=np.float32)
        candidates = np.empty(near.shape, dtype=np.int32)
        count = np.zeros(len(asked), dtype=np.int32)
        limit = np.full(len(asked), np.inf, dtype=np.float32)
        upper_bound = np.full(len(asked), np.inf)
        scratch = np.empty(max(near.shape[1], LANES))
        lanes = np.empty(LANES, dtype=np.float32)
        space = np.empty(len(asked) * BLOCK, dtype=np.float32)
        gaps = box_gaps(asked, block_low, block_high)
        for b in np.argsort(gaps, kind="stable"):
            if gaps[b] > upper_bound.max():
                break
            start, stop = starts[nodes[b]]
            products = space[: len(asked) * (stop - start)].reshape(len(asked), -1)
            np.matmul(query_ext, table_ext[start:stop].T, out=products)
            sift(
                products, start, norms, row_norms, tolerance, k,
                near, candidates, count, limit, upper_bound, scratch, lanes,
            )  # fmt: skip
        left = np.empty(len(asked), dtype=np.intp)
        n_left = settle(
            queries, chosen, norms, row_norms, tolerance,
            near, candidates, count, limit, upper_bound,
            table, order, offsets, members, distances, found,
            scratch, np.empty(near.shape[1], dtype=np.intp), left,
        )  # fmt: skip
        if n_left:
            kd_tree.search(
                queries, left[:n_left], order, starts, low, high, leaves,
                offsets, members, False, distances, found,
            )  # fmt: skip

    return search


def _in_order(
    table: FloatArray, order: IndexArray, tolerance: float
) -> tuple[Singles, FloatArray]:
    """Return the factors of products in the tree's order, and the sums of squares.

    With a column of 1 in the queries, one product is |x|^2 - 2 q.x.
    """
    d = table.shape[1]
    table_ext = np.empty((len(table), d + 1), dtype=np.float32)
    row_norms = np.empty(len(table))
    # In blocks that stay in the core's own cache.
    for start in range(0, len(table), BLOCK):
        part = slice(start, start + BLOCK)
        rows = table[order[part]]
        row_norms[part] = np.einsum("ij,ij->i", rows, rows)
        np.multiply(rows, -2.0, out=table_ext[part, :d], casting="same_kind")
    table_ext[:, d] = (1.0 - 2.0 * tolerance) * row_norms
    return table_ext, row_norms


def _block_nodes(starts: IndexArray) -> Any:
    """Return the topmost nodes of the tree with at most `BLOCK` rows."""
    level = np.array([0])
    while 2 * level[0] + 1 < len(starts) and (
        np.diff(starts[level], axis=1).max() > BLOCK
    ):
        level = np.concatenate([[2 * node + 1, 2 * node + 2] for node in level])
    return level
