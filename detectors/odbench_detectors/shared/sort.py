"""Sort the rows of an array by the method that is faster on this processor."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench_detectors.shared.kernels import helper, kernel

Counts = NDArray[np.uint32]

# Row lengths for which buckets can be faster: shorter rows do not repay the call, and
# longer ones do not fit in the cache.
_SHORTEST, _LONGEST = 512, 2**21
# Largest bucket that is sorted by insertion; a larger one is divided again.
_CROWD = 24
# How much slower NumPy's sort must be to be replaced, and the shape of the trial.
_SLOWER, _TRIED, _TIMES = 1.5, 4096, 5
# Share of the stable sort's time below which NumPy's sort has fast vectors.
_VECTORS = 0.4


def sort_rows(values: NDArray[Any]) -> None:
    """Sort each row in ascending order, in place.

    The result equals that of NumPy's sort, except that zeros of both signs may be in
    another order.

    Parameters
    ----------
    values : float64 or float32 array of shape (m, n)
        NaN sorts last.
    """
    if _SHORTEST <= values.shape[1] <= _LONGEST and _numpy_is_slow():
        sort_by_buckets(values)
    else:
        values.sort(axis=1)


def sorted_rows(values: NDArray[Any]) -> NDArray[Any]:
    """Return a C-contiguous copy of an array, sorted by `sort_rows`."""
    rows = np.array(values, order="C")
    sort_rows(rows)
    return rows


@functools.cache
def _numpy_is_slow() -> bool:
    """Measure, once per process, whether NumPy's sort is slow on this processor.

    NumPy sorts with AVX-512 if available. Processors with slow compressed stores to
    memory (Zen 4) then take five to seven times as long as with AVX2. With AVX2, both
    methods are about equal for smooth columns, and NumPy's is faster for others.
    """
    sample = np.random.default_rng(0).normal(size=(1, _TRIED))
    theirs = _seconds(lambda rows: rows.sort(axis=1), sample)
    # NumPy's stable sort has no vectors. Fast ones take a tenth of its time, slow ones
    # nearly all of it; only then are the buckets worth compiling, which takes seconds.
    stable = _seconds(lambda rows: rows.sort(axis=1, kind="stable"), sample)
    if theirs < _VECTORS * stable:
        return False
    return theirs > _SLOWER * _seconds(sort_by_buckets, sample)


def _seconds(sort: Callable[[NDArray[Any]], None], sample: NDArray[Any]) -> float:
    best = np.inf
    for _ in range(_TIMES):
        rows = sample.copy()
        start = time.perf_counter()
        sort(rows)
        best = min(best, time.perf_counter() - start)
    return float(best)


def sort_by_buckets(values: NDArray[Any]) -> None:
    """Sort like `sort_rows`, by buckets of equal width.

    Parameters
    ----------
    values : float64 or float32 array of shape (m, n)
        n >= 1. Rows with NaN or infinity are left to NumPy, as are rows whose values
        are so concentrated that two rounds of buckets do not separate them.
    """
    done = np.empty(len(values), dtype=np.bool_)
    n = values.shape[1]
    out, bucket = np.empty(n, dtype=values.dtype), np.empty(n, dtype=np.uint32)
    counts, again = np.empty((2, _buckets(n)), dtype=np.uint32)
    _sort_rows(values, done, out, bucket, counts, again)
    for j in np.flatnonzero(~done):
        values[j].sort()


# Kernels get their arrays from outside, and assign values, never slices: numba would
# compile its own versions of NumPy's functions and error messages along with them.
@kernel()
def _sort_rows(  # noqa: PLR0917 - numba passes by position
    values: NDArray[Any],
    done: NDArray[np.bool_],
    out: NDArray[Any],
    bucket: Counts,
    counts: Counts,
    again: Counts,
) -> None:
    """Sort rows by buckets; `done` marks the sorted ones, others are only permuted."""
    for j in range(len(values)):
        done[j] = _sort_row(values[j], out, bucket, counts, again)


@kernel()
def _buckets(n: int) -> int:
    size = 1
    while size < n:
        size *= 2
    return 2 * size


@helper()
def _sort_row(
    row: NDArray[Any],
    out: NDArray[Any],
    bucket: Counts,
    counts: Counts,
    again: Counts,
) -> bool:
    if not _all_finite(row):
        return False
    largest = _spread(row, out, bucket, counts)
    if largest == 0:
        return False
    if largest <= _CROWD:
        _insert(out, row)
        return True
    start = 0
    for b in range(len(counts)):
        stop = int(counts[b])
        if stop - start > _CROWD:
            crowd = out[start:stop]
            size = _buckets(stop - start)
            fullest = _spread(crowd, row[start:stop], bucket, again[:size])
            if (fullest == 0 or fullest > _CROWD) and not _all_equal(crowd):
                for i in range(len(row)):
                    row[i] = out[i]
                return False
            for i in range(start, stop):
                out[i] = row[i]
        start = stop
    _insert(out, row)
    return True


# In any order of additions the sum is NaN if there is a NaN or an infinity, else 0.
@helper(fastmath={"reassoc"})
def _all_finite(row: NDArray[Any]) -> bool:
    total = 0.0
    for i in range(len(row)):
        total += row[i] * 0.0
    return total == 0.0


# Without NaN, the minimum can be vectorised.
@helper(fastmath={"nnan", "nsz"})
def _ends(row: NDArray[Any]) -> tuple[float, float]:
    low = high = row[0]
    for i in range(len(row)):
        low = row[i] if row[i] < low else low
        high = row[i] if row[i] > high else high
    return np.float64(low), np.float64(high)


@helper()
def _all_equal(row: NDArray[Any]) -> bool:
    low, high = _ends(row)
    return low == high


@helper()
def _spread(
    row: NDArray[Any], out: NDArray[Any], bucket: Counts, counts: Counts
) -> int:
    """Write values to `out`, ordered by buckets of equal width.

    Parameters
    ----------
    row, out : arrays of shape (n,)
        Finite.
    bucket : uint32 array of shape (n,) or longer
        Overwritten.
    counts : uint32 array
        One per bucket; overwritten with the end of each bucket.

    Returns
    -------
    int
        Size of the largest bucket; 0 if the range is zero or too large, in which case
        `out` holds the values unsorted.
    """
    low, high = _ends(row)
    scale = (len(counts) - 1) / (high - low) if low < high else np.inf
    if not 0.0 < scale < np.inf:
        for i in range(len(row)):
            out[i] = row[i]
        return 0
    for i in range(len(row)):
        bucket[i] = np.uint32((row[i] - low) * scale)
    for b in range(len(counts)):
        counts[b] = np.uint32(0)
    for i in range(len(row)):
        counts[bucket[i]] += np.uint32(1)
    total, fullest = np.uint32(0), np.uint32(0)
    for b in range(len(counts)):
        count = counts[b]
        fullest = max(fullest, count)
        counts[b] = total
        total += count
    for i in range(len(row)):
        b = bucket[i]
        out[counts[b]] = row[i]
        counts[b] += np.uint32(1)
    return int(fullest)


@helper()
def _insert(nearly: NDArray[Any], row: NDArray[Any]) -> None:
    """Write nearly sorted values to `row`, finished by insertion sort."""
    row[0] = nearly[0]
    for i in range(1, len(nearly)):
        value = nearly[i]
        at = i
        while at > 0 and row[at - 1] > value:
            row[at] = row[at - 1]
            at -= 1
        row[at] = value
