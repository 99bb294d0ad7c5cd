"""Write scored rows to a file, whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from odbench.errors import UsageError
from odbench.files import whole_file
from odbench.tables.scored import Scored
from odbench.text import cell_text

Sink = Callable[[Iterator[Any], BinaryIO], None]


def write_scored(scored: Scored, path: Path) -> None:
    """Write one row per row of the table.

    Parameters
    ----------
    scored : Scored
    path : Path
        Ends with .csv, .tsv, .parquet, .feather, .arrow or .jsonl.

    Raises
    ------
    UsageError
        If the ending is another one, or the folder does not exist.
    OSError
        If the file cannot be written; then nothing is.
    """
    sink = writer_of(path)
    if not path.parent.is_dir():
        msg = (
            f"--out {str(path)!r}: folder {str(path.parent)!r} does not exist; make it"
        )
        raise UsageError(msg)
    with whole_file(path) as file:
        sink(scored.batches(), file)


def writer_of(path: Path) -> Sink:
    """Return the function that writes a file of this ending; see `write_scored`."""
    writers: dict[str, Sink] = {
        ".csv": lambda batches, file: _write_text(batches, file, ","),
        ".tsv": lambda batches, file: _write_text(batches, file, "\t"),
        ".parquet": _write_parquet,
        ".feather": _write_arrow,
        ".arrow": _write_arrow,
        ".jsonl": _write_json,
    }
    if path.suffix.lower() not in writers:
        msg = (
            f"--out {str(path)!r}: ends with {path.suffix!r}; wanted one of "
            f"{', '.join(writers)}"
        )
        raise UsageError(msg)
    return writers[path.suffix.lower()]


def _write_text(batches: Iterator[Any], file: BinaryIO, delimiter: str) -> None:
    import csv

    sink = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(sink, delimiter=delimiter, lineterminator="\n")
    for number, batch in enumerate(batches):
        if number == 0:
            writer.writerow(batch.schema.names)
        columns = [_cells(column) for column in batch.columns]
        # Reasons begin with a name from the table, which may look like a formula.
        columns[-1] = [cell_text(text) for text in columns[-1]]
        writer.writerows(zip(*columns, strict=True))
    sink.detach()


def _cells(column: Any) -> list[Any]:
    """Return the values of a column; truth is written as in JSON."""
    import pyarrow as pa
    import pyarrow.compute as pc

    truth = pa.types.is_boolean(column.type)
    return list((pc.cast(column, pa.string()) if truth else column).to_pylist())


def _write_parquet(batches: Iterator[Any], file: BinaryIO) -> None:
    import pyarrow.parquet as pq

    first = next(batches)
    with pq.ParquetWriter(file, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)


def _write_arrow(batches: Iterator[Any], file: BinaryIO) -> None:
    import pyarrow as pa

    first = next(batches)
    with pa.ipc.new_file(file, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)


def _write_json(batches: Iterator[Any], file: BinaryIO) -> None:
    import json

    for batch in batches:
        lines = (
            json.dumps(row, ensure_ascii=False, default=str)
            for row in batch.to_pylist()
        )
        file.write("".join(f"{line}\n" for line in lines).encode())
