"""LOF: how much lower a row's local density is than that of its neighbours."""

from __future__ import annotations

from typing import Self

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError
from odbench_detectors.shared.estimator import is_count
from odbench_detectors.shared.neighbours.graph import NeighbourGraph
from odbench_detectors.shared.neighbours.means import mean_of_columns
from odbench_detectors.shared.neighbours.sharing import NeighbourDetector

# Without it, duplicates (reachability 0) would have infinite density.
_LEAST_REACH = 1e-10


class LOF(NeighbourDetector):
    """Local outlier factor of rows against the training rows [1]_.

    With N(x) the k nearest training rows and D(y) the distance from y to its k-th:
    ``reach(x, y) = max(D(y), |x - y|)``, ``density(x) = 1 / mean reach(x, y)`` and
    the score is ``mean density(y) / density(x)``, the means over y in N(x).

    Parameters
    ----------
    k : int, default=20
        Number of neighbours, 1 or more; limited to the training rows minus one.

    References
    ----------
    .. [1] Breunig, Kriegel, Ng, Sander, "LOF: identifying density-based local
       outliers", SIGMOD 2000.
    """

    def __init__(self, k: int = 20) -> None:
        self.k = k

    def neighbours_needed(self) -> int:
        """Return k, limited by the number of training rows.

        Raises
        ------
        DetectorError
            If k is below 1.
        """
        if not is_count(self.k, 1):
            msg = f"lof wants a whole number k >= 1; got k={self.k!r}"
            raise DetectorError(msg)
        return self.k

    def fit(self, X: FloatArray) -> Self:
        """Measure the local density of each row.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Training rows, finite.

        Returns
        -------
        LOF
            Itself.

        Raises
        ------
        DetectorError
            If a parameter is out of range, or the table is empty or not finite.
        """
        super().fit(X)
        if len(X) > 1:
            graph = self.train_graph()
            self._reach = graph.distances[:, -1].copy()
            self._density = self._densities(graph)
        return self

    def scores_of(self, graph: NeighbourGraph) -> FloatArray:
        """Return the outlier factor of each row, around 1 for inliers."""
        if len(self._train) == 1:
            return graph.distances[:, 0].copy()
        graph = graph.nearest(len(self._train) - 1)
        ratios = mean_of_columns(self._density[graph.rows])
        return ratios / self._densities(graph)

    def _densities(self, graph: NeighbourGraph) -> FloatArray:
        reach = np.maximum(graph.distances, self._reach[graph.rows])
        density: FloatArray = 1.0 / (mean_of_columns(reach) + _LEAST_REACH)
        return density
