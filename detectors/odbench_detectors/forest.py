"""Isolation forest: rows that few random cuts set apart are anomalous."""

from __future__ import annotations

from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.detector import DetectorInfo
from odbench_detectors.estimator import Estimator

# scikit-learn's trees hold float32.
_FLOAT32_MAX = float(np.finfo(np.float32).max) / 2


class IsolationForest(Estimator):
    """Isolation forest over scikit-learn's trees.

    The score is ``2 ** (-E[h(x)] / c(samples))``, h being the depth at which a tree
    isolates the row and c the mean depth of an unsuccessful search [1]_.

    Parameters
    ----------
    trees : int, default=100
        Number of trees.
    samples : int, default=256
        Training rows that each tree sees, at most all of them.
    random_state : int or None, default=None
        Seed.

    References
    ----------
    .. [1] Liu, Ting, Zhou, "Isolation Forest", ICDM 2008.
    """

    def __init__(
        self, trees: int = 100, samples: int = 256, random_state: int | None = None
    ) -> None:
        self.trees = trees
        self.samples = samples
        self.random_state = random_state

    def fit(self, X: FloatArray) -> IsolationForest:
        """Grow the trees on `X`, (n_rows, n_columns) float64."""
        from sklearn.ensemble import IsolationForest as Forest

        X = _clipped(X)
        if len(X) == 1:
            X = np.repeat(X, 2, axis=0)  # a tree of one row has no depth
        self._forest = Forest(
            n_estimators=self.trees,
            max_samples=min(self.samples, len(X)),
            random_state=self.random_state,
        ).fit(X)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows: float64 in (0, 1), higher is more anomalous."""
        scores: FloatArray = -self._forest.score_samples(_clipped(X))
        return scores


def _clipped(X: Any) -> FloatArray:
    clipped: FloatArray = np.clip(
        np.asarray(X, dtype=np.float64), -_FLOAT32_MAX, _FLOAT32_MAX
    )
    return clipped


IFOREST = DetectorInfo(
    name="iforest",
    summary="Isolation forest: mean depth at which random cuts set a row apart",
    build=IsolationForest,
    reference="https://doi.org/10.1109/ICDM.2008.17",
    params={"trees": 100, "samples": 256},
    grid={"trees": (100, 300), "samples": (128, 256, 1024)},
    deterministic=False,
    core=True,
)
