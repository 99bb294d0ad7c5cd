"""Read CSV and its relatives as text, however they are written."""

from __future__ import annotations

import codecs
import functools
import io
import os
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from csv import reader as csv_rows
from pathlib import Path
from typing import Any

import numpy as np

from odbench.arrays import IntArray
from odbench.errors import DataError
from odbench.tables.sniff import SPACES, Dialect, find_dialect
from odbench.tables.source import (
    Source,
    check_size,
    distinct_names,
    first_words,
)
from odbench.tables.spaced import ChangedLines, closed_quotes, single_spaces
from odbench.tables.streams import Opened, mapped
from odbench.text import counted

# Bytes of text kept in memory; more is kept in a temporary file.
IN_MEMORY = 1 << 29
_BLOCK = 1 << 23
# Encodings in which a delimiter, a quote and a space are the bytes of ASCII.
_ASCII = ("utf8", "cp1252", "latin-1")
# Line breaks in a cell from which on it may have swallowed rows, and the share of its
# lines that must look like rows.
_SWALLOWED, _SAME_WIDTH = 4, 0.8
# Numbers of rows that a remark names.
_NAMED = 5


def read_text_table(opened: Opened) -> Source:
    """Read a table of text; every cell stays text.

    Parameters
    ----------
    opened : Opened
        The bytes.

    Returns
    -------
    Source
        Its batches have string columns. Rows that repeat the header are left out.

    Raises
    ------
    DataError
        If it is empty or binary, has rows of unequal length, or is not in the encoding
        of its beginning.
    """
    dialect = find_dialect(opened.head, opened.name, whole=opened.whole)
    given = dialect.names if dialect.header else [""] * len(dialect.names)
    names, notes = distinct_names(given)
    if not dialect.header:
        notes.append("the first row looks like data; columns are named by number")
    if dialect.doubt:
        notes.append(
            f"the first row is taken as the header, because {dialect.doubt}; if it is "
            f"data, write names above it"
        )
    if dialect.comments:
        lines = counted(dialect.comments, "line")
        notes.append(f"{lines} above the header left out, because of the # in front")
    kept, headers = Kept(), Headers(dialect.names if dialect.repeats else ())
    try:
        for batch in _batches(opened, dialect, len(names)):
            kept.add(headers.removed(batch))
        kept.finish()
    except BaseException:
        kept.drop()
        raise
    check_size(opened.name, len(names), kept.n_rows)
    return Source(
        opened.name,
        names,
        kept.n_rows,
        f"text, {dialect}",
        kept.batches,
        (*notes, *headers.notes()),
        headers.rows(),
    )


def _batches(opened: Opened, dialect: Dialect, width: int) -> Iterator[Any]:
    """Parse the text in blocks, each a batch of string columns."""
    import pyarrow as pa
    from pyarrow import csv

    fields = [str(place) for place in range(width)]
    stream: Any = io.BufferedReader(opened, _BLOCK)
    encoding = "utf8" if dialect.encoding.startswith("utf-8") else dialect.encoding
    ended = _ended(opened, dialect)
    if ended is not None:
        stream, encoding = io.BytesIO(ended), "utf8"
    if dialect.delimiter == SPACES:
        stream = io.BufferedReader(ChangedLines(stream, single_spaces), _BLOCK)
    if dialect.padded:
        if encoding not in _ASCII:
            stream = codecs.EncodedFile(stream, "utf-8", encoding)
            encoding = "utf8"
        close = functools.partial(closed_quotes, delimiter=dialect.delimiter)
        stream = io.BufferedReader(ChangedLines(stream, close), _BLOCK)
    if encoding == "utf8":
        stream = io.BufferedReader(_Utf8(stream), _BLOCK)
    read = csv.ReadOptions(
        block_size=_BLOCK,
        # The parser would refuse a header of another width, even to skip it.
        skip_rows=dialect.skipped + dialect.short,
        column_names=fields,
        skip_rows_after_names=int(dialect.header and not dialect.short),
        encoding=encoding,
    )
    uneven: list[Any] = []

    def refuse(row: Any) -> str:
        uneven.append(row)
        return "error"

    parse = csv.ParseOptions(
        delimiter=dialect.delimiter,
        newlines_in_values=dialect.quoted,
        # In a table of one column, an empty line is a missing value.
        ignore_empty_lines=width > 1,
        invalid_row_handler=refuse,
    )
    convert = csv.ConvertOptions(
        column_types={name: pa.string() for name in fields},
        strings_can_be_null=False,
        # The stream does.
        check_utf8=False,
    )
    try:
        with csv.open_csv(
            stream,
            read_options=read,
            parse_options=parse,
            convert_options=convert,
        ) as reader:
            done = 0
            for batch in reader:
                if dialect.quoted:
                    _check_quotes(opened.name, batch, dialect, done)
                done += batch.num_rows
                yield batch
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise _unreadable(opened.name, error, uneven, dialect) from error


class _Utf8(io.RawIOBase):
    """A stream that refuses bytes that are not UTF-8, before the parser shows them.

    A row of the wrong length is handed over as text, which could not be made of them.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return the number of bytes, 0 at the end."""
        chunk = self._source.read(len(buffer))
        self._decoder.decode(chunk, final=not chunk)
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _ended(opened: Opened, dialect: Dialect) -> bytes | None:
    """Return a short text in UTF-8 with the line break that it lacks at its end.

    The parser needs one behind a header without rows.
    """
    if not opened.whole:
        return None
    try:
        text = opened.head.decode(dialect.encoding)
    except UnicodeDecodeError:
        return None
    return None if text.endswith(("\n", "\r")) else (text + "\n").encode()


def _check_quotes(name: str, batch: Any, dialect: Dialect, done: int) -> None:
    """Refuse a cell that holds whole rows, as a quote that is never closed makes one.

    Raises
    ------
    DataError
        If most lines inside a cell have as many cells as the table.
    """
    import pyarrow.compute as pc

    width = batch.num_columns
    if width < 2:
        return
    for place, column in enumerate(batch.columns):
        breaks = pc.count_substring(column, "\n")
        most = pc.max(breaks).as_py() or 0
        if most < _SWALLOWED:
            continue
        row = pc.index(breaks, most).as_py()
        inside = column[row].as_py().splitlines()[1:-1]
        rows = csv_rows(inside, delimiter=dialect.delimiter)
        if sum(len(cells) == width for cells in rows) > _SAME_WIDTH * len(inside):
            msg = (
                f"{name}: cell {place + 1} of row {done + row + 1} is a quote over "
                f"{most:,} lines that look like rows; close the quote, or double it"
            )
            raise DataError(msg)


def _unreadable(
    name: str, error: Exception, uneven: list[Any], dialect: Dialect
) -> DataError:
    if uneven:
        row = uneven[0]
        text = " ".join(row.text.split())[:60]
        # Lines are counted where one thread reads them.
        where = f"row {row.number} {text!r}" if row.number else f"the row {text!r}"
        long = '"' in row.text and "\n" in row.text.strip()
        repair = "close its quote, or double it" if long else "repair or delete the row"
        msg = (
            f"{name}: {where} has {counted(row.actual_columns, 'cell')}, wanted "
            f"{row.expected_columns} ({dialect}); {repair}"
        )
        return DataError(msg)
    if isinstance(error, UnicodeDecodeError):
        msg = f"{name}: a later part is not {dialect.encoding}; save it as UTF-8"
        return DataError(msg)
    return DataError(f"{name}: cannot be read as a table ({first_words(error)})")


class Headers:
    """Removes the rows that repeat the header, as in files that were joined.

    Parameters
    ----------
    names : sequence of str
        The cells of the header; none to remove no row.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._done = 0
        self._rows = array("q")

    def removed(self, batch: Any) -> Any:
        """Return the rows of the next batch that differ from the header."""
        import pyarrow.compute as pc

        start = self._done
        self._done += batch.num_rows
        same = None
        for place, name in enumerate(self._names):
            column = batch.column(place)
            equal = pc.equal(column, name)
            if not place:
                # The second file may begin with a byte order mark.
                equal = pc.or_(equal, pc.equal(column, f"\ufeff{name}"))
            same = equal if same is None else pc.and_(same, equal)
            if not pc.any(same).as_py():
                return batch
        if same is None:
            return batch
        found = np.flatnonzero(same.to_numpy(zero_copy_only=False))
        self._rows.frombytes((found + start).astype(np.int64).tobytes())
        return batch.filter(pc.invert(same))

    def rows(self) -> IntArray:
        """Return the numbers of the removed rows, from 0, ascending."""
        return np.array(self._rows, dtype=np.int64)

    def notes(self) -> list[str]:
        """Return a line about the removed rows, or nothing."""
        n = len(self._rows)
        if not n:
            return []
        named = ", ".join(map(str, self._rows[:_NAMED]))
        more = f" and {n - _NAMED:,} more" if n > _NAMED else ""
        rows = "row" if n == 1 else "rows"
        return [f"left out, because they repeat the header: {rows} {named}{more}"]


class Kept:
    """Batches in memory, and in a temporary file once they are large.

    Attributes
    ----------
    n_rows : int
        Number of rows so far.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self.n_rows = 0
        self._left = in_memory
        self._batches: list[Any] = []
        self._place: Path | None = None
        self._sink: Any = None
        self._writer: Any = None
        self._file: Any = None

    def add(self, batch: Any) -> None:
        """Keep a batch."""
        self.n_rows += batch.num_rows
        self._left -= batch.nbytes
        if self._writer is None and self._left < 0:
            self._spill(batch.schema)
        if self._writer is None:
            self._batches.append(batch)
        else:
            self._writer.write_batch(batch)

    def batches(self) -> Iterator[Any]:
        """Yield the batches."""
        import pyarrow as pa

        if self._file is None:
            yield from self._batches
            return
        reader = pa.ipc.open_file(self._file)
        for place in range(reader.num_record_batches):
            yield reader.get_batch(place)

    def finish(self) -> None:
        """End the adding, so that `batches` can be read."""
        if self._writer is not None and self._place is not None:
            self._writer.close()
            self._sink.close()
            self._file, self._place = mapped(self._place), None

    def drop(self) -> None:
        """Drop everything that is kept."""
        self._batches = []
        if self._place is not None:
            self._sink.close()
            self._place.unlink()

    def _spill(self, schema: Any) -> None:
        import pyarrow as pa

        handle, name = tempfile.mkstemp()
        os.close(handle)
        self._place, self._sink = Path(name), pa.OSFile(name, "wb")
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._writer = pa.ipc.new_file(self._sink, schema, options=options)
        for batch in self._batches:
            self._writer.write_batch(batch)
        self._batches = []
