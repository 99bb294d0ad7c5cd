"""Turn a column of structures into a column per field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

# Fields of fields of fields are still looked into.
_DEPTH = 4


def flat_names(schema: Any) -> list[str]:
    """Return the names of a schema's columns, ``user.name`` for fields of structures.

    Parameters
    ----------
    schema : pyarrow.Schema
    """
    return [name for field in schema for name in _names(field.name, field.type, _DEPTH)]


def _names(name: str, kind: Any, depth: int) -> Iterator[str]:
    if not _has_fields(kind, depth):
        yield name
        return
    for field in kind:
        yield from _names(f"{name}.{field.name}", field.type, depth - 1)


def flat_columns(columns: Iterable[Any], depth: int = _DEPTH) -> Iterator[Any]:
    """Yield columns in the order of `flat_names`.

    Parameters
    ----------
    columns : iterable of pyarrow arrays
    depth : int
        Levels of structures that are taken apart.
    """
    for column in columns:
        if _has_fields(column.type, depth):
            # A missing structure has missing fields.
            yield from flat_columns(column.flatten(), depth - 1)
        else:
            yield column


def _has_fields(kind: Any, depth: int) -> bool:
    import pyarrow.types as of

    return depth > 0 and of.is_struct(kind) and kind.num_fields > 0
