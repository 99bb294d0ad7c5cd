"""Folds and scores of dask arrays and data frames; dask is imported only here."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import UsageError
from odbench.text import counted
from odbench_detectors.large.tables import as_block
from odbench_detectors.shared.columns import Floats

T = TypeVar("T")


def is_dask(table: Any) -> bool:
    """Say whether a table is a dask array or data frame, without importing dask."""
    return hasattr(table, "__dask_graph__")


def is_array(table: Any) -> bool:
    """Say whether a dask collection is an array."""
    return hasattr(table, "rechunk")


def check_two_dimensions(table: Any) -> None:
    """Refuse a dask series, or an array of another number of dimensions.

    Raises
    ------
    UsageError
        If the collection is not a table.
    """
    if table.ndim != 2:
        kind = "array" if is_array(table) else "series"
        msg = (
            f"dask {kind} of {counted(table.ndim, 'dimension')}: wanted two, (n_rows, "
            f"n_columns); reshape it"
        )
        raise UsageError(msg)


def fold_on_dask(
    table: Any,
    add: Callable[[T | None, Floats, int], T],
    merge: Callable[[T, T], T],
    *,
    places: bool,
) -> T | None:
    """Fold every block where it lies, then merge pairs of values on the workers.

    Parameters
    ----------
    table : dask array or data frame
    add, merge, places
        See `odbench_detectors.large.folds.Fold`.

    Returns
    -------
    object or None
        None for a table without rows.
    """
    from dask.delayed import delayed

    blocks = _blocks(table)
    starts = _starts(table, blocks) if places else [0] * len(blocks)
    merged = delayed(_merged)
    values = [
        delayed(_folded)(add, block, start)
        for block, start in zip(blocks, starts, strict=True)
    ]
    while len(values) > 1:
        values = [merged(merge, *values[i : i + 2]) for i in range(0, len(values), 2)]
    return values[0].compute() if values else None


def score_on_dask(detector: Any, table: Any) -> Any:
    """Return the scores of a dask collection, to be computed when they are needed.

    Returns
    -------
    dask array of shape (n_rows,), or dask Series with the frame's index
    """
    from dask.delayed import delayed

    check_two_dimensions(table)
    # One object of the graph, so that it travels to each worker once.
    shared = delayed(detector, pure=False, traverse=False)
    if not is_array(table):
        meta = ("score", np.float64)
        return table.map_partitions(_score_frame, shared, meta=meta)
    import dask.array as da

    score = delayed(_score_block)
    columns = [
        da.from_delayed(score(shared, block), (size,), np.float64)
        for block, size in zip(_blocks(table), table.chunks[0], strict=True)
    ]
    return da.concatenate(columns, allow_unknown_chunksizes=True)


def sum_of_columns(
    train: Any, rows: Any, sums: Callable[[Any, Any], FloatArray], width: int
) -> Any:
    """Return the scores of rows whose columns are worked on apart.

    Parameters
    ----------
    train, rows : dask array
        Tables of the same columns, from `with_sizes`.
    sums : callable
        ``sums(train, rows)`` returns float64 of shape (n_sums, n_rows) for all rows and
        some columns.
    width : int
        Number of columns that one task works on.

    Returns
    -------
    dask array of shape (n_rows,)
        The maximum over the first axis of the sum over all columns.
    """
    import dask.array as da
    from dask.delayed import delayed

    # Blocks with all rows of a few columns.
    train, rows = (table.rechunk({0: -1, 1: width}) for table in (train, rows))
    task, add = delayed(sums), delayed(np.add)
    pairs = zip(train.to_delayed().ravel(), rows.to_delayed().ravel(), strict=True)
    parts = [task(ours, theirs) for ours, theirs in pairs]
    while len(parts) > 1:
        parts = [
            add(*parts[i : i + 2]) if i + 1 < len(parts) else parts[i]
            for i in range(0, len(parts), 2)
        ]
    largest = delayed(np.max)(parts[0], axis=0)
    return da.from_delayed(largest, (rows.shape[0],), np.float64)


def with_sizes(table: Any) -> Any:
    """Return a dask array whose size is known; rows are counted if need be."""
    if not is_array(table):
        return table.to_dask_array(lengths=True)
    return table.compute_chunk_sizes() if np.isnan(table.shape[0]) else table


def _blocks(table: Any) -> list[Any]:
    """Return the blocks of rows, each a delayed value."""
    check_two_dimensions(table)
    if is_array(table):
        return list(table.rechunk({1: -1}).to_delayed().ravel())
    return list(table.to_delayed())


def _starts(table: Any, blocks: list[Any]) -> list[int]:
    """Return the place of each block's first row; counts rows if dask does not know."""
    from dask.base import compute
    from dask.delayed import delayed

    if is_array(table) and not np.isnan(table.chunks[0]).any():
        lengths = list(table.chunks[0])
    else:
        lengths = list(compute(*[delayed(len)(block) for block in blocks]))
    return list(itertools.accumulate(lengths[:-1], initial=0))


def _folded(
    add: Callable[[T | None, Floats, int], T], block: Any, start: int
) -> T | None:
    rows = as_block(block)
    return add(None, rows, start) if len(rows) else None


def _merged(merge: Callable[[T, T], T], a: T | None, b: T | None = None) -> T | None:
    if a is None or b is None:
        return b if a is None else a
    return merge(a, b)


def _score_block(detector: Any, block: Any) -> FloatArray:
    rows = as_block(block)
    if not len(rows):
        return np.empty(0)
    return np.asarray(detector.decision_function(rows), dtype=np.float64)


def _score_frame(frame: Any, detector: Any) -> Any:
    import pandas as pd

    return pd.Series(_score_block(detector, frame), index=frame.index, name="score")
