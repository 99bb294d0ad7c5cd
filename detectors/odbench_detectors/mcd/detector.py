"""MCD: Mahalanobis distance under a robust covariance, estimated from a subset."""

from __future__ import annotations

import warnings

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.blocks import in_blocks
from odbench_detectors.shared.estimator import LIMIT, Estimator, check_ranges

# Directions whose spread is below this share of the largest count as constant.
_RANK_TOLERANCE = 1e-8
_LEAST = float(np.finfo(np.float64).tiny)


class MCD(Estimator):
    """Squared Mahalanobis distance under the minimum covariance determinant.

    The estimate [1]_ is scikit-learn's. It needs an invertible covariance, so rows are
    first whitened on the principal directions in which the training rows vary; with
    few rows, only the strongest (n - 1) // 5 of these are kept.

    Parameters
    ----------
    support : float or None, default=None
        Share of rows used for the estimate; None for (n + d + 1) / 2n.
    random_state : int or None, default=None
        Seed of the initial subsets.

    References
    ----------
    .. [1] Rousseeuw, Van Driessen, "A fast algorithm for the minimum covariance
       determinant estimator", Technometrics 41, 1999.
    """

    def __init__(
        self, support: float | None = None, random_state: int | None = None
    ) -> None:
        self.support = support
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        share = self.support
        check_ranges(
            "mcd",
            ("support", share, share is None or 0 < share <= 1, "above 0, at most 1"),
        )

    def fit(self, X: FloatArray) -> MCD:
        """Estimate centre and covariance of `X`, (n_rows, n_columns) float64."""
        self.check_params()
        X = self.train_rows(X)
        self._shift = X.mean(axis=0)
        self._turn = _directions(X - self._shift, most=max((len(X) - 1) // 5, 1))
        rows = (X - self._shift) @ self._turn
        centre, precision = self._estimate(rows)
        self._shift = self._shift + self._turn_back(centre)
        self._whiten = self._turn @ _root(precision)
        # Farther out, the square of a whitened value might overflow.
        steepest = float(np.abs(self._whiten).max())
        self._reach = LIMIT / max(steepest, _LEAST)
        return self

    def _turn_back(self, centre: FloatArray) -> FloatArray:
        return np.asarray(centre @ np.linalg.pinv(self._turn), dtype=np.float64)

    def _estimate(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return centre and precision; the classical estimates if MCD fails."""
        from sklearn.covariance import MinCovDet

        classical = np.zeros(rows.shape[1]), np.eye(rows.shape[1])
        if len(rows) < 2 * rows.shape[1] + 2:
            return classical
        model = MinCovDet(support_fraction=self.support, random_state=self.random_state)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # The estimate is degenerate if half of the rows lie in a plane; see below.
            warnings.simplefilter("ignore")
            try:
                model.fit(rows)
            except ValueError:
                # More than half of the rows are identical.
                return classical
        covariance = model.covariance_
        if not np.isfinite(covariance).all() or not np.isfinite(model.location_).all():
            return classical
        return model.location_, np.linalg.pinv(covariance, hermitian=True)

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows: float64, higher is more anomalous."""
        return in_blocks(self.rows_to_score(X), self._score)

    def _score(self, X: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            centred = np.clip(X - self._shift, -self._reach, self._reach)
        whitened = centred @ self._whiten
        squares: FloatArray = (whitened * whitened).sum(axis=1)
        return squares


def _directions(centred: FloatArray, most: int) -> FloatArray:
    """Return the directions of variance, (d, r), scaled to unit variance."""
    d = centred.shape[1]
    scale = np.abs(centred).max(initial=0.0) or 1.0
    values, vectors = np.linalg.eigh((centred / scale).T @ (centred / scale))
    order = np.argsort(values)[::-1][:most]
    strong = order[values[order] > values.max(initial=0.0) * _RANK_TOLERANCE**1.5]
    if len(strong) == 0:
        return np.eye(d)
    spreads = np.sqrt(values[strong] / len(centred)) * scale
    return np.asarray(vectors[:, strong] / spreads, dtype=np.float64)


def _root(precision: FloatArray) -> FloatArray:
    """Return R with R R' = precision."""
    values, vectors = np.linalg.eigh(precision)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)), dtype=np.float64)
