"""The train rows nearest to each row; equally near ones are chosen by their values."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.shared.neighbours.graph import NeighbourGraph, NeighbourIndex

Rows = NDArray[np.int32]
# Returns the neighbours of queries, or of the train rows for None, in the table as it
# was given.
Shared = Callable[[FloatArray | None], NeighbourGraph]


class Candidates:
    """The search for candidates among train rows in the order of their values.

    Parameters
    ----------
    rows : float64 array of shape (n, d)
        Train rows, ordered by their values.
    order : int64 array of shape (n,)
        Their places in the table that was given.
    size : int
        Number of candidates per row; limited to the number of other rows.
    """

    def __init__(self, rows: FloatArray, order: IntArray, size: int) -> None:
        self._rows, self.size = rows, size
        self._place = np.empty(len(order), dtype=np.int32)
        self._place[order] = np.arange(len(order), dtype=np.int32)
        self._order = order

    @cached_property
    def _index(self) -> NeighbourIndex:
        return NeighbourIndex(self._rows)

    def of_train(self, shared: Shared | None = None) -> Rows:
        """Return the nearest other rows of each train row.

        Parameters
        ----------
        shared : callable, optional
            A search that other detectors use, too. The result is the same.

        Returns
        -------
        int32 array of shape (n, min(size, n - 1))
            Rows, ascending.
        """
        if shared is None:
            return np.sort(self._index.search_self(self.size).rows, axis=1)
        found = shared(None)
        found = NeighbourGraph(found.distances[self._order], found.rows[self._order])
        return self._settled(found, self._tied_train)

    def of(self, queries: FloatArray, shared: Shared | None = None) -> Rows:
        """Return the nearest train rows of each query, as `of_train` does."""
        if shared is None:
            return self._searched(queries)
        return self._settled(
            shared(queries), lambda tied: self._searched(queries[tied])
        )

    def _searched(self, queries: FloatArray) -> Rows:
        return np.sort(self._index.search(queries, self.size).rows, axis=1)

    def _settled(self, found: NeighbourGraph, again: Callable[[Any], Rows]) -> Rows:
        """Search again where a row that was left out is as near as one that was not."""
        rows = np.sort(self._place[found.rows[:, : self.size]], axis=1)
        if found.distances.shape[1] > self.size:
            last, next_one = found.distances[:, self.size - 1 : self.size + 1].T
            tied = np.flatnonzero(last == next_one)
            if len(tied):
                rows[tied] = again(tied)
        return rows

    def _tied_train(self, tied: IntArray) -> Rows:
        found = self._index.search(self._rows[tied], self.size + 1).rows
        itself = found == tied[:, None]
        # With that many copies before it, a row is not among its own neighbours.
        itself[~itself.any(axis=1), -1] = True
        return np.sort(found[~itself].reshape(len(tied), -1), axis=1)
