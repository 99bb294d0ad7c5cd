"""Neighbours with many columns: matrix products by block, then exact distances."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.neighbours.blocks import Blocks
from odbench_detectors.shared.neighbours.distinct import IndexArray, Int32Array
from odbench_detectors.shared.neighbours.product_kernels import (
    LARGEST,
    gather,
    lanes,
    settle,
    sift,
    slack,
)
from odbench_detectors.shared.order_statistics import Singles

# Rows multiplied at once where no block can be skipped: larger products are faster.
_LARGE_BLOCK = 1024
# Rows converted at once, which stay in the core's own cache.
_PART = 128


def fits(norms: FloatArray) -> bool:
    """Check whether sums of squares of rows, (n,), are within float32's range."""
    return len(norms) == 0 or bool(norms.max() < LARGEST)


def searcher(  # noqa: PLR0917
    blocks: Blocks | None,
    table: FloatArray,
    norms: FloatArray,
    offsets: Int32Array,
    members: Int32Array,
    by_tree: Callable[..., object],
) -> Callable[..., None]:
    """Prepare the search by products.

    Parameters
    ----------
    blocks : Blocks or None
        The table in blocks, visited from the nearest on; None to visit all rows in
        their own order.
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
    order = np.arange(m) if blocks is None else blocks.order
    ends = _even_ends(m) if blocks is None else blocks.ends
    row_norms = norms if blocks is None else norms[order]
    table_ext = _extended(
        table, None if blocks is None else order, (1.0 - 2.0 * tolerance) * row_norms
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

        def visit(block: int, places: IndexArray, some: Singles) -> None:
            start, stop = ends[block]
            products = space[: len(some) * (stop - start)].reshape(len(some), -1)
            np.matmul(some, table_ext[start:stop].T, out=products)
            sift(
                products, places, start, norms, row_norms, tolerance, k, width,
                near, candidates, count, limit, upper_bound, work,
            )  # fmt: skip

        if blocks is None:
            every = np.arange(len(asked))
            for block in range(len(ends)):
                visit(block, every, query_ext)
        else:
            _visit_near(blocks.gaps(asked, norms), upper_bound, query_ext, visit)
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


def _visit_near(
    gaps: FloatArray,
    upper_bound: FloatArray,
    query_ext: Singles,
    visit: Callable[[int, IndexArray, Singles], None],
) -> None:
    """Visit blocks, each with the queries whose neighbours it may hold.

    Parameters
    ----------
    gaps : float64 array of shape (q, blocks)
        From `Blocks.gaps`.
    upper_bound : float64 array of shape (q,)
        As in `sift`, lowered by each visit.
    query_ext : float32 array of shape (q, d + 1)
        The queries, extended.
    visit : callable
        ``(block, places, some)`` compares the queries at `places`, which are `some`,
        with a block.
    """
    nearest = gaps.argmin(axis=1)
    places, some = np.empty(len(gaps), dtype=np.intp), np.empty_like(query_ext)

    def visit_wanted(block: int, *, own: bool) -> None:
        n = gather(gaps, upper_bound, nearest, block, own, query_ext, places, some)
        if n:
            visit(block, places[:n], some[:n])

    # Each query's own block first: the rows that it finds there rule others out.
    for block in np.unique(nearest):
        visit_wanted(block, own=True)
    for block in np.argsort(gaps.min(axis=0), kind="stable"):
        visit_wanted(block, own=False)


def _even_ends(m: int) -> IndexArray:
    """Return where parts of the rows in their own order start and stop."""
    starts = np.arange(0, m, _LARGE_BLOCK)
    return np.stack([starts, np.minimum(starts + _LARGE_BLOCK, m)], axis=1)


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
