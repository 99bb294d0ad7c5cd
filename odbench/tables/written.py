"""How another table of the same columns writes their numbers and dates.

A column's own values decide where they can be read in one way only. What they leave
open is read as in the table that was learned from, so that a row means the same alone
and among others; unless other columns of this table are written differently, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from odbench.tables.columns import Column
from odbench.tables.dates import day_comes_first, order_of_all, two_digit_start
from odbench.tables.numbers import common_unit, count_readable, without_unit
from odbench.tables.values import as_text, family

# Share of the values that must be readable, and have the same unit.
READABLE = 0.95
# Maximum number of different values of a column that are looked at.
_LOOK = 5_000


def spread(known: Sequence[Any]) -> list[Any]:
    """Return at most 5,000 values, evenly spread."""
    step = max(1, -(-len(known) // _LOOK))
    return list(known[::step])


def rewritten(columns: Iterable[Column], table: Any) -> dict[str, Column]:
    """Return how the columns of another table are written.

    Parameters
    ----------
    columns : iterable of Column
        The used columns, as they were in the table that was learned from.
    table : pyarrow.Table
        Some rows of the other table; has these columns.

    Returns
    -------
    dict of str to Column
        The same roles, with this table's decimal marks, units and orders of dates.
    """
    import pyarrow.compute as pc

    found = {column.name: column for column in columns}
    texts = {
        name: spread(pc.unique(as_text(table.column(name))).drop_null().to_pylist())
        for name, column in found.items()
        if _is_open(column) and family(table.column(name).type) == "text"
    }
    numbers = {n: t for n, t in texts.items() if found[n].role != "date"}
    dates = {n: t for n, t in texts.items() if found[n].role == "date"}
    return found | _numbers(found, numbers) | _dates(found, dates)


def _is_open(column: Column) -> bool:
    """Check whether a column's text can be read in several ways."""
    if column.role == "date":
        return not (column.clock or column.season)
    told = column.duration or column.magnitude
    return column.role in ("number", "integer") and not told


def _numbers(
    columns: Mapping[str, Column], texts: Mapping[str, list[str]]
) -> dict[str, Column]:
    units = {name: _unit(known, columns[name].unit) for name, known in texts.items()}
    marks = {name: _mark(known, units[name]) for name, known in texts.items()}
    clear = [mark for mark in marks.values() if mark]
    comma = clear.count(",") > clear.count(".")
    changed = any(mark and mark != columns[name].mark for name, mark in marks.items())
    found = {}
    for name, mark in marks.items():
        column = columns[name]
        usual = ("," if comma else ".") if changed else column.mark
        found[name] = replace(column, mark=mark or usual, unit=units[name])
    return found


def _unit(known: Sequence[str], usual: str) -> str:
    """Return the unit behind numbers; a currency is none, as it needs no removal."""
    if max(count_readable(known).values()) >= READABLE * len(known):
        return usual
    return common_unit(known, READABLE, fewest=1) or usual


def _mark(known: Sequence[str], unit: str) -> str:
    """Return the decimal mark of numbers, "" if their values leave it open."""
    counts = count_readable(without_unit(text, unit) for text in known)
    if counts["."] == counts[","]:
        return ""
    return "." if counts["."] > counts[","] else ","


def _dates(
    columns: Mapping[str, Column], texts: Mapping[str, list[str]]
) -> dict[str, Column]:
    orders = {name: day_comes_first(known)[0] for name, known in texts.items()}
    common = order_of_all(orders.values())
    changed = any(
        order is not None and order != columns[name].day_first
        for name, order in orders.items()
    )
    found = {}
    for name, order in orders.items():
        column = columns[name]
        usual = common if changed and common is not None else column.day_first
        day_first = usual if order is None else order
        first = column.first_year or two_digit_start(texts[name])[0]
        found[name] = replace(column, day_first=day_first, first_year=first)
    return found
