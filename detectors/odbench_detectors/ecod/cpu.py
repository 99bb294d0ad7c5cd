"""ECOD on the CPU, with numba; gpu.py is its counterpart on whole arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.ecod.search import (
    BLOCK,
    Buckets,
    bisect_left,
    bisect_right,
    bucket_count,
    build,
    count_near,
    locate,
)
from odbench_detectors.shared.columns import SortedColumns, in_threads, sorted_columns
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.views import read_only

__all__ = ["sorted_columns", "tail_sums"]

Counts = NDArray[np.int32]

SUMS, COLUMNS, COPOD = 0, 1, 2
AGGREGATES = {"sums": SUMS, "columns": COLUMNS, "copod": COPOD}

# Columns read together (one cache line) and rows per pass. Many rows, because a
# column's buckets and values then stay in the cache.
_COLUMNS = 8
_ROWS = 131072
# Number of queries handled together, so that their cache misses overlap.
_QUERIES = 1024
# A product of probabilities is turned into a logarithm before it can underflow.
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
        The tail chosen by the skewness: -1 left, 1 right, 0 both.
    plus : int
        Added to every count and to n: 1 for tails (1 + count)/(n + 1), 0 where the
        rows are themselves part of the reference.
    aggregate : {"sums", "columns", "copod"}
        Which sums to return.
    n_jobs : int
        Threads. The result does not depend on it.

    Returns
    -------
    float64 array of shape (n_sums, n_rows)
        In nats. Three rows for "sums": left, right, and the tail by skewness.
        Otherwise one. Additive over blocks of columns. NaN in the first where a row
        has NaN or infinity.
    """
    kind = AGGREGATES[aggregate]
    sums = np.zeros((3 if kind == SUMS else 1, X.shape[0]))
    starts, lows, scales = cut_buckets(columns, X.shape[0], n_jobs)
    ranks = np.empty((0, 0), np.int64) if columns.ranks is None else columns.ranks

    def score(first: int, last: int) -> None:
        rows = read_only(X[first:last])
        size = min(_ROWS, len(rows))
        _score(
            columns.values, ranks, columns.n_rows, starts, lows, scales,
            rows, tails, plus, kind, np.empty((_COLUMNS, size), X.dtype),
            np.empty((len(sums), size)), np.empty((4, _QUERIES), np.int32),
            sums[:, first:last],
        )  # fmt: skip

    in_threads(score, X.shape[0], n_jobs)
    return sums


def cut_buckets(
    columns: SortedColumns, n_queries: int, n_jobs: int
) -> tuple[Buckets, FloatArray, FloatArray]:
    """Divide each column into buckets, or into a single one if few rows are scored."""
    n_columns, n_values = columns.values.shape
    lows, scales = np.empty(n_columns), np.empty(n_columns)
    starts = np.empty((n_columns, bucket_count(n_values, n_queries) + 1), np.int32)

    def cut(first: int, last: int) -> None:
        part = slice(first, last)
        buckets = np.empty(BLOCK, np.int32)
        build(columns.values[part], starts[part], lows[part], scales[part], buckets)

    if starts.shape[1] > 2:
        in_threads(cut, n_columns, n_jobs)
    return starts, lows, scales


@kernel()
def _score(  # noqa: PLR0917
    values: NDArray[Any],
    ranks: IntArray,
    n: int,
    starts: Buckets,
    lows: FloatArray,
    scales: FloatArray,
    X: NDArray[Any],
    tails: NDArray[np.int8],
    plus: int,
    kind: int,
    block: NDArray[Any],
    product: FloatArray,
    counts: Counts,
    sums: FloatArray,
) -> None:
    """Add the surprise of rows to `sums`; `block`, `product`, `counts` are work arrays.

    Tail probabilities are multiplied, and the logarithm of the product is taken once
    for dozens of columns: the logarithm is the most expensive operation, and fewer of
    them also means fewer rounding errors.
    """
    n_columns = values.shape[0]
    unit = 1.0 / (n + plus)
    below, up_to, buckets, firsts = counts[0], counts[1], counts[2], counts[3]
    for start in range(0, X.shape[0], _ROWS):
        rows = X[start : start + _ROWS]
        size = rows.shape[0]
        logs = sums[:, start : start + size]
        for s in range(product.shape[0]):
            for i in range(size):
                product[s, i] = 1.0
        bound = 1.0
        for j in range(n_columns):
            if j % _COLUMNS == 0:
                _gather(rows[:, j : j + _COLUMNS], block)
            bound *= unit * unit
            if bound < _SMALLEST:
                _take_logs(product, logs)
                bound = unit * unit
            for first in range(0, size, _QUERIES):
                last = min(first + _QUERIES, size)
                x = block[j % _COLUMNS, first:last]
                _count(
                    values[j], starts[j], lows[j], scales[j], x,
                    buckets, firsts, below, up_to,
                )  # fmt: skip
                if ranks.shape[0] > 0:
                    for i in range(last - first):
                        below[i] = ranks[j, below[i]]
                        up_to[i] = ranks[j, up_to[i]]
                _multiply(
                    x, below, up_to, n, plus, unit, tails[j], kind,
                    product[:, first:last],
                )  # fmt: skip
        _take_logs(product, logs)


@helper()
def _gather(rows: NDArray[Any], block: NDArray[Any]) -> None:
    """Copy a few columns, row by row, so that each cache line is read once."""
    for i in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            block[k, i] = rows[i, k]


@helper()
def _take_logs(product: FloatArray, logs: FloatArray) -> None:
    """Subtract the logarithm of each product, and reset the product to 1."""
    for s in range(logs.shape[0]):
        for i in range(logs.shape[1]):
            logs[s, i] -= np.log(product[s, i])
            product[s, i] = 1.0


@helper()
def _count(  # noqa: PLR0917
    column: NDArray[Any],
    starts: Buckets,
    low: float,
    scale: float,
    x: NDArray[Any],
    buckets: Counts,
    firsts: Counts,
    below: Counts,
    up_to: Counts,
) -> None:
    """Count, for each query, the values below it and the values up to it."""
    if starts.shape[0] <= 2:
        for i in range(x.shape[0]):
            below[i] = bisect_left(column, x[i], 0, column.shape[0])
            up_to[i] = bisect_right(column, x[i], below[i], column.shape[0])
        return
    locate(column, starts, low, scale, x, buckets, firsts)
    for i in range(x.shape[0]):
        end = starts[np.uint32(buckets[i]) + np.uint32(1)]
        below[i], up_to[i] = count_near(column, x[i], firsts[i], end)


@helper()
def _multiply(  # noqa: PLR0917
    x: NDArray[Any],
    below: Counts,
    up_to: Counts,
    n: int,
    plus: int,
    unit: float,
    tail: int,
    kind: int,
    product: FloatArray,
) -> None:
    """Multiply each row's products by its tail probabilities.

    One loop per kind of sum, without a branch inside, so that the compiler can
    vectorise it.
    ``x - x`` is 0, and NaN for NaN and infinity.
    """
    if kind == SUMS and tail != 0:
        all_left, all_right, by_skew = product[0], product[1], product[2]
        # Floats, because numba widens sums of int32 to int64, which vectorise badly.
        base, ones = np.float64(n + plus), np.float64(plus)
        for i in range(x.shape[0]):
            left = (np.float64(up_to[i]) + ones) * unit + (x[i] - x[i])
            right = (base - np.float64(below[i])) * unit
            all_left[i] *= left
            all_right[i] *= right
            by_skew[i] *= right if tail > 0 else left
        return
    for i in range(x.shape[0]):
        left = (up_to[i] + plus) * unit + (x[i] - x[i])
        right = (n - below[i] + plus) * unit
        skewed = left * right if tail == 0 else (right if tail > 0 else left)
        if kind == SUMS:
            product[0, i] *= left
            product[1, i] *= right
            product[2, i] *= skewed
        elif np.isnan(left):
            product[0, i] = np.nan
        elif kind == COLUMNS:
            product[0, i] *= min(left, right, skewed)
        else:
            product[0, i] *= min(np.sqrt(left * right), skewed)
