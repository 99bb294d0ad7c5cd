"""Columns with mean 0 and standard deviation 1, as detectors get them in every run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odbench.arrays import FloatArray

# Differences of this many rounding errors come from writing decimals in binary.
_CONSTANT = 16 * float(np.finfo(np.float64).eps)
# Farther values are drawn in, to twice this at most and in their order, so that one of
# them leaves the others their digits. Only numbers beyond any unit and new rows can be
# so far: none of the n numbers behind a deviation is farther than the root of n.
_FARTHEST = 1e3
# Share of the root of n from which values are drawn in where some are beyond any unit,
# so that these end where the farthest number could be, and hide no other.
_NEAREST = 0.5
# Values that were drawn in to this share of their limit cannot be told from the end.
_AT_THE_END = 1.0 - 1e-9
# Times the other numbers, and 1, from which a number is no measurement in any unit:
# there are as many picometres in a metre.
BEYOND = 1e12


@dataclass(frozen=True)
class Scale:
    """The mean and the standard deviation of each column of some rows.

    Numbers beyond any unit, such as a 1e20 that stands for missing values, do not
    count; they would leave the other rows no differences.

    Attributes
    ----------
    mean, deviation : float64 arrays of shape (d,)
        The deviation of a constant column is 1.
    farthest : float64 array of shape (d,), or float
        Deviations from which values are drawn in, in their order, to twice that.
    """

    mean: FloatArray
    deviation: FloatArray
    farthest: FloatArray | float = _FARTHEST

    @classmethod
    def of(cls, X: FloatArray) -> Scale:
        """Learn from rows, float64 of shape (n, d), at least one.

        The standard deviation is that of the population, as in scikit-learn's
        ``StandardScaler``.
        """
        mean, deviation = _moments(X)
        farthest = np.full(X.shape[1], _FARTHEST)
        for j in np.flatnonzero(np.abs(X).max(axis=0) >= BEYOND):
            near = np.abs(X[:, j]) < first_beyond(X[:, j])
            if not near.all():
                one = _moments(X[near, j : j + 1])
                mean[j], deviation[j] = one[0][0], one[1][0]
                farthest[j] = min(_NEAREST * np.sqrt(len(X)), _FARTHEST)
        return cls(mean, deviation, farthest)

    def apply(self, X: FloatArray) -> FloatArray:
        """Return rows in these units, float64 of shape (n, d), C-contiguous."""
        with np.errstate(over="ignore"):
            scaled = np.ascontiguousarray((X - self.mean) / self.deviation)
        limit = np.broadcast_to(self.farthest, scaled.shape)
        far = np.abs(scaled) > limit
        drawn = limit[far] * (2.0 - limit[far] / np.abs(scaled[far]))
        scaled[far] = np.copysign(drawn, scaled[far])
        return scaled

    def restore(self, Z: FloatArray) -> FloatArray:
        """Return rows in their own units; infinite where they were drawn in to the end.

        Rounding may cost the last digits.
        """
        limit = np.broadcast_to(self.farthest, Z.shape)
        far = np.abs(Z) > limit
        away = Z.copy()
        left = 2.0 - np.abs(Z[far]) / limit[far]
        end = left <= 2.0 * (1.0 - _AT_THE_END)
        size = np.where(end, np.inf, limit[far] / np.where(end, 1.0, left))
        away[far] = np.copysign(size, Z[far])
        return away * self.deviation + self.mean


def _moments(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean and the deviation of each column."""
    # Columns are brought to order 1 first, so that squares do not overflow.
    unit = np.abs(X).max(axis=0)
    unit[unit == 0.0] = 1.0
    shrunk = X / unit
    mean = shrunk.mean(axis=0)
    deviation = np.sqrt(((shrunk - mean) ** 2).mean(axis=0))
    constant = shrunk.max(axis=0) - shrunk.min(axis=0) <= _CONSTANT
    return (
        np.where(constant, X[0], mean * unit),
        np.where(constant, 1.0, deviation * unit),
    )


def first_beyond(values: FloatArray) -> float:
    """Return the size from which numbers are beyond any unit, infinity if none is.

    These are at least 1e12 times as large as all others and as 1, so that rounding
    errors beside a few true values do not count. At most half of the different sizes
    are beyond, and the other numbers are not all equal.

    Parameters
    ----------
    values : float64 array of shape (n,)
        Finite, at least one.

    Examples
    --------
    >>> import numpy as np
    >>> first_beyond(np.array([3.0, -1e34, 7.0, 1e20])), first_beyond(np.arange(9.0))
    (1e+20, inf)
    """
    if np.abs(values).max() < BEYOND:
        return float("inf")
    sizes = np.unique(np.abs(values))
    gaps = np.flatnonzero(sizes[1:] / BEYOND >= np.maximum(sizes[:-1], 1.0)) + 1
    gaps = gaps[2 * gaps >= len(sizes)]
    if not len(gaps):
        return float("inf")
    first = float(sizes[gaps[0]])
    others = values[np.abs(values) < first]
    return first if others.min() < others.max() else float("inf")
