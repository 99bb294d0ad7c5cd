"""Where values lie among the context's values of the same column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.shared.kernels import kernel
from odbench_detectors.shared.search import LANES, not_above, zero_below
from odbench_detectors.shared.search import below as count_below
from odbench_detectors.shared.views import read_only


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
    below, equal = np.empty(rows.shape, np.int64), np.empty(rows.shape, np.int64)
    gap, beyond = np.zeros(rows.shape), np.zeros(rows.shape)
    _place(
        read_only(ordered), read_only(rows), int(own), np.zeros(LANES),
        np.empty(LANES, np.uint64), np.empty(LANES, np.uint64),
        below, equal, gap, beyond,
    )  # fmt: skip
    return Places(below, equal, gap, beyond, ordered.shape[1] - own)


@kernel()
def _place(  # noqa: PLR0917 - numba passes by position
    ordered: FloatArray,
    rows: FloatArray,
    own: int,
    x: FloatArray,
    place: NDArray[np.uint64],
    after: NDArray[np.uint64],
    below: IntArray,
    equal: IntArray,
    gap: FloatArray,
    beyond: FloatArray,
) -> None:
    """Write the places of rows; `gap` and `beyond` hold zeros."""
    m, d = rows.shape
    n = ordered.shape[1]
    for j in range(d):
        column = ordered[j]
        for start in range(0, m, LANES):
            count = min(LANES, m - start)
            for r in range(count):
                x[r] = zero_below(rows[start + r, j])
            count_below(column, x, place)
            not_above(column, x, after)
            for r in range(count):
                i, left, right = start + r, np.int64(place[r]), np.int64(after[r])
                below[i, j] = left
                equal[i, j] = right - left - own
                if right - left > own:
                    continue
                value = rows[i, j]
                lower = value - column[left - 1] if left > 0 else np.inf
                upper = column[right] - value if right < n else np.inf
                if lower == np.inf and upper == np.inf:
                    continue
                gap[i, j] = min(lower, upper)
                if lower == np.inf:
                    beyond[i, j] = -upper
                elif upper == np.inf:
                    beyond[i, j] = lower
