"""Calibrate numbers by the context rows' own: surprises in nats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.search import below_columns


@dataclass(frozen=True, eq=False)
class Tails:
    """The leave-one-out values of context rows, for several views at once.

    Attributes
    ----------
    ordered : float64 array of shape (n_views, n_rows)
        Each view's values, ascending, rounded to single precision so that rounding
        errors do not break ties.
    middle, spread : float64 arrays of shape (n_views,)
        Median, and distance from the median to the largest value.
    """

    ordered: FloatArray
    middle: FloatArray
    spread: FloatArray

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Calibrate on values of shape (n_rows, n_views); higher is more anomalous."""
        ordered = np.sort(_rounded(values).T, axis=1)
        middle = ordered[:, ordered.shape[1] // 2]
        spread = ordered[:, -1] - middle
        small = 1e-6 * np.maximum(np.abs(ordered[:, -1]), 1e-6)
        return cls(ordered, middle, np.maximum(spread, small))

    def surprise(self, values: FloatArray, *, own: bool) -> FloatArray:
        """Return -log P(context value >= value), plus an order beyond the largest.

        Parameters
        ----------
        values : float64 array of shape (n_rows, n_views)
        own : bool
            Whether the rows are among those that calibrate.

        Returns
        -------
        float64 array of shape (n_rows, n_views)
            From 0. The part beyond the largest context value grows with the logarithm
            of the excess over `spread`.
        """
        n, values = self.ordered.shape[1], _rounded(values)
        above = n - below_columns(self.ordered, values)
        share = np.maximum(above, 1) / n if own else (above + 1.0) / (n + 1.0)
        excess = np.maximum(values - self.ordered[:, -1], 0.0) / self.spread
        found: FloatArray = np.log1p(excess) - np.log(share)
        return found

    def magnitude(self, values: FloatArray) -> FloatArray:
        """Return the log ratio to the median, for values from 0; within ±6."""
        floor = 1e-3 * (self.middle + self.spread) + 1e-12
        ratio = np.log((values + floor) / (self.middle + floor))
        return np.clip(ratio, -6.0, 6.0)


def _rounded(values: FloatArray) -> FloatArray:
    return values.astype(np.float32).astype(np.float64)
