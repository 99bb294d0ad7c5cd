"""A small Gaussian mixture, the density view of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.cats.mixture_kernels import (
    log_joint,
    log_sum,
    moments,
    nearest_centre,
    responsibilities,
    scatter,
)

COMPONENTS = 8
# Covariances are diagonal for more columns than this, or for fewer rows per component
# and column than this.
_FULL_COLUMNS = 50
_ROWS_A_COLUMN = 3
_RIDGE = 1e-3
_ROUNDS, _LLOYD = 10, 3
_ENOUGH = 1e-2


@dataclass(frozen=True)
class Mixture:
    """A fitted mixture, with the shapes of `log_joint`."""

    means: FloatArray
    factors: FloatArray
    offsets: FloatArray

    @property
    def full(self) -> bool:
        """Whether components have full covariances."""
        return len(self.factors[0]) == len(self.means[0])

    def likeliest(self, rows: FloatArray) -> IntArray:
        """Return the most likely component of each row, (m,) int64."""
        joint = self._joint(rows)
        likeliest: IntArray = joint.argmax(axis=1)
        return likeliest

    def surprise(self, rows: FloatArray) -> FloatArray:
        """Return minus the log density of rows, up to a constant.

        Parameters
        ----------
        rows : float64 array of shape (m, d)

        Returns
        -------
        float64 array of shape (m,)
        """
        return -log_sum(self._joint(rows))

    def _joint(self, rows: FloatArray) -> FloatArray:
        # One memory layout, because the order of summation depends on it.
        rows = np.ascontiguousarray(rows)
        return log_joint(rows, self.means, self.factors, self.offsets)


def fit_mixture(rows: FloatArray, rng: np.random.Generator) -> Mixture:
    """Fit by expectation-maximisation from a k-means start.

    Parameters
    ----------
    rows : float64 array of shape (n, d)
        At least one row; columns of about unit variance, because 0.001 is added.
    rng : numpy Generator
        Draws the first centres.

    Returns
    -------
    Mixture
    """
    rows = np.ascontiguousarray(rows)
    n, d = rows.shape
    k = max(1, min(COMPONENTS, n // 10))
    full = d <= _FULL_COLUMNS and n > _ROWS_A_COLUMN * d * k
    columns = np.ascontiguousarray(rows.T)
    nearest = nearest_centre(rows, _centres(rows, k, rng))
    shares = np.ascontiguousarray(np.eye(k)[:, nearest])
    last = -np.inf
    for _ in range(_ROUNDS):
        mixture = _maximise(columns, shares, full=full)
        joint = log_joint(rows, mixture.means, mixture.factors, mixture.offsets)
        shares, likelihood = responsibilities(joint)
        if likelihood - last < _ENOUGH:
            break
        last = likelihood
    return mixture


def _maximise(columns: FloatArray, shares: FloatArray, *, full: bool) -> Mixture:
    d, n = columns.shape
    mass, means = moments(columns, shares)
    covariances = scatter(columns, shares, means, full) / mass[:, None, None]
    if full:
        covariances += _RIDGE * np.eye(d)
        lower = np.linalg.cholesky(covariances)
        factors = np.ascontiguousarray(np.linalg.inv(lower).transpose(0, 2, 1))
        diagonals = np.diagonal(factors, axis1=1, axis2=2)
    else:
        factors = 1.0 / np.sqrt(covariances + _RIDGE)
        diagonals = factors[:, 0]
    offsets = np.log(mass / n) + np.log(diagonals).sum(axis=1)
    return Mixture(means, factors, offsets)


def _centres(rows: FloatArray, k: int, rng: np.random.Generator) -> FloatArray:
    """Choose k centres by k-means++ and a few iterations of Lloyd's algorithm."""
    centres = np.empty((k, rows.shape[1]))
    centres[0] = rows[rng.integers(len(rows))]
    square = _square(rows, centres[0])
    for c in range(1, k):
        total = square.sum()
        chance = square / total if total > 0 else None
        centres[c] = rows[rng.choice(len(rows), p=chance)]
        square = np.minimum(square, _square(rows, centres[c]))
    for _ in range(_LLOYD):
        nearest = nearest_centre(rows, centres)
        for c in np.unique(nearest):
            centres[c] = rows[nearest == c].mean(axis=0)
    return centres


def _square(rows: FloatArray, centre: FloatArray) -> FloatArray:
    square: FloatArray = ((rows - centre) ** 2).sum(axis=1)
    return square
