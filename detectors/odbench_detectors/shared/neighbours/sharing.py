"""Share neighbours between detectors: one graph per data set, for the largest k."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

import numpy as np

from odbench.arrays import FloatArray
from odbench.detector import Workspace
from odbench_detectors.shared.estimator import Estimator
from odbench_detectors.shared.neighbours.graph import NeighbourGraph, NeighbourIndex

T = TypeVar("T")

KIND = "odbench.neighbours"
_INDEX = "odbench.neighbours.index"


class NeighbourDetector(Estimator):
    """Base class of detectors that score by exact Euclidean neighbours.

    A subclass returns from `neighbours_needed` how many it needs, and scores rows by
    their graph in `scores_of`. The graph that it
    gets may have been built for more, and has fewer columns if there are fewer rows.
    """

    _workspace: Workspace | None = None

    def neighbours_needed(self) -> int:
        """Return how many neighbours a row needs."""
        raise NotImplementedError

    def check_params(self) -> None:
        """Refuse an impossible number of neighbours."""
        self.neighbours_needed()

    def shared_needs(self) -> Mapping[str, int]:
        """Return the work that can be shared, and how much of it."""
        return {KIND: self.neighbours_needed(), _INDEX: 0}

    def use_workspace(self, workspace: Workspace | None) -> None:
        """Use shared work from a workspace; None stops it."""
        self._workspace = workspace

    def fit(self, X: FloatArray) -> Self:
        """Index the rows of `X`, (n_rows, n_columns) float64."""
        rows = self.train_rows(X)
        # Keep the array itself, because a workspace identifies arrays by `id`.
        self._train = X
        self._index: NeighbourIndex = self._obtain(
            _INDEX, (X,), lambda _: NeighbourIndex(rows)
        )
        return self

    def fit_score(self, X: FloatArray) -> FloatArray:
        """Fit on rows and score them, none of them being its own neighbour.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)

        Returns
        -------
        float64 array of shape (n_rows,)
            Higher is more anomalous; 0 for a single row.
        """
        self.fit(X)
        if len(X) == 1:
            return np.zeros(1)
        return self.scores_of(self.train_graph())

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows: float64, higher is more anomalous."""
        return self.scores_of(self.graph(X))

    def scores_of(self, graph: NeighbourGraph) -> FloatArray:
        """Return the scores of rows with these neighbours."""
        raise NotImplementedError

    def train_graph(self) -> NeighbourGraph:
        """Return the neighbours of each training row, excluding itself."""
        k = self.neighbours_needed()
        graph: NeighbourGraph = self._obtain(
            KIND,
            (self._train,),
            lambda size: self._index.search_self(max(size, k)),
            lambda size, share: self._index.search(_some(self._train, share), size + 1),
        )
        return graph.nearest(k)

    def graph(self, X: FloatArray) -> NeighbourGraph:
        """Return the training rows nearest to each row of `X`."""
        rows = self.rows_to_score(X)
        k = self.neighbours_needed()
        graph: NeighbourGraph = self._obtain(
            KIND,
            (self._train, X),
            lambda size: self._index.search(rows, max(size, k)),
            lambda size, share: self._index.search(_some(rows, share), size),
        )
        return graph.nearest(k)

    def _obtain(
        self,
        kind: str,
        rows: tuple[FloatArray, ...],
        make: Callable[[int], T],
        sample: Callable[[int, float], object] | None = None,
    ) -> T:
        if self._workspace is None:
            return make(0)
        return self._workspace.obtain(kind, rows, make, sample=sample)

    def __getstate__(self) -> dict[str, Any]:
        # A workspace is not sent to another process.
        return {k: v for k, v in self.__dict__.items() if k != "_workspace"}


def _some(rows: FloatArray, share: float) -> FloatArray:
    """Return a share of the rows, evenly spaced, at least one."""
    step = max(1, min(len(rows), round(1 / share)))
    return rows[::step]
