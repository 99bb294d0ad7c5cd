"""Fit Gaussian mixtures by expectation maximisation, starting from k-means.

The same steps in the same order as scikit-learn's ``GaussianMixture``, so the same
result; its checks of each array take half of the time on tables of 1,000 rows.
"""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import numpy as np

from odbench.arrays import FloatArray

# scikit-learn's defaults: most rounds, and the gain of a round after which it stops.
_ROUNDS, _ENOUGH = 100, 1e-3
# A component without rows has this size, so that nothing is divided by 0.
_NO_ROWS = 10 * float(np.finfo(np.float64).eps)
_NOT_DEFINITE = (
    "a covariance of the mixture is not positive definite; use fewer components or a "
    "larger ridge"
)


class Gaussians(NamedTuple):
    """The components of a mixture.

    Attributes
    ----------
    weights : float64 array of shape (k,)
        Shares of the rows; they add up to 1.
    means : float64 array of shape (k, d)
    factors : float64 array of shape (k, d, d), or (k, d) for diagonal covariances
        Triangular square roots of the precisions: rows times a factor are white.
    """

    weights: FloatArray
    means: FloatArray
    factors: FloatArray


def fit_gaussians(
    X: FloatArray,
    *,
    components: int,
    is_diagonal: bool,
    ridge: float,
    random_state: int | None,
) -> Gaussians:
    """Fit a mixture until a round gains little likelihood.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        Finite; at least as many rows as components.
    components : int
        Number of components.
    is_diagonal : bool
        Whether covariances are diagonal.
    ridge : float
        Added to the diagonal of each covariance.
    random_state : int or None
        Seed of k-means; has no effect for one component.

    Returns
    -------
    Gaussians

    Raises
    ------
    ValueError
        If a covariance is not positive definite.
    """
    estimate = _diagonal_factors if is_diagonal else _full_factors
    responsibilities = _start(X, components, random_state)
    sizes, means = _moments(X, responsibilities)
    factors = estimate(X, responsibilities, sizes, means, ridge)
    found = Gaussians(sizes / len(X), means, factors)
    bound = -np.inf
    for _ in range(_ROUNDS):
        before = bound
        likelihoods, responsibilities = _expectation(X, found)
        sizes, means = _moments(X, responsibilities)
        factors = estimate(X, responsibilities, sizes, means, ridge)
        found = Gaussians(sizes / sizes.sum(), means, factors)
        bound = likelihoods.mean()
        if abs(bound - before) < _ENOUGH:
            break
    return found


def _start(X: FloatArray, components: int, random_state: int | None) -> FloatArray:
    """Return responsibilities of 0 and 1, by k-means."""
    if components == 1:
        return np.ones((len(X), 1))
    from sklearn.cluster import KMeans

    means = KMeans(components, n_init=1, random_state=random_state)
    with warnings.catch_warnings():
        # Clusters of too few distinct rows, or rounds, are a start all the same.
        warnings.simplefilter("ignore")
        clusters = means.fit(X).labels_
    start = np.zeros((len(X), components))
    start[np.arange(len(X)), clusters] = 1
    return start


def _moments(
    X: FloatArray, responsibilities: FloatArray
) -> tuple[FloatArray, FloatArray]:
    sizes = responsibilities.sum(axis=0) + _NO_ROWS
    means: FloatArray = (responsibilities.T @ X) / sizes[:, None]
    return sizes, means


def _full_factors(
    X: FloatArray,
    responsibilities: FloatArray,
    sizes: FloatArray,
    means: FloatArray,
    ridge: float,
) -> FloatArray:
    k, d = means.shape
    factors, unit = np.empty((k, d, d)), np.eye(d)
    for i in range(k):
        away = X - means[i]
        covariance = (away * responsibilities[:, i, None]).T @ away
        covariance /= sizes[i]
        covariance.flat[:: d + 1] += ridge
        factors[i] = _factor(covariance, unit)
    return factors


def _factor(covariance: FloatArray, unit: FloatArray) -> FloatArray:
    """Return the transposed inverse of the Cholesky factor."""
    from scipy.linalg.lapack import dpotrf, dtrtrs

    triangle, info = dpotrf(covariance, lower=True)
    if info or not np.isfinite(covariance).all():
        raise ValueError(_NOT_DEFINITE)
    inverse, _ = dtrtrs(triangle, unit, lower=True)
    factor: FloatArray = inverse.T
    return factor


def _diagonal_factors(
    X: FloatArray,
    responsibilities: FloatArray,
    sizes: FloatArray,
    means: FloatArray,
    ridge: float,
) -> FloatArray:
    variances = (responsibilities.T @ (X * X)) / sizes[:, None] - means**2 + ridge
    if (variances <= 0).any():
        raise ValueError(_NOT_DEFINITE)
    factors: FloatArray = 1.0 / np.sqrt(variances)
    return factors


def _expectation(X: FloatArray, mixture: Gaussians) -> tuple[FloatArray, FloatArray]:
    """Return each row's log-likelihood, (n,), and its responsibilities, (n, k)."""
    logs = _log_densities(X, mixture)
    logs += np.log(mixture.weights)
    likelihoods = _log_of_sum(logs)
    logs -= likelihoods[:, None]
    return likelihoods, np.exp(logs, out=logs)


def log_roots(factors: FloatArray) -> FloatArray:
    """Return the logs of the square roots of the precisions' determinants, (k,).

    Parameters
    ----------
    factors : float64 array of shape (k, d, d) or (k, d)
        As in `Gaussians`.
    """
    is_diagonal = factors.ndim == 2
    diagonals = factors if is_diagonal else np.diagonal(factors, axis1=1, axis2=2)
    logs: FloatArray = np.log(diagonals).sum(axis=1)
    return logs


def _log_densities(X: FloatArray, mixture: Gaussians) -> FloatArray:
    """Return the log-density of each row under each component, (n, k).

    `Mixture` centres rows before it whitens them. Here they are whitened first, as in
    scikit-learn: another order would round otherwise and fit another mixture.
    """
    _, means, factors = mixture
    d = X.shape[1]
    if factors.ndim == 2:
        precisions = factors**2
        logs: FloatArray = (means**2 * precisions).sum(axis=1) - 2.0 * (
            X @ (means * precisions).T
        )
        logs += X**2 @ precisions.T
    else:
        logs = np.empty((len(X), len(means)))
        for i, (mean, factor) in enumerate(zip(means, factors, strict=True)):
            white = X @ factor
            white -= mean @ factor
            white *= white
            logs[:, i] = white.sum(axis=1)
    logs += d * math.log(2 * math.pi)
    logs *= -0.5
    logs += log_roots(factors)
    return logs


def _log_of_sum(logs: FloatArray) -> FloatArray:
    """Return the logs of the sums of each row's exponentials.

    The largest terms are counted, and the others added to them relative to their sum.
    """
    top = logs.max(axis=1, keepdims=True)
    is_top = logs == top
    rest = np.where(is_top, -np.inf, logs)
    rest -= np.where(np.isfinite(top), top, 0.0)
    number = is_top.sum(axis=1, dtype=np.float64)
    share = np.exp(rest, out=rest).sum(axis=1) / number
    total: FloatArray = np.log1p(share) + np.log(number) + top[:, 0]
    return total
