"""The detector CATS: calibrated tails of three views, added up."""

from __future__ import annotations

from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.cats.nearest import nearest

MAX_CALIBRATION = 10_000
BIG = 1e150


class CATS:
    """CAlibrated Tail Sum.

    Each view scores a row by a cheap rule; the score is turned into the share of
    train rows that score at least as high *without having seen themselves*, and the
    negative logarithms of these shares are added up. No parameters.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return no parameters."""
        return {}

    def fit(self, X: FloatArray) -> CATS:
        """Learn from inliers.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)

        Returns
        -------
        CATS
            Itself.
        """
        X = np.clip(np.asarray(X, dtype=np.float64), -BIG, BIG)
        self._centre = X.mean(axis=0)
        spread = X.std(axis=0)
        self._constant = ~(spread > 1e-12 * np.maximum(np.abs(self._centre), 1e-300))
        self._spread = np.where(self._constant, 1.0, spread)
        Z = self._scale(X)
        values, vectors = np.linalg.eigh(Z.T @ Z / len(Z))
        kept = values > 1e-6 * values.max()
        self._rotation = vectors[:, kept] / np.sqrt(values[kept])
        self._spaces = [(np.eye(Z.shape[1]), Z), (self._rotation, Z @ self._rotation)]
        self._columns = np.sort(Z, axis=0)
        rows = np.arange(len(Z))
        if len(Z) > MAX_CALIBRATION:
            rng = np.random.default_rng(len(Z))
            rows = np.sort(rng.choice(rows, MAX_CALIBRATION, replace=False))
        self._reference = [np.sort(view) for view in self._views(Z[rows], rows)]
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows; higher is more anomalous.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)

        Returns
        -------
        float64 array of shape (n_rows,)
        """
        Z = self._scale(np.clip(np.asarray(X, dtype=np.float64), -BIG, BIG))
        total = np.zeros(len(Z))
        for view, reference in zip(self._views(Z, None), self._reference, strict=True):
            above = len(reference) - np.searchsorted(reference, view, side="left")
            total -= np.log((1 + above) / (len(reference) + 1))
        return total

    def _scale(self, X: FloatArray) -> FloatArray:
        return np.where(self._constant, 0.0, (X - self._centre) / self._spread)

    def _views(self, Z: FloatArray, skip: Any) -> list[FloatArray]:
        views = [
            nearest(np.ascontiguousarray(Z @ axes), np.ascontiguousarray(R), skip)
            for axes, R in self._spaces
        ]
        own = 0 if skip is None else 1
        n = len(self._columns)
        surprise = np.zeros(len(Z))
        for j in range(Z.shape[1]):
            left = np.searchsorted(self._columns[:, j], Z[:, j], side="right") - own
            right = n - np.searchsorted(self._columns[:, j], Z[:, j]) - own
            rarest = np.minimum(left, right)
            surprise = np.maximum(surprise, -np.log((1 + rarest) / (n - own + 1)))
        return [*views, surprise]
