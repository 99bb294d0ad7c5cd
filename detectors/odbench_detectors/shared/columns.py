"""Sorted columns of a table, which ECOD, COPOD and HBOS start from."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray
from odbench.detector import Workspace
from odbench_detectors.shared import column_kernels as kernels
from odbench_detectors.shared.estimator import (
    Estimator,
    check_dimensions,
    check_filled,
    check_width,
    numbers_of,
    refuse_values,
)
from odbench_detectors.shared.sort import sort_rows

KIND = "odbench.sorted_columns"

# float64 or float32: columns keep their input type.
Floats: TypeAlias = NDArray[Any]

# |skewness| below this is within rounding error, so the column counts as symmetric.
SYMMETRIC = 1e-9

_LONG = 8192


@dataclass(frozen=True)
class SortedColumns:
    """The columns of a table, each in ascending order.

    Attributes
    ----------
    values : float64 or float32 array of shape (n_columns, n_kept)
        C-contiguous. ``n_kept`` is the number of rows, or fewer for a sketch.
    skewness : float64 array of shape (n_columns,)
        Third standardised moment; 0 for a constant or symmetric column.
    n_rows : int
        Number of rows that the columns represent.
    ranks : int64 array of shape (n_columns, n_kept + 1) or None
        For a sketch, ``ranks[j, i]`` rows lie at or below the first ``i`` values.
        None if every row is kept, so that the rank is the index.
    """

    values: Floats
    skewness: FloatArray
    n_rows: int
    ranks: IntArray | None = None

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.values.shape[0])


def sorted_columns(X: Floats, *, n_jobs: int = 1) -> SortedColumns:
    """Sort every column of a table.

    Parameters
    ----------
    X : float64 or float32 array of shape (n_rows, n_columns)
        Any layout; a Fortran-ordered table is read column by column, without a copy
        besides the sorted one.
    n_jobs : int
        Threads. The result does not depend on it.

    Returns
    -------
    SortedColumns

    Raises
    ------
    DetectorError
        If the table is empty or a value is NaN or infinite.
    """
    X = as_table(X)
    check_filled(X.shape)
    n_rows, n_columns = X.shape
    values = np.empty((n_columns, n_rows), X.dtype)
    skewness = np.empty(n_columns)

    def sort(first: int, last: int) -> None:
        block = values[first:last]
        if X.flags.f_contiguous:
            block[...] = X.T[first:last]
        else:
            kernels.transpose(X[:, first:last], block)
        # Measure a long column while it is still in the cache.
        step = 1 if n_rows >= _LONG else last - first
        for j in range(first, last, step):
            sort_rows(values[j : j + step])
            kernels.skewness(values[j : j + step], SYMMETRIC, skewness[j : j + step])
        check_finite(block[:, 0], block[:, -1], first)

    in_threads(sort, n_columns, n_jobs)
    return SortedColumns(values, skewness, n_rows)


def check_finite(lows: Floats, highs: Floats, first: int) -> None:
    """Check sorted columns by their ends: NaN sorts last.

    Parameters
    ----------
    lows, highs : arrays of shape (n_columns,)
        First and last value of each column.
    first : int
        Number of the first column, for the message.

    Raises
    ------
    DetectorError
        If a column holds NaN or infinity.
    """
    fine = np.isfinite(lows) & np.isfinite(highs)
    if not fine.all():
        refuse_values("column", fine, first)


def obtain_columns(
    X: Floats, *, n_jobs: int = 1, workspace: Workspace | None = None
) -> SortedColumns:
    """Sort every column of a table, or use the columns of a workspace.

    Parameters
    ----------
    X : float64 or float32 array of shape (n_rows, n_columns)
        See `sorted_columns`.
    n_jobs : int
        Threads.
    workspace : Workspace or None
        Shared work of the detectors that run on one data set.

    Returns
    -------
    SortedColumns
    """
    if workspace is None:
        return sorted_columns(X, n_jobs=n_jobs)
    return workspace.obtain(KIND, (X,), lambda _: sorted_columns(X, n_jobs=n_jobs))


def merged_columns(
    shards: Sequence[SortedColumns], *, xp: Any = np, n_jobs: int = 1
) -> SortedColumns:
    """Merge the sorted columns of blocks of rows.

    Parameters
    ----------
    shards : sequence of SortedColumns
        Of the same columns, every row kept.
    xp : module
        NumPy, or CuPy for columns that lie on a device.
    n_jobs : int
        Threads.

    Returns
    -------
    SortedColumns
        Bit by bit the columns of all rows together.
    """
    values = xp.concatenate([shard.values for shard in shards], axis=1)
    if xp is np:
        sort_rows(values)
    else:
        for column in values:
            # One row at a time: CuPy sorts the rows of a matrix several times slower.
            column.sort()
    skewness = np.empty(values.shape[0])
    host = values if xp is np else xp.asnumpy(values)

    def measure(first: int, last: int) -> None:
        kernels.skewness(host[first:last], SYMMETRIC, skewness[first:last])

    in_threads(measure, skewness.shape[0], n_jobs)
    return SortedColumns(values, skewness, values.shape[1])


def as_table(X: Any) -> Floats:
    """Return X as a two-dimensional float array, copied only if it must be.

    Raises
    ------
    DetectorError
        If it does not have two dimensions, or a value is no real number.
    """
    table = numbers_of(X)
    if table.dtype not in (np.float64, np.float32):
        table = table.astype(np.float64)
    check_dimensions(table.shape)
    return table


def check_rows(X: Any, n_columns: int) -> Floats:
    """Return X as a table with the columns of `fit`.

    Raises
    ------
    DetectorError
        If the number of columns differs.
    """
    table = as_table(X)
    check_width(table.shape[1], n_columns)
    return table


def check_scores(scores: FloatArray) -> None:
    """Refuse NaN scores, which mark rows with NaN or infinity.

    Raises
    ------
    DetectorError
        If a score is NaN.
    """
    fine = ~np.isnan(scores)
    if not fine.all():
        refuse_values("row", fine)


def in_threads(work: Callable[[int, int], None], size: int, n_jobs: int) -> None:
    """Call ``work(first, last)`` on consecutive parts of ``range(size)`` in threads.

    Threads, because the sorts and the kernels release the interpreter's lock.
    numba's own thread pool is not used, because two threads cannot use it at once.
    """
    threads = n_jobs if n_jobs > 0 else os.cpu_count() or 1
    parts = ranges(size, max(1, min(threads, size)))
    if len(parts) == 1:
        work(0, size)
        return
    with ThreadPoolExecutor(len(parts) - 1) as pool:
        others = [pool.submit(work, *part) for part in parts[1:]]
        work(*parts[0])
        for done in others:
            done.result()


def ranges(size: int, parts: int) -> Sequence[tuple[int, int]]:
    """Divide ``range(size)`` into `parts` nearly equal ranges."""
    cuts = [size * k // parts for k in range(parts + 1)]
    return list(itertools.pairwise(cuts))


class SharesColumns(Estimator):
    """A detector whose sorted train columns other detectors may use."""

    _workspace: Workspace | None = None

    def shared_needs(self) -> Mapping[str, int]:
        """Name the work that can be shared; see `odbench.detector.Workspace`."""
        return {KIND: 1}

    def use_workspace(self, workspace: Workspace | None) -> None:
        """Use sorted columns from a workspace, or stop doing so (None)."""
        self._workspace = workspace
