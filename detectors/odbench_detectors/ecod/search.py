"""Counting how many sorted values lie below a value: buckets, then eight neighbours.

Every column is divided into buckets of equal width. A value's bucket gives the first
of eight neighbours. Comparing with all eight needs no branch and almost always
determines the count; otherwise (heavy tails, ties) the rest of the bucket is bisected.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench_detectors.shared.kernels import helper, kernel

Buckets = NDArray[np.int32]

# Number of neighbours compared at once.
NEAR = 8
# Train rows per bucket.
_FILL = 2
# If there are this many times fewer queries than values, bisection is cheaper than
# building buckets.
_FEW = 32
# Number of values whose buckets are computed together, in vectors.
BLOCK = 1024


def no_buckets(n_values: int, n_queries: int) -> bool:
    """Decide whether to bisect whole columns instead of building buckets."""
    return n_values < 2 * NEAR or n_queries < n_values // _FEW


def bucket_count(n_values: int, n_queries: int) -> int:
    """Choose the number of buckets per column; 1 means to bisect the whole column."""
    return 1 if no_buckets(n_values, n_queries) else n_values // _FILL


@kernel()
def build(
    values: NDArray[Any],
    starts: Buckets,
    lows: FloatArray,
    scales: FloatArray,
    buckets: Buckets,
) -> None:
    """Divide columns into buckets.

    Parameters
    ----------
    values : array of shape (n_columns, n_values)
        Ascending.
    starts : int32 array of shape (n_columns, n_buckets + 1)
        Overwritten: bucket b of column j holds values ``starts[j, b]`` up to, not
        including, ``starts[j, b + 1]``.
    lows, scales : float64 arrays of shape (n_columns,)
        Overwritten: a value's bucket is ``(value - low) * scale``, clipped to the
        range.
    buckets : int32 array of shape (`BLOCK`,)
        Work array.
    """
    n_columns, n = values.shape
    n_buckets = starts.shape[1] - 1
    # A few extreme values must not widen all buckets, so each end shares one bucket.
    cut = n >> 8
    for j in range(n_columns):
        low = np.float64(values[j, cut])
        width = values[j, n - 1 - cut] - low
        scale = n_buckets / width if width > 0 else 0.0
        scale = scale if scale < np.inf else 0.0
        lows[j] = low
        scales[j] = scale
        starts[j] = 0
        for first in range(0, n, BLOCK):
            last = min(first + BLOCK, n)
            for i in range(first, last):
                buckets[i - first] = bucket(values[j, i], low, scale, n_buckets)
            for i in range(first, last):
                starts[j, np.uint32(buckets[i - first]) + np.uint32(1)] = i + 1
        reached = np.int32(0)
        for b in range(n_buckets + 1):
            reached = max(reached, starts[j, b])
            starts[j, b] = reached


@helper(inline="always")
def bucket(x: float, low: float, scale: float, n_buckets: int) -> np.int32:
    """Return a value's bucket, which is monotone in the value despite rounding."""
    position = (x - low) * scale
    # Written so that NaN lands in bucket 0.
    position = position if position > 0.0 else 0.0
    return np.int32(position if position < n_buckets else n_buckets - 1.0)


@helper()
def locate(  # noqa: PLR0917
    column: NDArray[Any],
    starts: Buckets,
    low: float,
    scale: float,
    queries: NDArray[Any],
    buckets: Buckets,
    firsts: Buckets,
) -> Any:
    """Find the bucket and the first neighbour of each query.

    Three short loops, so that dozens of cache misses overlap. The last one only loads
    the neighbours into the cache, and returns their maximum so that the compiler does
    not remove it.
    """
    n_buckets = starts.shape[0] - 1
    last = np.int32(column.shape[0] - NEAR)
    for i in range(queries.shape[0]):
        buckets[i] = bucket(queries[i], low, scale, n_buckets)
    for i in range(queries.shape[0]):
        firsts[i] = min(starts[np.uint32(buckets[i])], last)
    fetched = column[0]
    for i in range(queries.shape[0]):
        first = np.uint32(firsts[i])
        fetched = max(fetched, column[first], column[first + np.uint32(NEAR - 1)])
    return fetched


@helper(inline="always")
def count_near(column: NDArray[Any], x: float, first: int, end: int) -> Any:
    """Count values below x, and values up to x.

    Parameters
    ----------
    column : array of shape (n,)
        Ascending, `NEAR` values or more.
    x : float
        The query.
    first : int
        Start of its neighbours, at most n - `NEAR`: all earlier values are below x.
    end : int
        End of its bucket: all values from there on are above x.
    """
    # Three steps without a branch. Unsigned, because numba wraps signed indices.
    at = np.uint64(first)
    at = at + np.uint64(4) if column[at + np.uint64(3)] < x else at
    at = at + np.uint64(2) if column[at + np.uint64(1)] < x else at
    at = at + np.uint64(1) if column[at] < x else at
    nearest = column[at]
    below: Any = np.int64(at)
    if nearest > x:
        return below, below
    # Ties, or more than eight neighbours.
    largest = column[end - 1]
    if largest < x:
        return end, end
    if nearest < x:
        below = bisect_left(column, x, below + 1, end)
    return below, end if largest == x else bisect_right(column, x, below, end)


@helper(inline="always")
def bisect_left(column: NDArray[Any], x: float, first: int, last: int) -> int:
    """Return the first index in [first, last) whose value is not below x."""
    while first < last:
        middle = (first + last) >> 1
        if column[middle] < x:
            first = middle + 1
        else:
            last = middle
    return first


@helper(inline="always")
def bisect_right(column: NDArray[Any], x: float, first: int, last: int) -> int:
    """Return the first index in [first, last) whose value is above x."""
    while first < last:
        middle = (first + last) >> 1
        if column[middle] <= x:
            first = middle + 1
        else:
            last = middle
    return first
