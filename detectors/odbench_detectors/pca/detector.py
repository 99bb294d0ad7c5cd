"""PCA: distance from the principal axes, the weakest axes counting most."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.blocks import in_blocks
from odbench_detectors.shared.estimator import Estimator

_LARGEST = float(np.finfo(np.float64).max)
# Above so many columns, the covariance is cheaper than scikit-learn's own choice.
_MANY_COLUMNS = 1000


class PCA(Estimator):
    """PCA detector, all components, weighted by inverse eigenvalues.

    The score of a standardised row z is ``sum_j |z - v_j| / w_j``: v_j is the j-th
    principal axis as a unit vector, w_j its share of the variance. It is PyOD's
    reading of [1]_ and the one that published tables use; the measure in the paper
    is ``sum_j (v_j . z)^2 / w_j``.

    Parameters
    ----------
    floor : float, default=0.0
        The least share of the variance that an axis is given. With 0, a table whose
        columns depend on each other has axes without variance. Where one comes out as
        0, every score is infinite, and all rows get the largest float: no ranking, as
        in published tables. Where it comes out as rounding, it decides alone; which,
        depends on the processor. A small floor, 1e-12 say, ranks such tables too.

    References
    ----------
    .. [1] Shyu, Chen, Sarinnapakorn, Chang, "A novel anomaly detection scheme based
       on principal component classifier", 2003.
    """

    def __init__(self, floor: float = 0.0) -> None:
        self.floor = floor

    def fit(self, X: FloatArray) -> PCA:
        """Find the axes of `X`, (n_rows, n_columns) float64."""
        from sklearn import decomposition
        from sklearn.preprocessing import StandardScaler

        X = self.train_rows(X)
        self._scaler = StandardScaler().fit(X)
        if len(X) == 1:
            self._axes, self._shares = np.eye(X.shape[1]), np.ones(X.shape[1])
            return self
        wide = X.shape[1] > _MANY_COLUMNS and len(X) > X.shape[1]
        solver = "covariance_eigh" if wide else "auto"
        with np.errstate(invalid="ignore", divide="ignore"):
            found = decomposition.PCA(svd_solver=solver).fit(self._scaler.transform(X))
        shares = np.nan_to_num(found.explained_variance_ratio_, nan=1.0)
        self._axes = np.ascontiguousarray(found.components_)
        self._shares = np.maximum(shares, self.floor)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows: float64, higher is more anomalous."""
        return in_blocks(self.rows_to_score(X), self._score)

    def _score(self, X: FloatArray) -> FloatArray:
        Z = self._scaler.transform(X)
        # |z - v|^2 = |z|^2 - 2 z.v + 1, the axes being unit vectors.
        squares = (Z * Z).sum(axis=1)[:, None] - 2.0 * (Z @ self._axes.T) + 1.0
        distances = np.sqrt(np.maximum(squares, 0.0))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            scores = (distances / self._shares).sum(axis=1)
        ranked: FloatArray = np.nan_to_num(scores, nan=_LARGEST, posinf=_LARGEST)
        return ranked
