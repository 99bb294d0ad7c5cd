"""Neighbours in many columns: matrix products block by block, then exact measures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.neighbours.distinct_cpu import Int32Array
from odbench_detectors.neighbours.heap_cpu import clear, unload
from odbench_detectors.neighbours.products_cpu import box_gaps, sift, slack
from odbench_detectors.neighbours.tree_cpu import IndexArray

# Rows of one block: its products with 256 queries fill a core's own cache.
BLOCK = 1024


def searcher(
    tree: tuple[IndexArray, IndexArray, FloatArray, FloatArray, FloatArray],
    table: FloatArray,
    offsets: Int32Array,
    members: Int32Array,
) -> Callable[..., None]:
    """Prepare the search by products over a built tree's order.

    Parameters
    ----------
    tree
        What `tree_cpu.build` returned for `table`.
    table : float64 array of shape (m, d)
        Distinct rows.
    offsets, members : int32 arrays
        The table's rows behind each distinct one.

    Returns
    -------
    callable
        ``(queries, chosen, distances, rows)``, which fills `distances` (squared) and
        `rows` at `chosen` exactly as `tree_cpu.search` would.
    """
    order, starts, low, high, _ = tree
    rows = np.ascontiguousarray(table[order])
    less = 1.0 - slack(table.shape[1])
    row_norms = np.einsum("ij,ij->i", rows, rows) * less
    nodes = _block_nodes(starts)
    low, high = low[nodes], high[nodes]

    def search(
        queries: FloatArray,
        chosen: IndexArray,
        distances: FloatArray,
        found: Int32Array,
    ) -> None:
        block = np.ascontiguousarray(queries[chosen])
        norms = np.einsum("ij,ij->i", block, block) * less
        shape = (len(block), distances.shape[1])
        far, row = np.empty(shape), np.empty(shape, dtype=np.int32)
        clear(far.reshape(-1), row.reshape(-1))
        gaps = box_gaps(block, low, high)
        for b in np.argsort(gaps, kind="stable"):
            if gaps[b] > far[:, 0].max():
                break
            start, stop = starts[nodes[b]]
            products = block @ rows[start:stop].T
            sift(
                products, block, norms, rows, row_norms, start,
                order, offsets, members, far, row,
            )  # fmt: skip
        for i, q in enumerate(chosen):
            unload(far[i], row[i], distances[q], found[q])

    return search


def _block_nodes(starts: IndexArray) -> Any:
    """Return the highest nodes of the tree with at most `BLOCK` rows."""
    level = np.array([0])
    while 2 * level[0] + 1 < len(starts) and (
        np.diff(starts[level], axis=1).max() > BLOCK
    ):
        level = np.concatenate([[2 * node + 1, 2 * node + 2] for node in level])
    return level
