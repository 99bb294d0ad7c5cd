"""Facts about a column of text, and the decimal mark of its numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.magnitudes import bare_magnitudes
from odbench.tables.numbers import LARGEST, count_readable, read_number, without_unit
from odbench.tables.values import as_text
from odbench.tables.written import READABLE, spread


@dataclass(frozen=True)
class TextFacts:
    """A column of text.

    Attributes
    ----------
    n, present : int
        Number of rows, and of those with a value.
    known : list of str
        The different values, ascending.
    rows : list of int
        How many rows have each of them.
    counts : dict of str to int
        How many of some different values are numbers with the decimal mark "." or ",";
        empty if `plain` is given.
    plain : float64 array of shape (present,) or None
        The numbers of all rows with a value, if each is a plain number.
    """

    n: int
    present: int
    known: list[str]
    rows: list[int]
    counts: dict[str, int]
    plain: FloatArray | None


def look_at(values: Any) -> TextFacts:
    """Return the facts about a pyarrow column, read as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = as_text(values)
    present = pc.drop_null(text)
    different, rows = pc.value_counts(present).flatten()
    order = pc.sort_indices(different)
    known = different.take(order).to_pylist()
    plain: FloatArray | None = None
    try:
        cast = pc.cast(present, pa.float64()).to_numpy(zero_copy_only=False)
        plain = np.array(cast) if (np.abs(cast) <= LARGEST).all() else None
    except pa.ArrowInvalid:
        pass
    counts = {} if plain is not None else count_readable(spread(known))
    of_each = rows.take(order).to_pylist()
    return TextFacts(len(text), len(present), known, of_each, counts, plain)


def uses_commas(facts: list[TextFacts]) -> bool:
    """Decide on decimal commas from the columns where only one mark is possible."""
    votes = 0
    for one in facts:
        point, comma = one.counts.get(".", 0), one.counts.get(",", 0)
        if max(point, comma) >= READABLE * len(spread(one.known)) and one.known:
            votes += int(comma > point) - int(point > comma)
    return votes > 0


def number_mark(facts: TextFacts, *, comma: bool) -> str:
    """Return the decimal mark of a column of numbers, "" if it has other values."""
    if facts.plain is not None:
        # Under decimal commas, 1.234 is a whole number with thousands.
        grouped = count_readable(spread(facts.known)) if comma else {}
        return "," if comma and grouped["."] == grouped[","] else "."
    least = READABLE * len(spread(facts.known))
    point, commas = facts.counts["."], facts.counts[","]
    if max(point, commas) < least:
        return ""
    if point == commas:
        return "," if comma else "."
    return "," if commas > point else "."


def magnitude_mark(facts: TextFacts, *, comma: bool) -> str:
    """Return the decimal mark of numbers such as 1.2k, "" if it has other values."""
    bare = bare_magnitudes(spread(facts.known), READABLE)
    return number_mark(replace(facts, counts=count_readable(bare)), comma=comma)


def mark_without(facts: TextFacts, unit: str, *, comma: bool) -> str:
    """Return the decimal mark of numbers with a unit, "" if it has other values."""
    bare = [without_unit(text, unit) for text in spread(facts.known)]
    return number_mark(replace(facts, counts=count_readable(bare)), comma=comma)


def numbers_in(facts: TextFacts, mark: str) -> FloatArray:
    """Return the numbers of all rows, or of the different values, NaN for others."""
    if facts.plain is not None and mark == ".":
        return facts.plain
    return np.asarray([read_number(text, mark) for text in facts.known], np.float64)
