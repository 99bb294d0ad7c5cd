"""Columns with mean 0 and standard deviation 1, as detectors get them in every run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odbench.arrays import FloatArray

# Differences of this many rounding errors come from writing decimals in binary.
_CONSTANT = 16 * float(np.finfo(np.float64).eps)
# Farther values are cut off, so that squares of differences stay finite.
_FARTHEST = 1e100


@dataclass(frozen=True)
class Scale:
    """The mean and the standard deviation of each column of some rows.

    Attributes
    ----------
    mean, deviation : float64 arrays of shape (d,)
        The deviation of a constant column is 1.
    """

    mean: FloatArray
    deviation: FloatArray

    @classmethod
    def of(cls, X: FloatArray) -> Scale:
        """Learn from rows, float64 of shape (n, d), at least one.

        The standard deviation is that of the population, as in scikit-learn's
        ``StandardScaler``.
        """
        # Columns are brought to order 1 first, so that squares do not overflow.
        unit = np.abs(X).max(axis=0)
        unit[unit == 0.0] = 1.0
        shrunk = X / unit
        mean = shrunk.mean(axis=0)
        deviation = np.sqrt(((shrunk - mean) ** 2).mean(axis=0))
        constant = shrunk.max(axis=0) - shrunk.min(axis=0) <= _CONSTANT
        return cls(
            np.where(constant, X[0], mean * unit),
            np.where(constant, 1.0, deviation * unit),
        )

    def apply(self, X: FloatArray) -> FloatArray:
        """Return rows in these units, float64 of shape (n, d), C-contiguous."""
        with np.errstate(over="ignore"):
            scaled = (X - self.mean) / self.deviation
        return np.ascontiguousarray(np.clip(scaled, -_FARTHEST, _FARTHEST))
