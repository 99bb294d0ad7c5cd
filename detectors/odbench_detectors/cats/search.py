"""Numba kernels that look values up in sorted train columns."""

from __future__ import annotations

import math

import numpy as np

from odbench.arrays import BoolArray, FloatArray
from odbench_detectors.cats.rounding import rounded_value
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.search import (
    LANES,
    ONE,
    Places,
    below,
    not_above,
    zero_below,
)
from odbench_detectors.shared.views import read_only

# Rows per block, which passes through all columns while it is in the cache.
_ROWS = 512


@helper()
def _after_one(column: FloatArray, x: FloatArray, place: Places, after: Places) -> None:
    """Count like `not_above`, starting at `place`, if all values are distinct."""
    n = np.uint64(len(column))
    for r in range(LANES):
        at = place[r]
        after[r] = at + np.uint64((at < n) & (column[min(at, n - ONE)] == x[r]))


@helper()
def _any_twice(ordered: FloatArray) -> bool:
    twice = 0
    for i in range(len(ordered) - 1):
        twice += ordered[i] == ordered[i + 1]
    return twice > 0


@helper()
def _gaps(  # noqa: PLR0917 - numba passes by position
    column: FloatArray,
    x: FloatArray,
    place: Places,
    after: Places,
    own: int,
    gap: FloatArray,
) -> None:
    """Write the distance from each x to the nearest other value of an ascending column.

    Distances are rounded. `place` and `after` count the values below and not above.
    Both neighbours are read and one is selected by a mask, which avoids branches.
    """
    n, itself = np.uint64(len(column)), np.uint64(own)
    for r in range(LANES):
        left, right = place[r], after[r]
        below = x[r] - column[max(left, ONE) - ONE] if left > 0 else math.inf
        above = column[min(right, n - ONE)] - x[r] if right < n else math.inf
        gap[r] = rounded_value(min(below, above)) if right - left <= itself else 0.0


def look_up(
    rows: FloatArray,
    columns: FloatArray,
    own: int,
    normal_of: FloatArray,
    tail_of: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Locate values in the sorted train columns.

    Parameters
    ----------
    rows : float64 array of shape (m, d)
    columns : float64 array of shape (d, n)
        Ascending along each row.
    own : int
        1 if the rows are train rows, which are part of the columns and must not be
        counted; else 0.
    normal_of : float64 array of shape (2 n + 1,)
        Values to write for a share of 0, 1, ... halves of a train row.
    tail_of : float64 array of shape (n + 1 - own,)
        Values to write if 0, 1, ... *other* train values lie on the emptier side,
        including ties. If none do, e / (1 + e) is added, e being the distance to the
        nearest other train value: a value further out is more surprising.

    Returns
    -------
    tuple of float64 arrays of shape (m, d)
        The share of train values below, ties half (a train row's own included); the
        entry of `normal_of`; that of `tail_of`, with the addition; the distance to the
        nearest other train value, rounded.
    """
    share, normal = np.empty(rows.shape), np.empty(rows.shape)
    tail, gap = np.empty(rows.shape), np.empty(rows.shape)
    x, nearest = np.zeros(LANES), np.empty(LANES)
    place = np.empty(LANES, dtype=np.uint64)
    after = np.empty(LANES, dtype=np.uint64)
    twice = np.empty(rows.shape[1], dtype=np.bool_)
    _look_up(
        read_only(rows), read_only(columns), own, read_only(normal_of),
        read_only(tail_of), x, nearest, place, after, twice, share, normal, tail, gap,
    )  # fmt: skip
    return share, normal, tail, gap


@kernel()
def _look_up(  # noqa: PLR0917 - numba passes by position
    rows: FloatArray,
    columns: FloatArray,
    own: int,
    normal_of: FloatArray,
    tail_of: FloatArray,
    x: FloatArray,
    nearest: FloatArray,
    place: Places,
    after: Places,
    twice: BoolArray,
    share: FloatArray,
    normal: FloatArray,
    tail: FloatArray,
    gap: FloatArray,
) -> None:
    m, d = rows.shape
    n = columns.shape[1]
    for j in range(d):
        twice[j] = _any_twice(columns[j])
    whole, itself = np.uint64(n), np.uint64(own)
    for first in range(0, m, _ROWS):
        for j in range(d):
            column = columns[j]
            for start in range(first, min(first + _ROWS, m), LANES):
                count = min(LANES, m - start)
                for r in range(count):
                    x[r] = zero_below(rows[start + r, j])
                below(column, x, place)
                if twice[j]:
                    not_above(column, x, after)
                else:
                    _after_one(column, x, place, after)
                _gaps(column, x, place, after, own, nearest)
                for r in range(count):
                    left, right = place[r], after[r]
                    i = start + r
                    share[i, j] = np.int64(left + right) / (2.0 * n)
                    normal[i, j] = normal_of[left + right]
                    further = min(right, whole - left) - itself
                    tail[i, j] = tail_of[further]
                    # Added, because all values beyond the last would be equal.
                    if further == 0:
                        tail[i, j] += 1.0 - 1.0 / (1.0 + nearest[r])
                    gap[i, j] = nearest[r]


def rarity_table(n: int) -> FloatArray:
    """Return -log((1 + a) / (n + 1)) for a = 0 ... n, for `rarity_of_gaps`.

    `tail.log_ratio` is the same by NumPy, whose logarithm may have another last bit.
    """
    table = np.empty(n + 1)
    _rarity_table(table)
    return table


@kernel()
def _rarity_table(table: FloatArray) -> None:
    for above in range(len(table)):
        table[above] = -math.log((1.0 + above) / len(table))


def rarity_of_gaps(
    gap: FloatArray, gaps: FloatArray, own: int, table: FloatArray
) -> FloatArray:
    """Return the surprise of each gap among the train gaps of its column.

    For n train gaps of which a are at least as large, not counting a train row's own,
    that is -log((1 + a) / (n + 1)), so that train rows and new rows count alike. If no
    other gap is as large, 1 - largest / gap is added: a gap larger than all others is
    more surprising the larger it is.

    Parameters
    ----------
    gap : float64 array of shape (m, d)
    gaps : float64 array of shape (d, n)
        Ascending along each row.
    own : int
        1 if the gaps are themselves among the train gaps.
    table : float64 array of shape (n + 1,)
        The `rarity_table` of n.

    Returns
    -------
    float64 array of shape (m, d)
    """
    rarity = np.empty(gap.shape)
    x, place = np.zeros(LANES), np.empty(LANES, dtype=np.uint64)
    _rarity_of_gaps(
        read_only(gap), read_only(gaps), own, x, place, read_only(table), rarity
    )
    return rarity


@kernel()
def _rarity_of_gaps(  # noqa: PLR0917 - numba passes by position
    gap: FloatArray,
    gaps: FloatArray,
    own: int,
    x: FloatArray,
    place: Places,
    table: FloatArray,
    rarity: FloatArray,
) -> None:
    m, d = gap.shape
    n = gaps.shape[1]
    for first in range(0, m, _ROWS):
        for j in range(d):
            ordered = gaps[j]
            for start in range(first, min(first + _ROWS, m), LANES):
                count = min(LANES, m - start)
                for r in range(count):
                    x[r] = zero_below(gap[start + r, j])
                below(ordered, x, place)
                for r in range(count):
                    above = n - np.int64(place[r])
                    rarity[start + r, j] = table[above - own]
                    if above == own:
                        largest = ordered[n - 1 - own]
                        rarity[start + r, j] += 1.0 - largest / x[r]
