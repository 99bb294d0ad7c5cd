"""Read JSON lines in parts, so that a file larger than memory can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from odbench.errors import DataError
from odbench.tables.nested import flat_names
from odbench.tables.source import (
    BATCH_ROWS,
    Source,
    check_size,
    damaged,
    distinct_names,
)
from odbench.tables.streams import Opened, seekable

# Bytes that are parsed at once; a longer line is parsed alone.
PART = 1 << 24


def read_json_lines(opened: Opened, path: Path | None, part: int = PART) -> Source:
    """Read a table of one JSON object per line.

    The text is parsed twice: once for the columns and types of all lines, and whenever
    rows are read. A key that a line lacks is a missing value there. A column of
    numbers in one part and of dates or text in another is refused, as within one part;
    dates in one and other text in another are text.

    Parameters
    ----------
    opened : Opened
        The bytes.
    path : Path or None
        Their file, or None for stdin, which is copied to a temporary file.
    part : int
        Bytes that are parsed at once.

    Returns
    -------
    Source

    Raises
    ------
    DataError
        If it is one JSON array, or a line is not an object like the others.
    """
    import pyarrow as pa

    name = opened.name
    _check_lines(opened.head, name)
    content = pa.BufferReader(opened.head) if opened.whole else seekable(opened, path)
    schema, n_rows = pa.schema([]), 0
    for block in _blocks(content, part):
        table = _parsed(block, name)
        schema = _together(schema, table.schema, name)
        n_rows += table.num_rows
    names, notes = distinct_names(flat_names(schema))
    check_size(name, len(names), n_rows)

    def read() -> Iterator[Any]:
        for block in _blocks(content, part):
            table = _parsed(block, name, schema)
            yield from table.to_batches(max_chunksize=BATCH_ROWS)

    return Source(name, names, n_rows, "JSON lines", read, tuple(notes))


def _check_lines(head: bytes, name: str) -> None:
    """Refuse JSON whose objects are not one per line.

    Raises
    ------
    DataError
        If the text is an array, or its first line is no more than a bracket or a key.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    first, end, _ = text.partition(b"\n")
    if text.startswith(b"["):
        found = "one JSON array"
    elif end and first.rstrip().endswith((b"{", b"[", b",")):
        found = "JSON over several lines"
    else:
        return
    msg = (
        f"{name}: is {found}; wanted JSON lines, one object per line: "
        f"`jq -c '.[]' FILE > FILE.jsonl` writes an array so"
    )
    raise DataError(msg)


def _blocks(content: Any, part: int) -> Iterator[bytes]:
    """Yield parts of the text that end at the end of a line."""
    import pyarrow as pa

    file = pa.OSFile(content) if isinstance(content, str) else content
    file.seek(0)
    rest = b""
    while chunk := file.read(part):
        lines, end, begun = chunk.rpartition(b"\n")
        if end and (rest + lines).strip():
            yield rest + lines + end
        rest = begun if end else rest + chunk
    if rest.strip():
        yield rest


def _parsed(block: bytes, name: str, schema: Any = None) -> Any:
    import pyarrow as pa
    from pyarrow import json

    # The parser takes lines only as long as its block.
    read = json.ReadOptions(block_size=len(block) + 1, use_threads=False)
    parse = json.ParseOptions(explicit_schema=schema)
    try:
        return json.read_json(pa.BufferReader(block), read, parse)
    except pa.ArrowException as error:
        raise damaged(name, "JSON lines", error) from error


def _together(first: Any, second: Any, name: str) -> Any:
    """Return a schema for the rows of two."""
    import pyarrow as pa

    fields = {field.name: field for field in first}
    for field in second:
        known = fields.get(field.name, field)
        kinds = {known.type, field.type}
        if pa.string() in kinds and any(map(pa.types.is_timestamp, kinds)):
            fields[field.name] = pa.field(field.name, pa.string())
            continue
        try:
            unified = pa.unify_schemas(
                [pa.schema([known]), pa.schema([field])], promote_options="permissive"
            )
        except pa.ArrowException as error:
            raise damaged(name, "JSON lines", error) from error
        fields[field.name] = unified.field(0)
    return pa.schema(list(fields.values()))
