"""Exact nearest neighbours of the rows of a table, ties broken by row index.

Duplicates in the table are searched once and equal queries are answered once. The
rest uses a k-d tree or, with many columns, matrix products. A result for k
neighbours equals the first k columns of the result for more, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from odbench.arrays import FloatArray
from odbench_detectors.shared.estimator import LIMIT, within_limit
from odbench_detectors.shared.neighbours import kd_build, kd_tree
from odbench_detectors.shared.neighbours.blocks import BLOCK, Blocks
from odbench_detectors.shared.neighbours.distinct import (
    IndexArray,
    Int32Array,
    distinct,
    leave_out_self,
    members_of,
)
from odbench_detectors.shared.neighbours.products import fits, searcher
from odbench_detectors.shared.views import read_only

Metric = Literal["euclidean", "manhattan"]

# Number of queries per task of a thread, near each other or, where no part of the table
# can be skipped, more.
_TASK, _LARGE_TASK = 512, 1024
# Numbers of columns from which products are faster than the tree unless rows visit few
# blocks, and from which they always are. See decision 96.
_SOME_COLUMNS, _MANY_COLUMNS = 8, 12
# Shares of the blocks that are few, and so many that blocks are useless.
_FEW_BLOCKS, _MOST_BLOCKS = 0.05, 0.6


@dataclass(frozen=True, eq=False)
class NeighbourGraph:
    """The nearest rows of each query.

    Attributes
    ----------
    distances : float64 array of shape (n, k)
        Ascending.
    rows : int32 array of shape (n, k)
        Rows of the table; equally distant ones in ascending order.
    """

    distances: FloatArray
    rows: Int32Array

    def nearest(self, k: int) -> NeighbourGraph:
        """Return the graph of the k nearest neighbours, without copying."""
        return NeighbourGraph(self.distances[:, :k], self.rows[:, :k])


class NeighbourIndex:
    """A table prepared for searches.

    Parameters
    ----------
    rows : float64 array of shape (n, d)
        Finite. Values are clipped to ±1e140.
    """

    def __init__(self, rows: FloatArray) -> None:
        rows, norms = _with_norms(rows)
        self.n = len(rows)
        first, self._number = distinct(rows)
        # Copied, because the caller may change its table later.
        alone = len(first) == len(rows)
        self._rows = read_only(rows.copy() if alone else rows[first])
        self._norms = norms if alone else norms[first]
        self._offsets, self._members = members_of(self._number, len(first))
        d = rows.shape[1]
        self._by_products = d >= _SOME_COLUMNS and fits(self._norms)
        self._blocks: Blocks | None = None
        self._built: kd_build.Tree | None = None
        self._searcher: Callable[..., None] | None = None
        if self._by_products and len(self._rows) > 2 * BLOCK:
            blocks = Blocks.of(self._rows, self._norms)
            visited = blocks.share_visited(self._rows, self._norms)
            self._by_products = d >= _MANY_COLUMNS or visited >= _FEW_BLOCKS
            self._blocks = blocks if visited < _MOST_BLOCKS else None
        if not self._by_products:
            self._tree()

    def _tree(self) -> kd_build.Tree:
        """Return the tree, built once.

        With many columns, only the Manhattan distance and ties in float32 want it.
        """
        if self._built is None:
            self._built = kd_build.build(self._rows, kd_build.LEAF)
        return self._built

    def _products(self) -> Callable[..., None]:
        """Return the search by products, prepared once."""
        if self._searcher is None:
            self._searcher = searcher(
                self._blocks, self._rows, self._norms, self._offsets, self._members,
                self._by_tree,
            )  # fmt: skip
        return self._searcher

    def search(
        self,
        queries: FloatArray,
        k: int,
        *,
        metric: Metric = "euclidean",
        n_threads: int = 1,
    ) -> NeighbourGraph:
        """Find the nearest rows of each query.

        Parameters
        ----------
        queries : float64 array of shape (n_queries, d)
            Finite.
        k : int
            Number of neighbours, 1 or more; limited to the number of rows.
        metric : {"euclidean", "manhattan"}, default="euclidean"
            The distance.
        n_threads : int, default=1
            Threads; the result does not depend on it.

        Returns
        -------
        NeighbourGraph
            With min(k, n) columns.
        """
        queries, norms = _with_norms(queries)
        first, number = distinct(queries)
        k = min(k, self.n)
        if len(first) == len(queries):
            return self._search(read_only(queries), norms, k, metric, n_threads)
        asked = read_only(queries[first])
        found = self._search(asked, norms[first], k, metric, n_threads)
        return NeighbourGraph(found.distances[number], found.rows[number])

    def search_self(
        self, k: int, *, metric: Metric = "euclidean", n_threads: int = 1
    ) -> NeighbourGraph:
        """Find the nearest other rows of each row of the table.

        A row is not a neighbour of itself, but its duplicates are, at distance 0.

        Parameters
        ----------
        k, metric, n_threads
            As in `search`.

        Returns
        -------
        NeighbourGraph
            With min(k, n - 1) columns.
        """
        k = min(k, self.n - 1)
        found = self._search(self._rows, self._norms, k + 1, metric, n_threads)
        return _without_self(found, self._number, k)

    def _search(
        self,
        queries: FloatArray,
        norms: FloatArray,
        k: int,
        metric: Metric,
        n_threads: int,
    ) -> NeighbourGraph:
        """Answer distinct queries, given with their sums of squares."""
        manhattan = metric == "manhattan"
        distances = np.empty((len(queries), k))
        rows = np.empty((len(queries), k), dtype=np.int32)

        def by_tree(chosen: IndexArray) -> None:
            self._by_tree(queries, chosen, distances, rows, manhattan=manhattan)

        if self._by_products and not manhattan and fits(norms):
            blocks, products = self._blocks, self._products()

            def by_products(chosen: IndexArray) -> None:
                products(queries, norms, chosen, distances, rows)

            size = _TASK if blocks else _LARGE_TASK
            with _blas().limit(limits=1, user_api="blas"):
                near = blocks.near_order(queries) if blocks else np.arange(len(queries))
                _in_threads(by_products, near, size, n_threads)
        else:
            _, _, low, high, cuts, _ = self._tree()
            near = kd_tree.near_order(queries, low, high, cuts)
            _in_threads(by_tree, near, _TASK, n_threads)
        if not manhattan:
            np.sqrt(distances, out=distances)
        return NeighbourGraph(distances, rows)

    def _by_tree(
        self,
        queries: FloatArray,
        chosen: IndexArray,
        distances: FloatArray,
        rows: Int32Array,
        *,
        manhattan: bool = False,
    ) -> None:
        """Answer some queries by the tree."""
        kd_tree.search(
            queries, chosen, *self._tree(), self._offsets, self._members,
            manhattan, distances, rows,
        )  # fmt: skip


@cache
def _blas() -> ThreadpoolController:
    """Return the process's libraries of products; to look for them takes 1 ms."""
    return ThreadpoolController()


def neighbour_graph(
    train: FloatArray,
    queries: FloatArray | None,
    k: int,
    *,
    metric: Metric = "euclidean",
    n_threads: int = 1,
) -> NeighbourGraph:
    """Find the k nearest training rows of each query.

    Parameters
    ----------
    train : float64 array of shape (n, d)
        Finite.
    queries : float64 array of shape (n_queries, d) or None
        None for the training rows, each excluded from its own neighbours.
    k : int
        Number of neighbours, 1 or more.
    metric : {"euclidean", "manhattan"}, default="euclidean"
        The distance.
    n_threads : int, default=1
        Threads; the result does not depend on it.

    Returns
    -------
    NeighbourGraph
        With fewer than k columns if there are fewer rows.
    """
    index = NeighbourIndex(train)
    if queries is None:
        return index.search_self(k, metric=metric, n_threads=n_threads)
    return index.search(queries, k, metric=metric, n_threads=n_threads)


def _without_self(found: NeighbourGraph, number: Int32Array, k: int) -> NeighbourGraph:
    """Map the neighbours of distinct rows to all rows, excluding each row itself.

    A row that is not among its own k + 1 nearest has k + 1 duplicates before it, so
    the last of these is dropped instead.
    """
    distances = np.empty((len(number), k))
    rows = np.empty((len(number), k), dtype=np.int32)
    leave_out_self(
        read_only(found.distances), read_only(found.rows), read_only(number),
        distances, rows,
    )  # fmt: skip
    return NeighbourGraph(distances, rows)


def _with_norms(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return rows within the limit, C-contiguous, and their sums of squares."""
    rows = np.ascontiguousarray(rows, dtype=np.float64)
    norms = np.einsum("ij,ij->i", rows, rows)
    # One pass instead of two for the largest value and the smallest.
    if len(norms) and not norms.max() < LIMIT * LIMIT:
        rows = within_limit(rows)
        norms = np.einsum("ij,ij->i", rows, rows)
    return rows, norms


def _in_threads(
    answer: Callable[[IndexArray], object],
    chosen: IndexArray,
    size: int,
    n_threads: int,
) -> None:
    """Answer queries in tasks on threads; the kernels release the GIL."""
    tasks = [chosen[i : i + size] for i in range(0, len(chosen), size)]
    if n_threads == 1:
        for task in tasks:
            answer(task)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(answer, tasks))
