"""PCA: distance from the principal axes, the weakest axes counting most."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from odbench.arrays import FloatArray
from odbench_detectors.shared.blocks import in_blocks
from odbench_detectors.shared.estimator import (
    Estimator,
    check_ranges,
    is_number,
    within_limit,
)

_LARGEST = float(np.finfo(np.float64).max)
_EPS = float(np.finfo(np.float64).eps)
# Where scikit-learn's PCA takes axes from the covariance: with at least so many rows
# per column, and at most so many columns. With more columns it is cheaper, too.
_ROWS_PER_COLUMN = 10
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
        X = within_limit(self.train_rows(X))
        with np.errstate(invalid="ignore"):
            self._mean, self._scale = _standard(X)
        if len(X) == 1:
            self._axes, self._shares = np.eye(X.shape[1]), np.ones(X.shape[1])
            return self
        with np.errstate(invalid="ignore", divide="ignore"):
            self._axes, variances = _principal_axes(self._standardised(X))
            shares = np.nan_to_num(variances / variances.sum(), nan=1.0)
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
        rows = within_limit(self.rows_to_score(X))
        # At once, because a few rows at a time take several times as long.
        return in_blocks(self._standardised(rows), self._score)

    def _standardised(self, X: FloatArray) -> FloatArray:
        Z = X - self._mean
        Z /= self._scale
        return Z

    def _score(self, Z: FloatArray) -> FloatArray:
        # |z - v|^2 = |z|^2 - 2 z.v + 1, the axes being unit vectors.
        squares = (Z * Z).sum(axis=1)[:, None] - 2.0 * (Z @ self._axes.T) + 1.0
        distances = np.sqrt(np.maximum(squares, 0.0))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            scores = (distances / self._shares).sum(axis=1)
        ranked: FloatArray = np.nan_to_num(scores, nan=_LARGEST, posinf=_LARGEST)
        return ranked


def _standard(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return means and standard deviations, as scikit-learn's ``StandardScaler``.

    The deviation of a column that is constant but for rounding is 1.
    """
    n_rows = len(X)
    mean = X.sum(axis=0) / n_rows
    departures = X - mean
    correction = departures.sum(axis=0)
    np.square(departures, out=departures)
    variance = (departures.sum(axis=0) - correction**2 / n_rows) / n_rows
    scale: FloatArray = np.sqrt(variance)
    rounding = n_rows * _EPS * variance + (n_rows * mean * _EPS) ** 2
    scale[variance <= rounding] = 1.0
    return mean, scale


def _principal_axes(Z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return axes as rows, the strongest first, and the variance along each.

    Bit for bit those of scikit-learn's ``PCA``, because an axis whose variance is a
    rounding error has the largest part in a score. Its import would take longer than
    all of a sweep's small tables.
    """
    n_rows, n_columns = Z.shape
    mean = Z.mean(axis=0)
    is_tall = n_columns <= _MANY_COLUMNS and n_rows >= _ROWS_PER_COLUMN * n_columns
    if is_tall or n_rows > n_columns > _MANY_COLUMNS:
        covariance = Z.T @ Z
        covariance -= n_rows * mean[:, None] * mean[None, :]
        covariance /= n_rows - 1
        ascending, vectors = np.linalg.eigh(covariance)
        variances = np.flip(ascending)
        variances[variances < 0.0] = 0.0
        axes = np.flip(vectors, axis=1).T
    else:
        _, singular, axes = linalg.svd(Z - mean, full_matrices=False)
        variances = singular**2 / (n_rows - 1)
    # An axis has two directions: its largest entry is positive.
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    return np.ascontiguousarray(axes * np.sign(largest)), variances
