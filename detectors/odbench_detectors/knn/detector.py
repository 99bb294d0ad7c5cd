"""kNN: the distance to the nearest training rows."""

from __future__ import annotations

from odbench.arrays import FloatArray
from odbench.errors import DetectorError
from odbench_detectors.shared.estimator import is_count
from odbench_detectors.shared.neighbours.graph import NeighbourGraph
from odbench_detectors.shared.neighbours.means import mean_of_columns
from odbench_detectors.shared.neighbours.sharing import NeighbourDetector


class KNN(NeighbourDetector):
    """Distance to the k-th nearest training row, or the mean over the k nearest.

    Parameters
    ----------
    k : int, default=5
        Number of neighbours, 1 or more; at most all training rows are used.
    method : {"largest", "mean"}, default="largest"
        The distance to the k-th neighbour [1]_ or the mean distance [2]_.

    References
    ----------
    .. [1] Ramaswamy, Rastogi, Shim, "Efficient algorithms for mining outliers from
       large data sets", SIGMOD 2000.
    .. [2] Angiulli, Pizzuti, "Fast outlier detection in high dimensional spaces",
       PKDD 2002.
    """

    def __init__(self, k: int = 5, method: str = "largest") -> None:
        self.k = k
        self.method = method

    def neighbours_needed(self) -> int:
        """Return k.

        Raises
        ------
        DetectorError
            If a parameter is out of range.
        """
        if not is_count(self.k, 1) or self.method not in ("largest", "mean"):
            msg = (
                f"knn wants a whole number k >= 1 and method 'largest' or 'mean'; "
                f"got k={self.k!r}, method={self.method!r}"
            )
            raise DetectorError(msg)
        return self.k

    def scores_of(self, graph: NeighbourGraph) -> FloatArray:
        """Return the k-th or the mean distance of each row."""
        distances = graph.distances
        if self.method == "largest":
            return distances[:, -1].copy()
        return mean_of_columns(distances)
