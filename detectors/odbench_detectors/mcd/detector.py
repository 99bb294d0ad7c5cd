"""MCD: Mahalanobis distance under a robust covariance, estimated from a subset."""

from __future__ import annotations

import math
import warnings

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.mcd.search import smallest_determinant, squared_distances
from odbench_detectors.shared.blocks import in_blocks
from odbench_detectors.shared.estimator import LIMIT, Estimator, check_ranges, is_number

# Directions whose spread is below this share of the largest count as constant.
_RANK_TOLERANCE = 1e-8
# Rows beyond this quantile of their distances have no weight in the final estimate.
_OUTLIERS = 0.025
_LEAST = float(np.finfo(np.float64).tiny)


class MCD(Estimator):
    """Squared Mahalanobis distance under the minimum covariance determinant.

    The estimate [1]_ equals scikit-learn's up to rounding. It needs an invertible
    covariance, so rows are first whitened on the principal directions in which the
    training rows vary; with few rows, only the strongest (n - 1) // 5 of these are
    kept.

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
            (
                "support",
                share,
                share is None or is_number(share, above=0, most=1),
                "above 0, at most 1",
            ),
        )

    def fit(self, X: FloatArray) -> MCD:
        """Estimate centre and covariance.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Training rows, finite.

        Returns
        -------
        MCD
            Itself.

        Raises
        ------
        DetectorError
            If a parameter is out of range, or the table is empty or not finite.
        """
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
        classical = np.zeros(rows.shape[1]), np.eye(rows.shape[1])
        if len(rows) < 2 * rows.shape[1] + 2:
            return classical
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # The estimate is degenerate if half of the rows lie in a plane; see below.
            warnings.simplefilter("ignore")
            raw = _raw_estimate(rows, self.support, self.random_state)
            if raw is None:
                return classical
            centre, covariance = _reweighted(rows, *raw)
        if not np.isfinite(covariance).all() or not np.isfinite(centre).all():
            return classical
        return centre, np.asarray(np.linalg.pinv(covariance, hermitian=True))

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Rows to score, finite, with the columns of `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            Squared Mahalanobis distance; higher is more anomalous.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not finite.
        """
        return in_blocks(self.rows_to_score(X), self._score)

    def _score(self, X: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            centred = np.clip(X - self._shift, -self._reach, self._reach)
        whitened = centred @ self._whiten
        squares: FloatArray = (whitened * whitened).sum(axis=1)
        return squares


def _raw_estimate(
    rows: FloatArray, support: float | None, seed: int | None
) -> tuple[FloatArray, float] | None:
    """Return squared distances by the best rows' moments, and the share of those rows.

    None if more than half of the rows are identical.
    """
    n, d = rows.shape
    h = min(math.ceil((n + d + 1) / 2), n) if support is None else int(support * n)
    h = max(h, 1)
    rng = np.random.RandomState(seed)
    if d == 1:
        from sklearn.covariance import fast_mcd

        _, covariance, _, squares = fast_mcd(rows, support, random_state=rng)
    else:
        found = smallest_determinant(rows, h, rng)
        covariance = found.covariances[0]
        squares = squared_distances(rows, found.centres, found.precisions)[0]
    if h < n and np.allclose(covariance, 0.0):
        return None
    return squares, h / n


def _reweighted(
    rows: FloatArray, squares: FloatArray, share: float
) -> tuple[FloatArray, FloatArray]:
    """Return centre and covariance of the rows that are no outliers.

    `squares` are raw squared distances, by a covariance of a `share` of the rows.
    """
    from scipy.special import gammaincinv

    d = rows.shape[1]
    limit = 2.0 * float(gammaincinv(d / 2, 1.0 - _OUTLIERS))
    kept = rows[squares / _consistency(d, share) < limit]
    away = kept - kept.mean(axis=0)
    covariance = away.T @ away / len(kept) * _consistency(d, 1.0 - _OUTLIERS)
    return kept.mean(axis=0), covariance


def _consistency(d: int, share: float) -> float:
    """Return the factor for the covariance of the innermost share of normal rows [2]_.

    References
    ----------
    .. [2] Croux, Haesbroeck, "Influence function and efficiency of the minimum
       covariance determinant scatter matrix estimator", Journal of Multivariate
       Analysis 71, 1999.
    """
    from scipy.special import gammainc, gammaincinv

    within = gammainc(d / 2 + 1, float(gammaincinv(d / 2, share)))
    return float(share / within)


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
