"""A table in parts: Parquet files, arrays, or a function that yields blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from odbench.errors import DataError, UsageError
from odbench_detectors.shared.columns import Floats, as_table
from odbench_detectors.shared.estimator import check_width

# Values per block where the table does not come in blocks of its own: 8 MiB.
BLOCK_VALUES = 1 << 20
_MOST_ROWS = 1 << 17

# Yields blocks of rows with the columns from the first up to, not including, the last.
Read: TypeAlias = Callable[[int, int], Iterator[Floats]]


@dataclass(frozen=True)
class Parts:
    """A table that is read block by block, as often as needed.

    Attributes
    ----------
    n_columns : int
    read : callable
        ``read(first, last)`` yields blocks of rows of these columns, float64 or float32
        of shape (n_block, last - first), always the same rows in the same order.
    rows : int or None
        Number of rows if it is known without reading.
    """

    n_columns: int
    read: Read
    rows: int | None = None

    def blocks(self) -> Iterator[Floats]:
        """Yield all rows, block by block; no block is empty."""
        yield from self.columns(0, self.n_columns)

    def columns(self, first: int, last: int) -> Iterator[Floats]:
        """Yield all rows of some columns, block by block; no block is empty."""
        for block in self.read(first, last):
            check_width(block.shape[1], last - first)
            if len(block):
                yield block

    @cached_property
    def n_rows(self) -> int:
        """Number of rows; a table of unknown length is read once to count them."""
        if self.rows is not None:
            return self.rows
        return sum(len(block) for block in self.columns(0, min(1, self.n_columns)))


def as_parts(table: Any) -> Parts:
    """Return a table as parts.

    Parameters
    ----------
    table : str, Path, array, sequence of arrays, callable or Parts
        A Parquet file or a folder of them (all files below it, in the order of their
        names); a two-dimensional array, such as ``numpy.load(file, mmap_mode="r")``,
        or a data frame in memory; a list of blocks of rows; or a function without
        arguments that returns a new iterator of blocks on each call.

    Raises
    ------
    UsageError
        If it is something else, or there is no such file.
    DataError
        If a file is not Parquet, its columns are not numbers, or files differ.
    """
    if isinstance(table, Parts):
        return table
    if isinstance(table, (str, Path)):
        from odbench_detectors.large.parquet import parquet_parts

        return parquet_parts(Path(table))
    if getattr(table, "ndim", 0) == 2 and hasattr(table, "dtype"):
        return _of_array(table)
    if is_frame(table):
        return _of_array(as_block(table))
    if callable(table):
        return _of_blocks(table)
    if isinstance(table, Sequence):
        return _of_blocks(lambda: iter(table))
    msg = (
        f"table of type {type(table).__name__}: cannot be read again and again; give a "
        f"Parquet file or folder, an array, a dask collection, a list of blocks or a "
        f"function that returns an iterator of blocks"
    )
    raise UsageError(msg)


def block_rows(n_columns: int) -> int:
    """Return how many rows of so many columns make a block."""
    return max(1, min(_MOST_ROWS, BLOCK_VALUES // max(n_columns, 1)))


def _of_array(table: Any) -> Parts:
    n_rows, n_columns = table.shape

    def read(first: int, last: int) -> Iterator[Floats]:
        step = block_rows(last - first)
        for start in range(0, n_rows, step):
            yield as_table(table[start : start + step, first:last])

    return Parts(n_columns, read, n_rows)


def _of_blocks(make: Callable[[], Iterator[Any]]) -> Parts:
    first = make()
    head = next(iter(first), None)
    if iter(first) is first and make() is first:
        # Its blocks that were read already would be missing.
        msg = (
            "table in blocks: the function returns the same iterator again; return a "
            "new one on each call"
        )
        raise UsageError(msg)
    if head is None:
        msg = "table in blocks: has no block; give it rows"
        raise DataError(msg)
    n_columns = as_block(head).shape[1]

    def read(first: int, last: int) -> Iterator[Floats]:
        for block in make():
            rows = as_block(block)
            check_width(rows.shape[1], n_columns)
            yield rows[:, first:last]

    return Parts(n_columns, read)


def is_frame(table: Any) -> bool:
    """Say whether a table is a data frame in memory, of pandas or polars."""
    return hasattr(table, "to_numpy") and len(getattr(table, "shape", ())) == 2


def as_block(frame: Any) -> Floats:
    """Return a data frame or an array as a block of rows; a missing value is NaN.

    Raises
    ------
    DataError
        If a column does not hold numbers.
    """
    try:
        rows = frame.to_numpy() if hasattr(frame, "to_numpy") else np.asarray(frame)
        if rows.dtype == object and hasattr(frame, "isna"):
            # Only on request, pandas makes a float of its own missing value.
            rows = frame.to_numpy(np.float64, na_value=np.nan)
        if rows.dtype.kind in "OSU":
            rows = rows.astype(np.float64)
        return as_table(rows)
    except (TypeError, ValueError) as error:
        text = " ".join(str(error).split())[:200]
        msg = f"block of rows: wanted numbers, got other values ({text}); encode them"
        raise DataError(msg) from error
