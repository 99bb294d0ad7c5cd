"""Fit Gaussian mixtures by expectation maximisation, starting from k-means.

The same steps as in scikit-learn's ``GaussianMixture``, so the same result up to
rounding; its checks of each array take half of the time on tables of 1,000 rows, and
sums over short rows half of the rest. So columns and components come first here.
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
    columns = np.ascontiguousarray(X.T)
    estimate = _diagonal_factors if is_diagonal else _full_factors
    shares = _start(X, components, random_state)
    sizes, means = _moments(columns, shares)
    factors = estimate(columns, shares, sizes, means, ridge)
    found = Gaussians(sizes / len(X), means, factors)
    bound = -np.inf
    for _ in range(_ROUNDS):
        before = bound
        likelihoods, shares = _expectation(columns, found)
        sizes, means = _moments(columns, shares)
        factors = estimate(columns, shares, sizes, means, ridge)
        found = Gaussians(sizes / sizes.sum(), means, factors)
        bound = likelihoods.mean()
        if abs(bound - before) < _ENOUGH:
            break
    return found


def _start(X: FloatArray, components: int, random_state: int | None) -> FloatArray:
    """Return shares of 0 and 1, (k, n): each row belongs to a cluster of k-means."""
    if components == 1:
        return np.ones((1, len(X)))
    from sklearn.cluster import KMeans

    means = KMeans(components, n_init=1, random_state=random_state)
    with warnings.catch_warnings():
        # Clusters of too few distinct rows, or rounds, are a start all the same.
        warnings.simplefilter("ignore")
        clusters = means.fit(X).labels_
    start = np.zeros((components, len(X)))
    start[clusters, np.arange(len(X))] = 1
    return start


def _moments(columns: FloatArray, shares: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the components' sizes, (k,), and means, (k, d)."""
    sizes = shares.sum(axis=1) + _NO_ROWS
    means: FloatArray = (shares @ columns.T) / sizes[:, None]
    return sizes, means


def _full_factors(
    columns: FloatArray,
    shares: FloatArray,
    sizes: FloatArray,
    means: FloatArray,
    ridge: float,
) -> FloatArray:
    k, d = means.shape
    factors, unit = np.empty((k, d, d)), np.eye(d)
    for i in range(k):
        away = columns - means[i, :, None]
        covariance = (away * shares[i]) @ away.T
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
    columns: FloatArray,
    shares: FloatArray,
    sizes: FloatArray,
    means: FloatArray,
    ridge: float,
) -> FloatArray:
    variances = (shares @ (columns * columns).T) / sizes[:, None] - means**2 + ridge
    if (variances <= 0).any():
        raise ValueError(_NOT_DEFINITE)
    factors: FloatArray = 1.0 / np.sqrt(variances)
    return factors


def _expectation(
    columns: FloatArray, mixture: Gaussians
) -> tuple[FloatArray, FloatArray]:
    """Return each row's log-likelihood, (n,), and the components' shares, (k, n)."""
    logs = _log_densities(columns, mixture)
    logs += np.log(mixture.weights)[:, None]
    top = logs.max(axis=0)
    logs -= top
    shares = np.exp(logs, out=logs)
    total = shares.sum(axis=0)
    shares /= total
    likelihoods: FloatArray = top + np.log(total)
    return likelihoods, shares


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


def _log_densities(columns: FloatArray, mixture: Gaussians) -> FloatArray:
    """Return the log-density of each row under each component, (k, n).

    `Mixture` centres rows before it whitens them. Here they are whitened first, as in
    scikit-learn, which needs one copy of the table less for each component.
    """
    _, means, factors = mixture
    if factors.ndim == 2:
        precisions = factors**2
        logs: FloatArray = (means**2 * precisions).sum(axis=1)[:, None] - 2.0 * (
            (means * precisions) @ columns
        )
        logs += precisions @ columns**2
    else:
        logs = np.empty((len(means), columns.shape[1]))
        for i, (mean, factor) in enumerate(zip(means, factors, strict=True)):
            white = factor.T @ columns
            white -= (mean @ factor)[:, None]
            white *= white
            white.sum(axis=0, out=logs[i])
    logs += len(columns) * math.log(2 * math.pi)
    logs *= -0.5
    logs += log_roots(factors)[:, None]
    return logs
