"""ECOD on whole arrays, with CuPy: `sorted_columns` and `tail_sums`.

They are the counterparts of `shared.columns.sorted_columns` and `cpu.tail_sums`. The
array module is the argument `xp`: CuPy in production, and NumPy in tests on machines
without a GPU, so this file is tested everywhere.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench_detectors.ecod import device
from odbench_detectors.shared.column_kernels import TINY
from odbench_detectors.shared.columns import SYMMETRIC, SortedColumns, check_finite
from odbench_detectors.shared.estimator import check_filled

# Bytes of temporary arrays, in addition to the sorted columns.
BUDGET = 2 << 30
# Peak number of float64 arrays of a block's size that a step holds.
_COPIES = 4
# A product of probabilities is turned into a logarithm before it can underflow.
_SMALLEST = 1e-290


def sorted_columns(
    X: NDArray[Any], *, n_jobs: int = 1, xp: ModuleType, budget: int = BUDGET
) -> SortedColumns:
    """Sort every column of a table on the device.

    Parameters
    ----------
    X : float64 or float32 NumPy array of shape (n_rows, n_columns)
        Finite, any layout.
    n_jobs : int
        Threads that copy to the device.
    xp : module
        CuPy, or NumPy.
    budget : int
        Bytes of temporary device memory.

    Returns
    -------
    SortedColumns
        Its `values` lie on the device, its `skewness` on the host.

    Raises
    ------
    DetectorError
        If a value is NaN or infinite, or the sorted columns do not fit on the device.
    """
    check_filled(X.shape)
    n_rows, n_columns = X.shape
    device.check_room(X.nbytes + budget, xp)
    values = xp.empty((n_columns, n_rows), X.dtype)
    device.upload_columns(X, values, xp=xp, budget=budget // 2, n_jobs=n_jobs)
    skewness = np.empty(n_columns)
    width = max(1, budget // (n_rows * 8 * _COPIES))
    for first in range(0, n_columns, width):
        block = values[first : first + width]
        for column in block:
            # One row at a time: CuPy sorts the rows of a matrix several times slower.
            column.sort()
        ends = device.to_host(xp.stack((block[:, 0], block[:, -1])), xp)
        check_finite(ends[0], ends[1], first)
        skewness[first : first + width] = device.to_host(_skewness(block, xp), xp)
    return SortedColumns(values, skewness, n_rows)


def _skewness(block: Any, xp: ModuleType) -> Any:
    """Third standardised moment of sorted columns; see `column_kernels.skewness`."""
    n = block.shape[1]
    low, high = block[:, 0].astype(np.float64), block[:, -1].astype(np.float64)
    tiny = high * 0.5 - low * 0.5 <= TINY
    # The one or the other: 1 / TINY swallows the half.
    by = tiny.astype(np.float64) / TINY + 0.5
    scaled = block.astype(np.float64) * by[:, None]
    width = scaled[:, -1] - scaled[:, 0]
    constant = width == 0
    z = (scaled - scaled[:, n // 2, None]) * (1 / xp.where(constant, 1, width))[:, None]
    mean = z.mean(axis=1)
    square = z * z
    m2 = square.mean(axis=1) - mean * mean
    m3 = (square * z).mean(axis=1) - mean * (3 * square.mean(axis=1) - 2 * mean * mean)
    scale = xp.maximum(m2, 0) ** 1.5
    fine = ~constant & (xp.abs(m3) > SYMMETRIC * scale) & (scale > 0)
    return xp.where(fine, m3 / xp.where(fine, scale, 1), 0.0)


def tail_sums(
    columns: SortedColumns,
    X: NDArray[Any],
    tails: NDArray[np.int8],
    *,
    plus: int,
    aggregate: str,
    n_jobs: int = 1,
    xp: ModuleType,
    budget: int = BUDGET,
) -> FloatArray:
    """Surprise of rows, added over columns; see `cpu.tail_sums`.

    Parameters
    ----------
    columns : SortedColumns
        From this module's `sorted_columns`.
    X : float64 or float32 NumPy array of shape (n_rows, n_columns)
    tails : int8 array of shape (n_columns,)
    plus : int
    aggregate : {"sums", "columns", "copod"}
    n_jobs : int
        Threads that copy to the device.
    xp : module
        CuPy, or NumPy.
    budget : int
        Bytes of temporary device memory: rows are scored in chunks that fit.

    Returns
    -------
    float64 NumPy array of shape (n_sums, n_rows)
    """
    n_rows, n_columns = X.shape
    sums = np.zeros((3 if aggregate == "sums" else 1, n_rows))
    size = max(1, budget // (X.itemsize * n_columns + 8 * 24))
    for first in range(0, n_rows, size):
        part = X[first : first + size]
        rows = xp.empty((n_columns, part.shape[0]), X.dtype)
        device.upload_columns(part, rows, xp=xp, budget=budget // 2, n_jobs=n_jobs)
        done = _chunk_sums(columns, rows, tails, plus, aggregate, xp)
        sums[:, first : first + size] = device.to_host(done, xp)
    return sums


def _chunk_sums(  # noqa: PLR0917
    columns: SortedColumns,
    rows: Any,
    tails: NDArray[np.int8],
    plus: int,
    aggregate: str,
    xp: ModuleType,
) -> Any:
    """Sum the surprises of rows on the device, given as columns."""
    unit = 1.0 / (columns.n_rows + plus)
    n_sums = 3 if aggregate == "sums" else 1
    logs = xp.zeros((n_sums, rows.shape[1]))
    product = xp.ones_like(logs)
    bound = 1.0
    for j, x in enumerate(rows):
        bound *= unit * unit
        if bound < _SMALLEST:
            logs -= xp.log(product)
            product[...] = 1.0
            bound = unit * unit
        left, right = _tails(columns, j, x, plus, unit, xp)
        by_skew = (left * right, right, left)[int(tails[j])]
        if aggregate == "sums":
            product[0] *= left
            product[1] *= right
            product[2] *= by_skew
        elif aggregate == "columns":
            product[0] *= xp.minimum(xp.minimum(left, right), by_skew)
        else:
            product[0] *= xp.minimum(xp.sqrt(left * right), by_skew)
    logs -= xp.log(product)
    return logs


def _tails(  # noqa: PLR0917
    columns: SortedColumns, j: int, x: Any, plus: int, unit: float, xp: ModuleType
) -> tuple[Any, Any]:
    """Left and right tail probability of one column's values."""
    below = xp.searchsorted(columns.values[j], x, side="left")
    up_to = xp.searchsorted(columns.values[j], x, side="right")
    if columns.ranks is not None:
        ranks = xp.asarray(columns.ranks[j])
        below, up_to = ranks[below], ranks[up_to]
    missing = ~xp.isfinite(x)
    left = xp.where(missing, np.nan, (up_to + plus) * unit)
    right = xp.where(missing, np.nan, (columns.n_rows - below + plus) * unit)
    return left, right
