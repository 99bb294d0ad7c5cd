"""Where values lie among the context's values of the same column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.special import ndtri

from odbench.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Places:
    """The places of some rows' values in the sorted columns of the context.

    Each is an array of shape (n_rows, n_columns). A context row is placed among the
    other rows of the context, any other row among all of them.

    Attributes
    ----------
    below, equal : int64
        Number of values that are smaller, and that are equal.
    gap : float64
        Distance to the nearest value.
    beyond : float64
        Distance to the range of the values, negative below it; 0 inside.
    others : int
        Number of values that each was compared with.
    """

    below: IntArray
    equal: IntArray
    gap: FloatArray
    beyond: FloatArray
    others: int

    def taken(self, chosen: IntArray) -> Places:
        """Return the places of some of the rows."""
        return Places(
            self.below[chosen], self.equal[chosen], self.gap[chosen],
            self.beyond[chosen], self.others,
        )  # fmt: skip

    def tail(self) -> FloatArray:
        """Return -log of the two-sided tail probability, from 0."""
        above = self.others - self.below
        fewest = np.minimum(self.below + self.equal, above)
        share = (fewest + 1.0) / (self.others + 1.0)
        found: FloatArray = -np.log(np.minimum(2.0 * share, 1.0)) + np.log1p(
            np.abs(self.beyond)
        )
        return found

    def rarity(self) -> FloatArray:
        """Return -log of the share of equal values, the row's own included."""
        found: FloatArray = -np.log((self.equal + 1.0) / (self.others + 1.0))
        return found

    def normal_scores(self) -> FloatArray:
        """Return the normal quantiles of the ranks, extended beyond the range."""
        rank = (2.0 * self.below + self.equal + 1.0) / (2.0 * (self.others + 1.0))
        found: FloatArray = ndtri(rank) + np.sign(self.beyond) * np.log1p(
            np.abs(self.beyond)
        )
        return found


def place(ordered: FloatArray, rows: FloatArray, *, own: bool) -> Places:
    """Place rows among the sorted columns of the context.

    Parameters
    ----------
    ordered : float64 array of shape (n_columns, n_context)
        Each column of the context, ascending.
    rows : float64 array of shape (n_rows, n_columns)
    own : bool
        Whether the rows belong to the context, and are left out one at a time.
    """
    below, equal, gap, beyond = _place(ordered, rows, own)
    return Places(below, equal, gap, beyond, ordered.shape[1] - own)


@njit(cache=True, nogil=True)
def _place(
    ordered: FloatArray, rows: FloatArray, own: bool
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    m, d = rows.shape
    n = ordered.shape[1]
    below, equal = np.zeros((m, d), np.int64), np.zeros((m, d), np.int64)
    gap, beyond = np.zeros((m, d)), np.zeros((m, d))
    for j in range(d):
        column = ordered[j]
        for i in range(m):
            x = rows[i, j]
            left = np.searchsorted(column, x)
            right = left + np.searchsorted(column[left:], x, side="right")
            below[i, j] = left
            equal[i, j] = right - left - own
            if right - left > own:
                continue
            lower = x - column[left - 1] if left > 0 else np.inf
            upper = column[right] - x if right < n else np.inf
            if lower == np.inf and upper == np.inf:
                continue
            gap[i, j] = min(lower, upper)
            if lower == np.inf:
                beyond[i, j] = -upper
            elif upper == np.inf:
                beyond[i, j] = lower
    return below, equal, gap, beyond
