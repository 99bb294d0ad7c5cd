"""Scale columns for a network: standardised, bounded, float32."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray

# Training rows lie within sqrt(n - 1) standard deviations of the mean, 316 for 100,000
# rows. Values beyond this limit are compressed, because a network squares them in
# float32.
LIMIT = 1000.0
# Columns whose spread is below this share of their largest value are constant: the
# spread is rounding.
_CONSTANT = 1e-12
_CHUNK = 16_384
_SMALLEST = float(np.finfo(np.float64).smallest_subnormal)


class Scaling:
    """Standardise columns by the training rows, and compress far values.

    A value z beyond ±`LIMIT` standard deviations becomes
    ``sign(z) (LIMIT + log(|z| / LIMIT))``, which keeps the order of values and the
    squares finite. A column that is constant in training is centred and divided by its
    largest absolute value, or by 1 if that is 0.

    Parameters
    ----------
    X : float64 array of shape (n_rows, n_columns)
        The training rows, finite.

    Attributes
    ----------
    centre, scale : float64 array of shape (n_columns,)
        The mean, and the standard deviation with divisor n.
    """

    def __init__(self, X: FloatArray) -> None:
        # Dividing first keeps sums and squares of values near 1e308 finite.
        largest = np.abs(X).max(axis=0)
        unit = np.where(largest > 0, largest, 1.0)
        mean, variance = _moments(X, unit)
        spread = np.sqrt(variance)
        self.centre: FloatArray = mean * unit
        scale = np.where(spread > _CONSTANT, spread, 1.0) * unit
        # The spread of values near the smallest float rounds to 0.
        self.scale: FloatArray = np.maximum(scale, _SMALLEST)

    def into(self, X: FloatArray, scaled: NDArray[np.float32]) -> None:
        """Write the scaled rows of `X` into a float32 array of the same shape."""
        for start in range(0, len(X), _CHUNK):
            rows = slice(start, start + _CHUNK)
            scaled[rows] = self._bounded(X[rows])

    def _bounded(self, X: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            z = X / self.scale - self.centre / self.scale
        far = np.abs(z) > LIMIT
        if far.any():
            size = np.minimum(np.abs(z[far]), np.finfo(np.float64).max)
            z[far] = np.sign(z[far]) * (LIMIT + np.log(size / LIMIT))
        return z


def _moments(X: FloatArray, unit: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance of ``X / unit`` per column, in bounded memory."""
    chunks = range(0, len(X), _CHUNK)
    mean = sum((X[i : i + _CHUNK] / unit).sum(axis=0) for i in chunks) / len(X)
    squares = sum(((X[i : i + _CHUNK] / unit - mean) ** 2).sum(axis=0) for i in chunks)
    return mean, squares / len(X)
