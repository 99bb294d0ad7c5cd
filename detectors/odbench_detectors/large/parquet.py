"""Read Parquet files block by block, all columns or a few of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from odbench.errors import DataError, UsageError
from odbench.files import in_number_order
from odbench_detectors.large.tables import Parts, block_rows
from odbench_detectors.shared.columns import Floats

# Bytes of a column that are read at once.
_BUFFER = 1 << 16


def parquet_parts(path: Path) -> Parts:
    """Return a Parquet file, or a folder of them, as a table in parts.

    Parameters
    ----------
    path : Path
        A folder stands for all ``*.parquet`` files below it, in the order of their
        names (2 before 10), except names that begin with a dot or ``_``, as those of
        files that are being written. All have the columns of the first, in any order;
        they are numbers or booleans. Columns are read as float64, or as float32 if all
        of all files are. A missing value is read as NaN.

    Returns
    -------
    Parts

    Raises
    ------
    UsageError
        If there is no such file, or the folder has none.
    DataError
        If a file is not Parquet, its columns are not numbers, files differ, or a
        column is only in the names of folders, such as ``year=2024``.
    """
    files = _files(path)
    n_rows, first, is_narrow = 0, _opened(files[0]).schema_arrow, True
    for file in files:
        opened = _opened(file)
        _check_columns(file, opened.schema_arrow, first)
        _check_folders(file, path, first.names)
        n_rows += opened.metadata.num_rows
        is_narrow &= all(str(field.type) == "float" for field in opened.schema_arrow)
    dtype = np.float32 if is_narrow else np.float64

    def read(start: int, stop: int) -> Iterator[Floats]:
        for file in files:
            yield from _blocks(file, first.names[start:stop], dtype)

    return Parts(len(first.names), read, n_rows)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = path.rglob("*.parquet") if path.is_dir() else []
    files = sorted(
        (file for file in found if not _is_hidden(file, path)), key=in_number_order
    )
    if not files:
        why = "has no .parquet file" if path.is_dir() else "no such file or folder"
        msg = f"table {str(path)!r}: {why}; give a Parquet file or a folder of them"
        raise UsageError(msg)
    return files


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part[0] in "._" for part in file.relative_to(folder).parts)


def _opened(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Read pages as they are needed, instead of whole row groups in advance.
        return pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER)
    except pa.ArrowMemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error


def _check_columns(file: Path, schema: Any, first: Any) -> None:
    """Refuse a file with other columns than the first, or with one of other values."""
    import pyarrow.types as kinds

    odd = sorted(set(schema.names) ^ set(first.names))
    if odd:
        msg = (
            f"{file}: has columns {_few(schema.names)}, wanted {_few(first.names)} as "
            f"in the first file; {odd[0]!r} is in one of them only"
        )
        raise DataError(msg)
    if len(set(schema.names)) < len(schema.names):
        name = next(one for one in schema.names if schema.names.count(one) > 1)
        msg = f"{file}: has several columns {name!r}; rename them"
        raise DataError(msg)
    for field in schema:
        kind = field.type
        is_number = kinds.is_floating(kind) or kinds.is_integer(kind)
        if not (is_number or kinds.is_boolean(kind)):
            msg = (
                f"{file}: column {field.name!r} is of type {kind}, wanted numbers; "
                f"drop or encode it first"
            )
            raise DataError(msg)


def _check_folders(file: Path, table: Path, names: list[str]) -> None:
    """Refuse a table of which a column is in the names of its folders alone."""
    for part in file.parent.relative_to(table).parts if file != table else ():
        column, equals, _ = part.partition("=")
        if equals and column not in names:
            msg = (
                f"{file}: its folder {part!r} stands for a column {column!r} that the "
                f"file does not have; take `dask.dataframe.read_parquet`, which reads "
                f"it, or rename the folders"
            )
            raise DataError(msg)


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(map(repr, names[:3])) + more


def _blocks(
    file: Path, names: list[str], dtype: type[np.floating[Any]]
) -> Iterator[Floats]:
    import pyarrow as pa

    opened = _opened(file)
    try:
        for batch in opened.iter_batches(block_rows(len(names)), columns=names):
            # Column by column, as Arrow keeps them.
            block = np.empty((batch.num_columns, batch.num_rows), dtype)
            for j, name in enumerate(names):
                column = batch.column(name)
                if pa.types.is_boolean(column.type):
                    # Otherwise, a missing one is None.
                    column = column.cast(pa.int8())
                block[j] = column.to_numpy(zero_copy_only=False)
            yield block.T
    except pa.ArrowMemoryError:
        # Also an ArrowException, but the file is fine.
        raise
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> DataError:
    text = " ".join(str(error).split())[:200]
    return DataError(f"{file}: is not a readable Parquet file ({text})")
