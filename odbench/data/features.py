"""Read a data set's features from a memory-mapped Arrow file.

This module neither reads nor locates labels.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench.errors import StoreError
from odbench.threads import refuse_lack

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
META_KEY = b"odbench"
_TABLES = ("train", "test")


def read_features(path: Path | str) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """Read a data set's features.

    Parameters
    ----------
    path : Path or str
        The Arrow file of a stored data set.

    Returns
    -------
    X_train, X_test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
        Read-only views of the memory-mapped file in Fortran order. Pages are loaded
        on first access, and shared between processes.
    columns : tuple of str
        Column names.

    Raises
    ------
    StoreError
        If the file is missing, truncated, or was not written by the store.
    """
    train, test, meta = open_features(Path(path))
    return train, test, tuple(meta["columns"])


def open_features(path: Path) -> tuple[FloatArray, FloatArray, dict[str, Any]]:
    """Read features and the file's metadata; see `read_features`."""
    import pyarrow as pa

    try:
        reader = pa.ipc.open_file(pa.memory_map(os.fsencode(path), "r"))
        meta = parse_meta(reader.schema, path)
        if reader.num_record_batches != len(_TABLES):
            raise _not_ours(path, f"{reader.num_record_batches} batches")
        named, there = len(meta["columns"]), len(reader.schema.names)
        if named != there:
            raise _not_ours(path, f"{named} names of {there} columns")
        tables = [view_batch(reader.get_batch(i)) for i in range(len(_TABLES))]
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        refuse_lack(error, path)
        raise _not_ours(path, str(error).splitlines()[0] or "unreadable") from error
    return tables[0], tables[1], meta


def parse_meta(schema: pa.Schema, path: Path) -> dict[str, Any]:
    """Return a stored file's metadata.

    Raises
    ------
    StoreError
        If it has no metadata, or another format version.
    """
    raw = (schema.metadata or {}).get(META_KEY)
    meta: dict[str, Any] = json.loads(raw) if raw else {}
    if meta.get("format") != FORMAT:
        raise _not_ours(path, f"format {meta.get('format')}, wanted {FORMAT}")
    return meta


def view_batch(batch: pa.RecordBatch) -> FloatArray:
    """Return a batch of float64 columns as one array, without copying.

    Arrow writes the columns of a batch one after the other, each padded to the same
    length, so together they are a table in Fortran order.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        Float64 columns without nulls.

    Returns
    -------
    float64 array of shape (n_rows, n_columns)
        Read-only. A copy only if the columns are not equally spaced.
    """
    rows, columns = batch.num_rows, batch.columns
    starts = [column.buffers()[1].address + 8 * column.offset for column in columns]
    step = starts[1] - starts[0] if len(starts) > 1 else 8 * rows
    expected = range(starts[0], starts[0] + step * len(starts), step) if step else ()
    if step >= 8 * rows and starts == list(expected):
        view: FloatArray = np.lib.stride_tricks.as_strided(
            values_of(columns[0], np.float64),
            shape=(rows, len(columns)),
            strides=(8, step),
            writeable=False,
        )
        return view
    arrays = [values_of(column, np.float64) for column in columns]
    table = np.asfortranarray(np.column_stack(arrays))
    table.flags.writeable = False
    return table


def values_of(column: pa.Array, dtype: type[Any]) -> NDArray[Any]:
    """Return a column without nulls as a read-only array over the file.

    Arrow's own ``to_numpy`` would import pandas first, which takes longer than reading
    most data sets.
    """
    data = column.buffers()[1]
    size = np.dtype(dtype).itemsize
    return np.frombuffer(
        data, dtype=dtype, count=len(column), offset=column.offset * size
    )


def _not_ours(path: Path, reason: str) -> StoreError:
    """Return the error for a file that cannot be used."""
    msg = (
        f"stored features {str(path)!r}: not usable ({reason[:200]}); delete the file "
        f"and run `odbench datasets pull` again"
    )
    return StoreError(msg)
