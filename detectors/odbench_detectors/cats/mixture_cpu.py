"""Numba kernels of the mixture: densities of components, moments of shares."""

from __future__ import annotations

import numpy as np
from numba import njit

from odbench.arrays import FloatArray


@njit(cache=True, nogil=True)
def log_joint(
    rows: FloatArray, means: FloatArray, factors: FloatArray, offsets: FloatArray
) -> FloatArray:
    """Return the log of each component's weight times its Gaussian density.

    Parameters
    ----------
    rows : float64 array of shape (m, d)
    means : float64 array of shape (K, d)
    factors : float64 array of shape (K, d, d), or (K, 1, d) if diagonal
        Each component's U with U @ U.T its precision, U upper triangular.
    offsets : float64 array of shape (K,)
        Log of weight and normalisation.

    Returns
    -------
    float64 array of shape (m, K)
    """
    m, d = rows.shape
    out = np.empty((m, len(means)))
    diagonal = factors.shape[1] == 1
    off = np.empty(d)
    for i in range(m):
        for k in range(len(means)):
            square = 0.0
            for j in range(d):
                off[j] = rows[i, j] - means[k, j]
            for j in range(d):
                if diagonal:
                    total = off[j] * factors[k, 0, j]
                else:
                    total = 0.0
                    for e in range(j + 1):
                        total += off[e] * factors[k, e, j]
                square += total * total
            out[i, k] = offsets[k] - 0.5 * square
    return out


@njit(cache=True, nogil=True)
def moments(rows: FloatArray, shares: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mass and mean of rows shared among components.

    Parameters
    ----------
    rows : float64 array of shape (n, d)
    shares : float64 array of shape (n, K)
        Of each row, from 0 to 1.

    Returns
    -------
    tuple of float64 arrays
        Mass (K,), above 0; means (K, d).
    """
    n, d = rows.shape
    k = shares.shape[1]
    mass = np.full(k, 1e-9)
    means = np.zeros((k, d))
    for i in range(n):
        for c in range(k):
            mass[c] += shares[i, c]
            for j in range(d):
                means[c, j] += shares[i, c] * rows[i, j]
    for c in range(k):
        for j in range(d):
            means[c, j] /= mass[c]
    return mass, means


@njit(cache=True, nogil=True)
def scatter(
    rows: FloatArray, shares: FloatArray, means: FloatArray, full: bool
) -> FloatArray:
    """Sum products of columns about each component's mean.

    Parameters
    ----------
    rows, shares, means
        As in `moments`.
    full : bool
        Whether to sum products of all columns, or squares only.

    Returns
    -------
    float64 array of shape (K, d, d), or (K, 1, d) of squares
    """
    n, d = rows.shape
    k = len(means)
    out = np.zeros((k, d if full else 1, d))
    off = np.empty(d)
    for i in range(n):
        for c in range(k):
            share = shares[i, c]
            # What a share this small adds is lost in rounding anyway.
            if share < 1e-12:
                continue
            for j in range(d):
                off[j] = rows[i, j] - means[c, j]
            if not full:
                for j in range(d):
                    out[c, 0, j] += share * off[j] * off[j]
                continue
            for e in range(d):
                weighted = share * off[e]
                for j in range(d):
                    out[c, e, j] += weighted * off[j]
    return out
