"""Read JSON objects in parts, so that a file larger than memory can be read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from odbench.errors import DataError
from odbench.tables.json_array import ObjectLines
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
_NULL_ROW = re.compile(rb"^\s*null\b", re.MULTILINE)
_SINGLE = r"(string|number|boolean)"
_MIXED = re.compile(rf"changed from {_SINGLE} to {_SINGLE}")
_LINES, _ARRAY, _OBJECTS = "JSON lines", "JSON array", "JSON"
_BY_PANDAS = "with pandas, `to_json(orient='records')` writes that"


def read_json_lines(opened: Opened, path: Path | None, part: int = PART) -> Source:
    """Read a table of JSON objects, one per line, over several, or in an array.

    The text is parsed twice: once for the columns and types of all lines, and whenever
    rows are read. A key that a line lacks is a missing value there. A column of
    single values of several kinds, such as numbers and text, is text; one of single
    values and lists or objects is refused.

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
        If it is a JSON array of something else, one object that holds a table, or an
        object is not like the others.
    """
    import pyarrow as pa

    name = opened.name
    form = _form(opened.head, name)
    content = pa.BufferReader(opened.head) if opened.whole else seekable(opened, path)

    def lines() -> Any:
        file = pa.OSFile(content) if isinstance(content, str) else content
        if form == _LINES:
            return file
        return ObjectLines(file, name, is_array=form == _ARRAY)

    schema, n_rows = pa.schema([]), 0
    for block in _blocks(lines(), part):
        table = _parsed(block, name)
        schema = _together(schema, table.schema, name)
        n_rows += table.num_rows
    if n_rows == 1:
        _check_one(schema, name, form)
    names, notes = distinct_names(flat_names(schema))
    check_size(name, len(names), n_rows)

    def read() -> Iterator[Any]:
        for block in _blocks(lines(), part):
            table = _parsed(block, name, schema)
            yield from table.to_batches(max_chunksize=BATCH_ROWS)

    return Source(name, names, n_rows, form, read, tuple(notes))


def _form(head: bytes, name: str) -> str:
    """Tell how the objects are written, from the beginning of the text.

    Raises
    ------
    DataError
        If it is an array of something else.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        first = text[1:].lstrip()[:1]
        if first not in (b"{", b"]", b""):
            found = "arrays" if first == b"[" else "single values"
            msg = (
                f"{name}: is a JSON array of {found}; wanted an array of objects, such "
                f'as [{{"amount": 20}}, ...], or an object per line'
            )
            raise DataError(msg)
        return _ARRAY
    first_line, end, _ = text.partition(b"\n")
    is_cut = end and first_line.rstrip().endswith((b"{", b"[", b","))
    return _OBJECTS if is_cut else _LINES


def _check_one(schema: Any, name: str, form: str) -> None:
    """Refuse a single object that is not a row but holds a table.

    Raises
    ------
    DataError
        If all of its values are lists or objects, or if it is written over several
        lines and has a list of objects.
    """
    from pyarrow import types

    lists = [field for field in schema if types.is_list(field.type)]
    tables = [field for field in lists if types.is_struct(field.type.value_type)]
    n_nested = len(lists) + sum(types.is_struct(field.type) for field in schema)
    if n_nested < len(schema) and not (form == _OBJECTS and tables):
        return
    how = _BY_PANDAS
    if tables:
        part = tables[0].name[:40]
        how = f"`jq -c '.[\"{part}\"][]' FILE > FILE.jsonl` writes those of {part!r}"
    raise _no_row(name, how)


def _no_row(name: str, how: str = _BY_PANDAS) -> DataError:
    """Return the error of one object that holds a table, and how to write its rows."""
    return DataError(
        f"{name}: is one JSON object with lists or objects in it, which is not a row; "
        f"wanted an array of objects, or an object per line: {how}"
    )


def _is_one_object(block: bytes) -> bool:
    """Check for one object with nothing but lists and objects in it."""
    try:
        told = json.loads(block)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and all(
        isinstance(value, (dict, list)) for value in told.values()
    )


def _blocks(file: Any, part: int) -> Iterator[bytes]:
    """Yield parts of the text that end at the end of a line."""
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
    """Parse lines; a column that has text beside numbers or truth values is text."""
    import pyarrow as pa

    try:
        # The parser takes any bytes for text.
        block.decode()
        try:
            return _as_table(block, schema)
        except pa.ArrowInvalid as error:
            if not _MIXED.search(str(error)):
                raise
            return _as_table(_with_texts(block, schema), schema)
    except UnicodeDecodeError as error:
        msg = f"{name}: is JSON that is not in UTF-8; save it as UTF-8"
        raise DataError(msg) from error
    except (pa.ArrowException, ValueError, RecursionError) as error:
        # Rows as lists, which have values of several kinds, are no column for Arrow.
        if _is_one_object(block):
            raise _no_row(name) from error
        raise damaged(name, "JSON", error) from error


def _as_table(block: bytes, schema: Any) -> Any:
    import pyarrow as pa
    from pyarrow import json

    if _NULL_ROW.search(block):
        # pyarrow 26 would end the process where it is the first row.
        msg = "a row is null, and no object"
        raise ValueError(msg)
    # The parser takes lines only as long as its block.
    read = json.ReadOptions(block_size=len(block) + 1, use_threads=False)
    parse = json.ParseOptions(explicit_schema=schema)
    return json.read_json(pa.BufferReader(block), read, parse)


def _with_texts(block: bytes, schema: Any) -> bytes:
    """Write the single values of columns of several kinds as text."""
    rows = [json.loads(line) for line in block.splitlines() if line.strip()]
    kinds: dict[str, set[str]] = {}
    for row in rows:
        if not isinstance(row, dict):
            msg = f"a row is a {_kind(row)}, and no object"
            raise ValueError(msg)
        for key, value in row.items():
            if value is not None:
                kinds.setdefault(key, set()).add(_kind(value))
    mixed = {key for key, found in kinds.items() if len(found) > 1}
    if schema is not None:
        mixed |= {field.name for field in schema if field.type == "string"}
    for row in rows:
        for key in mixed & row.keys():
            if _kind(row[key]) in ("number", "truth"):
                row[key] = json.dumps(row[key])
    return "\n".join(map(json.dumps, rows)).encode()


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def _together(first: Any, second: Any, name: str) -> Any:
    """Return a schema for the rows of two; text where single values disagree."""
    import pyarrow as pa

    fields = {field.name: field for field in first}
    for field in second:
        known = fields.get(field.name, field)
        try:
            unified = pa.unify_schemas(
                [pa.schema([known]), pa.schema([field])], promote_options="permissive"
            ).field(0)
        except pa.ArrowException as error:
            if any(map(pa.types.is_nested, (known.type, field.type))):
                raise damaged(name, "JSON", error) from error
            unified = pa.field(field.name, pa.string())
        fields[field.name] = unified
    return pa.schema(list(fields.values()))
