"""ECOD on the CPU, with numba. Same names and arguments as gpu.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.columns import SortedColumns, in_threads

SUMS, COLUMNS, COPOD = 0, 1, 2
AGGREGATES = {"sums": SUMS, "columns": COLUMNS, "copod": COPOD}

# Values of a bucket that are compared without a branch.
_NEAR = 8
# Below this share of the train rows, a search index costs more than it saves.
_FEW = 32
# Rows that one pass over the columns scores, and columns that are read together.
_ROWS = 4096
_COLUMNS = 8
_SMALLEST = 1e-290


def tail_sums(
    columns: SortedColumns,
    X: NDArray[Any],
    tails: NDArray[np.int8],
    *,
    plus: int,
    aggregate: str,
    n_jobs: int = 1,
) -> FloatArray:
    """Surprise of rows, added over columns.

    Parameters
    ----------
    columns : SortedColumns
        The reference: n rows.
    X : float64 or float32 array of shape (n_rows, n_columns)
        Rows to score.
    tails : int8 array of shape (n_columns,)
        The tail that the skewness names: -1 left, 1 right, 0 both.
    plus : int
        Added to every count and to n: 1 for tails (1 + count)/(n + 1), 0 where the
        rows stand in the reference themselves.
    aggregate : {"sums", "columns", "copod"}
        What is added up.
    n_jobs : int
        Threads. The result does not depend on it.

    Returns
    -------
    float64 array of shape (n_sums, n_rows)
        In nats. Of "sums", three rows: left, right, and the tail by skewness.
        Otherwise one. Additive over blocks of columns. NaN where a row has one.
    """
    kind = AGGREGATES[aggregate]
    sums = np.zeros((3 if kind == SUMS else 1, X.shape[0]))
    starts, lows, scales = _index(columns, X.shape[0], n_jobs)
    ranks = np.empty((0, 0), np.int64) if columns.ranks is None else columns.ranks

    def score(first: int, last: int) -> None:
        _score(
            columns.values, ranks, columns.n_rows, starts, lows, scales,
            X, first, last, tails, plus, kind, sums,
        )  # fmt: skip

    in_threads(score, X.shape[0], n_jobs)
    return sums


def _index(
    columns: SortedColumns, n_queries: int, n_jobs: int
) -> tuple[NDArray[np.int32], FloatArray, FloatArray]:
    """Cut each column into buckets of equal width, or not at all for few queries."""
    n_columns, n_values = columns.values.shape
    few = n_queries < n_values // _FEW or n_values < 4 * _NEAR
    n_buckets = 1 if few else n_values // 2
    starts = np.empty((n_columns, n_buckets + 1), np.int32)
    lows, scales = np.empty(n_columns), np.empty(n_columns)

    def build(first: int, last: int) -> None:
        part = slice(first, last)
        _build(columns.values[part], starts[part], lows[part], scales[part])

    in_threads(build, n_columns, n_jobs)
    return starts, lows, scales


@njit(cache=True, nogil=True)
def _build(
    values: NDArray[Any],
    starts: NDArray[np.int32],
    lows: FloatArray,
    scales: FloatArray,
) -> None:
    """Write where each bucket of each column starts."""
    n_columns, n = values.shape
    n_buckets = starts.shape[1] - 1
    cut = n >> 8
    for j in range(n_columns):
        lows[j] = values[j, cut]
        width = values[j, n - 1 - cut] - lows[j]
        scale = n_buckets / width if width > 0 else 0.0
        scales[j] = scale if scale < np.inf else 0.0
        starts[j] = 0
        for i in range(n):
            starts[j, _bucket(values[j, i], lows[j], scales[j], n_buckets) + 1] = i + 1
        reached = np.int32(0)
        for b in range(n_buckets + 1):
            reached = max(reached, starts[j, b])
            starts[j, b] = reached


@njit(inline="always")
def _bucket(x: float, low: float, scale: float, n_buckets: int) -> int:
    """Bucket of a value: never less for a larger value, whatever the rounding."""
    position = (x - low) * scale
    # Comparisons written so that NaN lands in bucket 0.
    position = position if position > 0.0 else 0.0
    return int(position if position < n_buckets else n_buckets - 1.0)


@njit(inline="always")
def _bisect_left(column: NDArray[Any], x: float, first: int, last: int) -> int:
    """First index in [first, last) whose value is not below x."""
    while first < last:
        middle = (first + last) >> 1
        if column[middle] < x:
            first = middle + 1
        else:
            last = middle
    return first


@njit(inline="always")
def _bisect_right(column: NDArray[Any], x: float, first: int, last: int) -> int:
    """First index in [first, last) whose value is above x."""
    while first < last:
        middle = (first + last) >> 1
        if column[middle] <= x:
            first = middle + 1
        else:
            last = middle
    return first


@njit(inline="always")
def _count(column: NDArray[Any], x: float, first: int, last: int) -> tuple[int, int]:
    """Count values below x and values up to x; both lie in [first, last]."""
    n = column.shape[0]
    if n >= _NEAR:
        first = min(first, n - _NEAR)
        below = 0
        up_to = 0
        # Values after the bucket are larger than x and count 0, so no end is needed.
        for k in range(_NEAR):
            y = column[first + k]
            below += y < x
            up_to += y <= x
        if up_to < _NEAR or first + up_to >= last:
            return first + below, first + up_to
        first += below
    below = _bisect_left(column, x, first, last)
    return below, _bisect_right(column, x, below, last)


@njit(cache=True, nogil=True)
def _score(  # noqa: PLR0912, PLR0917
    values: NDArray[Any],
    ranks: IntArray,
    n: int,
    starts: NDArray[np.int32],
    lows: FloatArray,
    scales: FloatArray,
    X: NDArray[Any],
    first_row: int,
    last_row: int,
    tails: NDArray[np.int8],
    plus: int,
    kind: int,
    sums: FloatArray,
) -> None:
    """Add the surprise of rows [first_row, last_row) to `sums`.

    Tail probabilities are multiplied, and the logarithm is taken of the product, once
    before it would underflow: one logarithm for dozens of columns.
    """
    n_columns = values.shape[0]
    n_buckets = starts.shape[1] - 1
    n_sums = sums.shape[0]
    unit = 1.0 / (n + plus)
    smallest = unit * unit
    block = np.empty((_COLUMNS, _ROWS), X.dtype)
    product = np.empty((n_sums, _ROWS))
    for start in range(first_row, last_row, _ROWS):
        size = min(_ROWS, last_row - start)
        product[:] = 1.0
        bound = 1.0
        for j in range(n_columns):
            if j % _COLUMNS == 0:
                width = min(_COLUMNS, n_columns - j)
                for i in range(size):
                    for k in range(width):
                        block[k, i] = X[start + i, j + k]
            bound *= smallest
            if bound < _SMALLEST:
                for s in range(n_sums):
                    for i in range(size):
                        sums[s, start + i] -= np.log(product[s, i])
                        product[s, i] = 1.0
                bound = smallest
            column = values[j]
            tail = tails[j]
            for i in range(size):
                x = block[j % _COLUMNS, i]
                b = _bucket(x, lows[j], scales[j], n_buckets)
                below, up_to = _count(column, x, starts[j, b], starts[j, b + 1])
                if ranks.shape[0] > 0:
                    below = ranks[j, below]
                    up_to = ranks[j, up_to]
                left = (up_to + plus) * unit
                right = (n - below + plus) * unit
                by_skew = left * right if tail == 0 else (right if tail > 0 else left)
                if np.isnan(x):
                    left = right = by_skew = np.nan
                if kind == SUMS:
                    product[0, i] *= left
                    product[1, i] *= right
                    product[2, i] *= by_skew
                elif kind == COLUMNS:
                    product[0, i] *= min(left, right, by_skew)
                else:
                    product[0, i] *= min(np.sqrt(left * right), by_skew)
        for s in range(n_sums):
            for i in range(size):
                sums[s, start + i] -= np.log(product[s, i])
