"""PCA: distance from the principal axes, the weakest axes counting most."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.blocks import in_blocks
from odbench_detectors.shared.estimator import Estimator, check_ranges, is_number

_LARGEST = float(np.finfo(np.float64).max)
# Above this number of columns, the covariance is cheaper than scikit-learn's default.
_MANY_COLUMNS = 1000


class PCA(Estimator):
    """PCA detector, all components, weighted by inverse eigenvalues.

    The score of a standardised row z is ``sum_j |z - v_j| / w_j``: v_j is the j-th
    principal axis as a unit vector, w_j its share of the variance. This is PyOD's
    variant of [1]_, the one in published tables; the measure in the paper is
    ``sum_j (v_j . z)^2 / w_j``.

    Parameters
    ----------
    floor : float, default=0.0
        Lower bound on an axis's share of the variance. With 0, a table with linearly
        dependent columns has axes without variance. If such a variance is computed as
        exactly 0, every score is infinite and all rows get the largest float, so
        there is no ranking, as in published tables. If it is computed as a rounding
        error, that axis dominates the score, and the result depends on the processor.
        A small floor such as 1e-12 ranks these tables, too.

    References
    ----------
    .. [1] Shyu, Chen, Sarinnapakorn, Chang, "A novel anomaly detection scheme based
       on principal component classifier", 2003.
    """

    def __init__(self, floor: float = 0.0) -> None:
        self.floor = floor

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        check_ranges(
            "pca",
            ("floor", self.floor, is_number(self.floor, 0), ">= 0"),
        )

    def fit(self, X: FloatArray) -> PCA:
        """Find the principal axes.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Training rows, finite.

        Returns
        -------
        PCA
            Itself.

        Raises
        ------
        DetectorError
            If a parameter is out of range, or the table is empty or not finite.
        """
        self.check_params()
        from sklearn import decomposition
        from sklearn.preprocessing import StandardScaler

        X = self.train_rows(X)
        self._scaler = StandardScaler().fit(X)
        if len(X) == 1:
            self._axes, self._shares = np.eye(X.shape[1]), np.ones(X.shape[1])
            return self
        many_columns = X.shape[1] > _MANY_COLUMNS and len(X) > X.shape[1]
        solver = "covariance_eigh" if many_columns else "auto"
        with np.errstate(invalid="ignore", divide="ignore"):
            found = decomposition.PCA(svd_solver=solver).fit(self._scaler.transform(X))
        shares = np.nan_to_num(found.explained_variance_ratio_, nan=1.0)
        self._axes = np.ascontiguousarray(found.components_)
        self._shares = np.maximum(shares, self.floor)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Rows to score, finite, with the columns of `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            0 or more; higher is more anomalous.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not finite.
        """
        rows = self.rows_to_score(X)
        # As the scaler does it, which takes no empty table and is slow in small blocks.
        Z = (rows - self._scaler.mean_) / self._scaler.scale_
        return in_blocks(Z, self._score)

    def _score(self, Z: FloatArray) -> FloatArray:
        # |z - v|^2 = |z|^2 - 2 z.v + 1, the axes being unit vectors.
        squares = (Z * Z).sum(axis=1)[:, None] - 2.0 * (Z @ self._axes.T) + 1.0
        distances = np.sqrt(np.maximum(squares, 0.0))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            scores = (distances / self._shares).sum(axis=1)
        ranked: FloatArray = np.nan_to_num(scores, nan=_LARGEST, posinf=_LARGEST)
        return ranked
