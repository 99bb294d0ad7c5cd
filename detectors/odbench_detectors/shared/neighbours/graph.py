"""Exact nearest neighbours of the rows of a table, ties broken by row index.

Duplicates in the table are searched once and equal queries are answered once. The
rest uses a k-d tree or, with many columns, matrix products. A result for k neighbours
equals the first k columns of the result for more, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from odbench.arrays import FloatArray
from odbench_detectors.shared.estimator import within_limit
from odbench_detectors.shared.neighbours import kd_build, kd_tree
from odbench_detectors.shared.neighbours.distinct import (
    IndexArray,
    Int32Array,
    distinct,
    members_of,
)
from odbench_detectors.shared.neighbours.products import fits, searcher
from odbench_detectors.shared.views import read_only

Metric = Literal["euclidean", "manhattan"]

# Number of queries per task of a thread.
_TASK = 256
# Number of queries that try the tree before the choice, and the number of columns below
# which the tree is always chosen.
_PILOT = 24
_FEW_COLUMNS = 6
# Every 8th of these queries comes first, and settles a choice as clear as this ratio.
_FIRST_STEP, _HOPELESS = 8, 4.0
# Nanoseconds per value visited by the tree, per value in a product, per product
# filtered, and per neighbour found among products.
_TREE_COST, _PRODUCT_COST, _SIFT_COST, _KEEP_COST = 0.75, 0.06, 0.5, 200.0


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
        rows = within_limit(rows)
        self.n = len(rows)
        first, self._number = distinct(rows)
        # Copied, because the caller may change its table later.
        self._rows = read_only(rows[first])
        self._offsets, self._members = members_of(self._number, len(first))
        self._tree = kd_build.build(self._rows, kd_build.LEAF)

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
        queries = within_limit(queries)
        first, number = distinct(queries)
        asked = queries if len(first) == len(queries) else queries[first]
        found = self._search(read_only(asked), min(k, self.n), metric, n_threads)
        if len(first) == len(queries):
            return found
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
        found = self._search(self._rows, k + 1, metric, n_threads)
        return _without_self(found, self._number, k)

    def _search(
        self, queries: FloatArray, k: int, metric: Metric, n_threads: int
    ) -> NeighbourGraph:
        """Answer distinct queries."""
        manhattan = metric == "manhattan"
        distances = np.empty((len(queries), k))
        rows = np.empty((len(queries), k), dtype=np.int32)
        order, starts, low, high, cuts, leaves = self._tree
        near = kd_tree.near_order(queries, low, high, cuts)

        def by_tree(chosen: IndexArray) -> float:
            return kd_tree.search(
                queries, chosen, order, starts, low, high, leaves,
                self._offsets, self._members, manhattan, distances, rows,
            )  # fmt: skip

        def by_products(chosen: IndexArray) -> None:
            products(queries, chosen, distances, rows)

        dense = (
            queries.shape[1] >= _FEW_COLUMNS
            and not manhattan
            and len(near) >= _PILOT
            and fits(queries)
            and fits(self._rows)
        )
        if dense and not _tree_wins(by_tree, near, self._rows.shape, k):
            products = searcher(self._tree, self._rows, self._offsets, self._members)
            with threadpool_limits(1, user_api="blas"):
                _in_threads(by_products, near, n_threads)
        else:
            _in_threads(by_tree, near, n_threads)
        if not manhattan:
            np.sqrt(distances, out=distances)
        return NeighbourGraph(distances, rows)


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
    rows = found.rows[number]
    distances = found.distances[number]
    itself = rows == np.arange(len(number), dtype=np.int32)[:, None]
    itself[~itself.any(axis=1), -1] = True
    shape = (len(number), k)
    return NeighbourGraph(
        distances[~itself].reshape(shape), rows[~itself].reshape(shape)
    )


def _tree_wins(
    by_tree: Callable[[IndexArray], float],
    near: IndexArray,
    shape: tuple[int, ...],
    k: int,
) -> bool:
    """Try the tree on some queries; a few of them suffice where it is hopeless."""
    pilot = near[:: len(near) // _PILOT]
    seen = _visited(by_tree, pilot[::_FIRST_STEP])
    if not _tree_is_cheaper(seen / _HOPELESS, shape, k):
        return False
    return _tree_is_cheaper(_visited(by_tree, pilot), shape, k)


def _visited(by_tree: Callable[[IndexArray], float], pilot: IndexArray) -> float:
    """Return how many values the tree visits per query."""
    # Copied, because numba would compile once more for a slice with steps.
    return by_tree(pilot.copy()) / len(pilot)


def _tree_is_cheaper(seen: float, shape: tuple[int, ...], k: int) -> bool:
    """Compare the estimated nanoseconds per query, measured on one core.

    Parameters
    ----------
    seen : float
        Values that the tree visits per query.
    shape : tuple of int
        Number of distinct rows and of columns, all of which products use.
    k : int
        Number of neighbours.
    """
    m, d = shape
    products = (_PRODUCT_COST * d + _SIFT_COST) * m + _KEEP_COST * k
    return _TREE_COST * seen < products


def _in_threads(
    answer: Callable[[IndexArray], object], chosen: IndexArray, n_threads: int
) -> None:
    """Answer queries in tasks on threads; the kernels release the GIL."""
    tasks = [chosen[i : i + _TASK] for i in range(0, len(chosen), _TASK)]
    if n_threads == 1:
        for task in tasks:
            answer(task)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(answer, tasks))
