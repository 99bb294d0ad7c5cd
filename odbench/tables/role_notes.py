"""Remarks on columns: constants, and values that are read as missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from odbench.tables.numbers import read_number
from odbench.tables.values import category_key
from odbench.text import counted


def constant_note(text: str) -> str:
    """Return the remark on a column that has one value."""
    return f"always {category_key(text)[:40]!r}"


def is_constant(note: str, text: str) -> bool:
    """Check whether a column whose remark is `constant_note` may have another value.

    Numbers are the same however they are written.

    Examples
    --------
    >>> is_constant("always '1.50'", "1,5"), is_constant("always '1.50'", "1.51")
    (True, False)
    """
    if note == constant_note(text):
        return True
    known = note.removeprefix("always ")[1:-1]
    either = (
        (read_number(known, one), read_number(text, two))
        for one in ".,"
        for two in ".,"
    )
    # NaN, which is no number, is not even equal to itself.
    return any(one == two for one, two in either)


def unread_note(known: Sequence[str], rows: Sequence[int], unread: Any) -> str:
    """Return the remark on values that are not what their column holds.

    `unread` and `rows` say of each of the different values whether it could not be
    read, and how many rows have it.
    """
    places = np.flatnonzero(unread).tolist()
    if not places:
        return ""
    count = int(sum(rows[place] for place in places))
    example = known[places[0]][:20]
    return f"{counted(count, 'row')} read as missing, such as {example!r}"


def joined(*notes: str) -> str:
    """Return the remarks that are not empty as one."""
    return "; ".join(filter(None, notes))
