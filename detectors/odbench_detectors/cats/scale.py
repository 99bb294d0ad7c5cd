"""Transform the columns of a table to the scales that the views use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.sort import sorted_rows

# Values are clipped to this limit, so that squares do not overflow.
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
        None for a table that is already standardised, which is not changed so that its
        neighbours can be shared. The spread of a constant column is 1.
    """

    centre: FloatArray | None
    spread: FloatArray | None

    @classmethod
    def of(cls, columns: FloatArray) -> Standard:
        """Estimate the scale of a train table.

        Parameters
        ----------
        columns : float64 array of shape (d, n)
            Each column ascending, so that the order of rows does not change a sum.
        """
        clipped = _clip(columns)
        centre = clipped.mean(axis=1)
        # Divide by the largest magnitude, so that squares do not overflow.
        size = np.maximum(np.abs(clipped[:, [0, -1]]).max(axis=1), 1e-300)
        spread = np.std(clipped / size[:, None], axis=1) * size
        constant = (clipped[:, 0] == clipped[:, -1]) | (spread == 0.0)
        close = np.abs(centre) <= _CLOSE
        close &= (np.abs(spread - 1.0) <= _CLOSE) | (constant & (centre == 0.0))
        if clipped is columns and close.all():
            return cls(None, None)
        # The mean of a constant column may differ from its value by rounding.
        centre = np.where(constant, clipped[:, 0], centre)
        return cls(centre, np.where(constant, 1.0, spread))

    def apply(self, X: FloatArray) -> FloatArray:
        """Return the standardised rows; `X` itself if it is already standardised."""
        clipped = _clip(X)
        if self.centre is None or self.spread is None:
            return clipped
        # Rows to score may be of another order of magnitude than train.
        with np.errstate(over="ignore"):
            return _clip((clipped - self.centre) / self.spread)


def standardised(X: FloatArray) -> FloatArray:
    """Return rows on their own standard scale; `X` itself if it has that already.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        Finite. The order of the rows does not change their values.
    """
    return Standard.of(sorted_rows(X.T)).apply(X)


def _clip(X: FloatArray) -> FloatArray:
    if X.size and max(X.max(), -X.min()) > LIMIT:
        return np.clip(X, -LIMIT, LIMIT)
    return X


def whitening(Z: FloatArray) -> FloatArray:
    """Return axes on which a standardised table has uncorrelated unit variances.

    Parameters
    ----------
    Z : float64 array of shape (n, d)

    Returns
    -------
    float64 array of shape (d, e)
        Principal axes divided by their standard deviations, without negligible ones;
        at least one column.
    """
    n, d = Z.shape
    # If d > n, the smaller matrix of products of rows yields the same axes.
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
    """Transform shares of train rows below a value to normal scores.

    Parameters
    ----------
    share : float64 array of any shape
        From 0 to 1.
    n : int
        Number of train rows; shares are kept half a row away from 0 and 1.

    Returns
    -------
    float64 array of the same shape
    """
    from scipy.special import ndtri

    edge = 0.5 / n
    scores: FloatArray = ndtri(np.clip(share, edge, 1.0 - edge))
    return scores
