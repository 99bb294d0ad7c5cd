"""Write results files atomically, and check them when reading."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from odbench.errors import ResultsError
from odbench.files import whole_file
from odbench.results.checks import check_size, check_texts, check_values
from odbench.results.pending import is_pending, pending_words
from odbench.results.schema import (
    REQUIRED,
    RESULTS,
    SCHEMA_VERSION,
    STATUSES,
    STRINGS,
    columns_as_words,
    completed,
    schema,
)
from odbench.threads import spare_threads

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def write_results(rows: pa.Table | Iterable[pa.Table], path: Path) -> None:
    """Write a results file, completely or not at all.

    Parameters
    ----------
    rows : pyarrow.Table or iterable of them
        Columns of `schema`, in its order. Several tables are written one after the
        other, so that only one needs to be in memory.
    path : Path
        The file; replaced in one step once the new one is on the disk.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    full = schema()
    with (
        whole_file(path) as sink,
        # So that a bit that flips on a disk is not read as another number.
        pq.ParquetWriter(
            sink, full, compression="zstd", write_page_checksum=True
        ) as writer,
    ):
        for table in [rows] if isinstance(rows, pa.Table) else rows:
            writer.write_table(table.cast(full))


def read_results(
    path: Path | str, columns: Iterable[str] | None = None
) -> pd.DataFrame:
    """Read the results in a file or in a run's folder as a data frame.

    Parameters
    ----------
    path : Path or str
        A ``results.parquet`` or the folder of a run that holds one.
    columns : iterable of str, optional
        A subset of `COLUMNS` to read. Texts are then sorted categories, which take a
        fraction of the memory.

    Returns
    -------
    pandas.DataFrame
        One row per trial, with the requested columns of `COLUMNS` in that order;
        optional columns that the file lacks are null.

    Raises
    ------
    ResultsError
        If the file is missing, cannot be read, lacks a column, is too large, or
        contains an invalid name or number.
    UsageError
        If a column is not one of `COLUMNS`.
    NoProcessesError
        If no thread may be started.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = Path(path)
    if file.is_dir():
        file /= RESULTS
    if not file.is_file() and is_pending(file):
        raise ResultsError(pending_words(Path(path)))
    if not file.is_file():
        msg = (
            f"results {str(path)!r}: no such file; name a results.parquet or the "
            f"folder that `odbench run --out` wrote"
        )
        raise ResultsError(msg)
    spare_threads()
    full = schema() if columns is None else columns_as_words(columns)
    # Texts are looked at as places in a list of distinct ones: a reason that all rows
    # share is held once, until it is known how long it is.
    # As bytes, because pyarrow encodes texts as UTF-8 and takes a colon for a URI.
    raw = os.fsencode(file)
    try:
        with pa.OSFile(raw) as source, pq.ParquetFile(source) as described:
            names = described.schema_arrow.names
            wanted = [name for name in full.names if name in names]
            check_size(described, file, wanted)
        words = [name for name in STRINGS if name in wanted]
        with (
            pa.OSFile(raw) as source,
            pq.ParquetFile(
                source, read_dictionary=words, page_checksum_verification=True
            ) as stored,
        ):
            table = stored.read(wanted)
        check_texts(table, file)
    except MemoryError:
        # Arrow's is an ArrowException as well, and says nothing about the file.
        raise
    # A damaged name of a column is a ValueError.
    except (pa.ArrowException, OSError, ValueError) as error:
        msg = f"results {str(file)!r}: not a readable Parquet file ({error})"
        raise ResultsError(msg) from error
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        msg = (
            f"results {str(file)!r}: without {', '.join(missing)}; wanted the "
            f"columns of results schema {SCHEMA_VERSION}, as `odbench run` writes them"
        )
        raise ResultsError(msg)
    try:
        coded = completed(table, columns_as_words(full.names))
        check_values(coded, file, statuses=STATUSES)
        table = coded if columns is not None else completed(table, full)
    except MemoryError:
        raise
    except pa.ArrowException as error:
        msg = (
            f"results {str(file)!r}: {_uncastable(table)}: {error}; leave the file "
            f"out, or ask for a new one"
        )
        raise ResultsError(msg) from error
    frame: pd.DataFrame = table.to_pandas()
    for name in frame.select_dtypes("category").columns:
        in_order = sorted(frame[name].cat.categories)
        frame[name] = frame[name].cat.set_categories(in_order)
    return frame


def _uncastable(table: pa.Table) -> str:
    """Name the first column whose values do not fit the schema, with both types."""
    import pyarrow as pa

    full = schema()
    for coded in columns_as_words(full.names):
        if coded.name in table.column_names:
            column, wanted = table[coded.name], full.field(coded.name).type
            try:
                column.cast(coded.type)
            except pa.ArrowException:
                return f"column {coded.name} is {column.type}, wanted {wanted}"
    return "a column has the wrong type"
