"""Read a table of any common format: files, stdin, and tables in memory."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from odbench.errors import DataError, UsageError
from odbench.files import in_number_order
from odbench.tables.json_lines import read_json_lines
from odbench.tables.nested import flat_names
from odbench.tables.source import (
    BATCH_ROWS,
    Source,
    check_size,
    damaged,
    distinct_names,
    first_words,
    of_arrow,
)
from odbench.tables.streams import Opened, open_bytes, seekable
from odbench.tables.text_table import read_text_table
from odbench.threads import spare_threads

# Bytes that tell whether text is JSON.
_LOOK = 4096
# The address of a page; as a path it has one slash fewer.
_ADDRESS = re.compile(r"[a-z][a-z0-9+]+:/", re.IGNORECASE)
# The column that pandas writes for row labels without a name.
_UNNAMED_INDEX = re.compile(r"__index_level_\d+__")
_SPREADSHEET = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def read_source(table: Any) -> Source:
    """Read a table.

    Parameters
    ----------
    table : str, Path or table
        A file of CSV, TSV, JSON, Parquet, Feather or Arrow, also as .gz, .zst, .bz2
        or alone in a .zip; a folder of Parquet files of the same columns; "-" for
        stdin; or a table of pandas, polars, pyarrow or any library that exports Arrow
        data, a mapping of columns, a two-dimensional array.

    Returns
    -------
    Source

    Raises
    ------
    DataError
        If the file is not a table that can be read.
    UsageError
        If there is no such file, or the object is not a table.
    NoProcessesError
        If no thread may be started.
    """
    if isinstance(table, Source):
        return table
    spare_threads()
    if isinstance(table, (str, Path)):
        return _read_file(table)
    return _read_object(table)


def _read_file(table: str | Path) -> Source:
    if not str(table).strip():
        msg = f"table {str(table)!r}: is empty; name a table, or - for stdin"
        raise UsageError(msg)
    path = None if str(table) == "-" else Path(table)
    if _ADDRESS.match(str(table)) and path is not None and not path.exists():
        msg = f"table {str(table)!r}: is an address; download it and name the file"
        raise UsageError(msg)
    if path is not None and not path.exists():
        msg = f"table {str(path)!r}: no such file; name a table, or - for stdin"
        raise UsageError(msg)
    if path is not None and path.is_dir():
        return _read_folder(path)
    with open_bytes(path) as opened:
        return _read_opened(opened, path)


def _read_opened(opened: Opened, path: Path | None) -> Source:
    head = opened.head
    if head.startswith(b"PAR1"):
        return _read_parquet(seekable(opened, path), opened.name)
    if head.startswith((b"ARROW1", b"FEA1", b"\xff\xff\xff\xff")):
        return _read_feather(seekable(opened, path), opened.name)
    if head.startswith(_SPREADSHEET):
        msg = f"{opened.name}: is a spreadsheet or an archive; save the table as CSV"
        raise DataError(msg)
    if _is_json(head):
        return read_json_lines(opened, path)
    return read_text_table(opened)


def _is_json(head: bytes) -> bool:
    """Check whether text begins like JSON; the name of a column may have a bracket."""
    text = head[:_LOOK].lstrip(b" \t\r\n\xef\xbb\xbf")
    if text.startswith(b"{"):
        return True
    values = rb"\[[-\w\s.,\"]*\]\s*"
    begins = rb"\[\s*[\[{]|" + values + rb"[\r\n]\s*\["
    return bool(re.match(begins, text) or re.fullmatch(values, text))


def _read_parquet(file: Any, name: str) -> Source:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(file)
        kept = _besides_index(opened.schema_arrow)
        schema = pa.schema([opened.schema_arrow.field(place) for place in kept])
        names, notes = distinct_names(flat_names(schema))
    # A column's name may be no text.
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise damaged(name, "Parquet", error) from error
    check_size(name, len(names), opened.metadata.num_rows)

    def read() -> Iterator[Any]:
        try:
            for batch in opened.iter_batches(batch_size=BATCH_ROWS):
                yield batch.select(kept)
        except (pa.ArrowException, OSError) as error:
            raise damaged(name, "Parquet", error) from error

    n_rows = opened.metadata.num_rows
    return Source(name, names, n_rows, "Parquet", read, tuple(notes))


def _read_folder(path: Path) -> Source:
    """Read a folder of Parquet files as one table, in the order of their names."""
    import pyarrow.parquet as pq

    files = sorted(path.glob("*.parquet"), key=in_number_order)
    if not files:
        msg = (
            f"table {str(path)!r}: is a folder without Parquet files; name one file in "
            f"it"
        )
        raise UsageError(msg)
    parts = [_read_parquet(str(file), str(file)) for file in files]
    first = pq.read_schema(files[0])
    for file in files:
        if not pq.read_schema(file).equals(first):
            msg = f"{file}: its columns differ from those of {files[0].name}"
            raise DataError(msg)
    return Source(
        name=str(path),
        names=parts[0].names,
        n_rows=sum(part.n_rows for part in parts),
        form=f"Parquet, {len(files)} files",
        read=lambda: itertools.chain.from_iterable(part.read() for part in parts),
        notes=parts[0].notes,
    )


def _read_feather(file: Any, name: str) -> Source:
    import pyarrow as pa
    from pyarrow import feather

    try:
        if isinstance(file, str):
            file = pa.memory_map(file)
        if file.read(4) == b"\xff\xff\xff\xff":
            file.seek(0)
            table = pa.ipc.open_stream(file).read_all()
        else:
            file.seek(0)
            table = feather.read_table(file)
        table = table.select(_besides_index(table.schema))
        return of_arrow(table, name=name, form="Arrow")
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise damaged(name, "Arrow", error) from error


def _besides_index(schema: Any) -> list[int]:
    """Return the places of a schema's columns, without an index of pandas.

    pandas writes row labels that have no name as a column, if rows were selected or
    sorted. They are no column of the data frame either.
    """
    try:
        known = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
        index = {name for name in known["index_columns"] if isinstance(name, str)}
    except (ValueError, TypeError, KeyError, RecursionError):
        index = set()
    unnamed = {name for name in index if _UNNAMED_INDEX.fullmatch(name)}
    kept = [place for place, name in enumerate(schema.names) if name not in unnamed]
    return kept or list(range(len(schema.names)))


def _read_object(table: Any) -> Source:
    import pyarrow as pa

    kind = type(table).__name__
    try:
        if is_pandas(table):
            found = _of_pandas(table)
        elif isinstance(table, (pa.Table, Mapping)):
            found = pa.table(table)
        elif hasattr(table, "__arrow_c_stream__") and not isinstance(
            table, pa.ChunkedArray
        ):
            # A single column of polars streams no table.
            found = pa.table(table.to_frame() if hasattr(table, "to_frame") else table)
        elif isinstance(table, pa.RecordBatch):
            found = pa.Table.from_batches([table])
        elif hasattr(table, "__array__") and getattr(table, "ndim", 0) == 2:
            found = _of_array(table)
        else:
            found = None
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        msg = f"table of type {kind}: cannot be read ({first_words(error)})"
        raise DataError(msg) from error
    if found is None:
        msg = (
            f"table of type {kind}: wanted a path, or a table of pandas, polars or "
            f"pyarrow{_way_to(table)}"
        )
        raise UsageError(msg)
    found = found.select(_besides_index(found.schema))
    return of_arrow(found, name="table", form=kind)


def _way_to(table: Any) -> str:
    """Return how an object may become a table, "" if nobody knows."""
    for method in ("collect", "to_table"):
        if callable(getattr(table, method, None)):
            return f"; call its {method}()"
    is_list = isinstance(table, (list, tuple)) or hasattr(table, "__array__")
    return "; pandas.DataFrame makes one of it" if is_list else ""


def is_pandas(table: Any) -> bool:
    """Check for a data frame or series of pandas, or of a class derived from one."""
    homes = (kind.__module__.partition(".")[0] for kind in type(table).__mro__)
    return "pandas" in homes and hasattr(table, "iloc")


def _of_array(table: Any) -> Any:
    """Turn a two-dimensional array into Arrow; Arrow knows no other byte order."""
    import numpy as np
    import pyarrow as pa

    masked = isinstance(table, np.ma.MaskedArray)
    array = table if masked else np.asarray(table)
    if array.dtype.kind == "f":
        array = array.astype(np.float64)
    elif array.dtype.kind in "iu":
        array = array.astype(array.dtype.newbyteorder("="))
    return pa.table({f"x{j}": array[:, j] for j in range(array.shape[1])})


def _of_pandas(frame: Any) -> Any:
    """Turn a data frame into Arrow; columns of mixed objects become text."""
    import pyarrow as pa

    if frame.ndim == 1:
        frame = frame.to_frame()
    arrays = [_of_series(frame.iloc[:, place]) for place in range(frame.shape[1])]
    names = [str(name) for name in frame.columns]
    if not arrays:
        return pa.table({})
    return pa.Table.from_arrays(
        [a.combine_chunks() if isinstance(a, pa.ChunkedArray) else a for a in arrays],
        names=names,
    )


def _of_series(column: Any) -> Any:
    import pandas as pd
    import pyarrow as pa

    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    try:
        if not _has_ranges(column):
            return pa.array(column, from_pandas=True)
    # Python's whole numbers have no largest one.
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    gone = column.isna()
    return pa.array(
        [
            None if none else str(value)
            for none, value in zip(gone, column, strict=True)
        ],
        pa.string(),
    )


def _has_ranges(column: Any) -> bool:
    """Check whether values are intervals, as ``pandas.cut`` makes them."""
    import pandas as pd

    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        kind = kind.categories.dtype
    return isinstance(kind, pd.IntervalDtype)
