"""Put the columns of a table on scales on which views can be taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odbench.arrays import FloatArray, IntArray

# Larger values are taken to lie here, so that no square overflows.
LIMIT = 1e100
# A table whose means and standard deviations are this close to 0 and 1 is standardised.
_CLOSE = 1e-6
# Axes with less than this share of the largest variance are rounding, not data.
_NEGLIGIBLE = 1e-6


@dataclass(frozen=True)
class Standard:
    """Standardise columns with the mean and standard deviation of train.

    Attributes
    ----------
    centre, spread : float64 array of shape (d,), or None
        None for a table that came standardised, which is left as it is, so that its
        neighbours can be shared. The spread of a constant column is 1.
    """

    centre: FloatArray | None
    spread: FloatArray | None

    @classmethod
    def of(cls, X: FloatArray) -> Standard:
        """Measure a train table, float64 of shape (n, d)."""
        clipped = _clip(X)
        centre = clipped.mean(axis=0)
        # Scaled by the largest magnitude, so that squares do not overflow.
        size = np.maximum(np.abs(clipped).max(axis=0), 1e-300)
        spread = np.std(clipped / size, axis=0) * size
        constant = (clipped == clipped[0]).all(axis=0) | (spread == 0.0)
        close = np.abs(centre) <= _CLOSE
        close &= (np.abs(spread - 1.0) <= _CLOSE) | (constant & (centre == 0.0))
        if clipped is X and close.all():
            return cls(None, None)
        # A constant column's mean may miss its value by rounding.
        centre = np.where(constant, clipped[0], centre)
        return cls(centre, np.where(constant, 1.0, spread))

    def apply(self, X: FloatArray) -> FloatArray:
        """Return the standardised rows; `X` itself where nothing is to be done."""
        clipped = _clip(X)
        if self.centre is None or self.spread is None:
            return clipped
        return _clip((clipped - self.centre) / self.spread)


def _clip(X: FloatArray) -> FloatArray:
    if X.size and max(X.max(), -X.min()) > LIMIT:
        return np.clip(X, -LIMIT, LIMIT)
    return X


def whitening(Z: FloatArray) -> FloatArray:
    """Return the axes on which a standardised table is uncorrelated with variance 1.

    Parameters
    ----------
    Z : float64 array of shape (n, d)

    Returns
    -------
    float64 array of shape (d, e)
        Principal axes over their standard deviations, negligible ones left out; at
        least one column.
    """
    n, d = Z.shape
    # The rows' products have the columns' axes in them, and are fewer where d > n.
    by_rows = d > n
    with np.errstate(over="ignore"):
        products = (Z @ Z.T if by_rows else Z.T @ Z) / n
    if not np.isfinite(products).all():
        return np.eye(d)
    variances, axes = np.linalg.eigh(products)
    kept = variances > _NEGLIGIBLE * variances[-1]
    if not kept.any():
        return np.eye(d)
    variances, axes = variances[kept], axes[:, kept]
    if by_rows:
        axes = Z.T @ (axes / np.sqrt(n * variances))
    whitened: FloatArray = np.ascontiguousarray(axes / np.sqrt(variances))
    return whitened


def normal_scores(share: FloatArray, n: int) -> FloatArray:
    """Turn shares of train rows below into quantiles of a standard normal.

    Parameters
    ----------
    share : float64 array of any shape
        From 0 to 1.
    n : int
        Train rows; shares are kept half a row away from 0 and 1.

    Returns
    -------
    float64 array of the same shape
    """
    from scipy.special import ndtri

    edge = 0.5 / n
    scores: FloatArray = ndtri(np.clip(share, edge, 1.0 - edge))
    return scores


def sample(n: int, size: int, seed: int) -> IntArray:
    """Draw `size` of n rows without replacement, ascending, always the same."""
    if size >= n:
        return np.arange(n)
    rng = np.random.default_rng(seed)
    chosen: IntArray = np.sort(rng.choice(n, size, replace=False))
    return chosen
