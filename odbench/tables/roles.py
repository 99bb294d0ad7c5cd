"""Infer the role of each column from its values, never from its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from odbench.errors import UsageError
from odbench.tables.columns import Column, parsed_numbers
from odbench.tables.date_roles import are_clocks
from odbench.tables.dates import (
    OPEN_ORDER,
    day_comes_first,
    order_of_all,
    two_digit_start,
)
from odbench.tables.durations import are_durations
from odbench.tables.numbers import common_unit
from odbench.tables.role_notes import joined, unread_note
from odbench.tables.seasons import are_seasons
from odbench.tables.text_facts import (
    TextFacts,
    look_at,
    magnitude_mark,
    mark_without,
    number_mark,
    uses_commas,
)
from odbench.tables.text_roles import text_role
from odbench.tables.typed_roles import typed_role
from odbench.tables.values import family
from odbench.tables.written import READABLE, spread
from odbench.text import counted

_ORDER_NOTE = "day and month in the order of other columns"


def infer_roles(
    table: Any, given: Mapping[str, str] | None = None
) -> tuple[Column, ...]:
    """Infer the roles of a table's columns.

    Parameters
    ----------
    table : pyarrow.Table
        Some or all rows.
    given : mapping of str to str, optional
        Roles that the user chose, by the column's name.

    Returns
    -------
    tuple of Column

    Raises
    ------
    UsageError
        If the user chose a role that none of the column's values can be read in.
    """
    given = given or {}
    facts = {
        name: look_at(table.column(name))
        for name in table.column_names
        if family(table.schema.field(name).type) == "text"
    }
    comma = uses_commas(list(facts.values()))
    columns = []
    for name in table.column_names:
        values = table.column(name)
        if name in facts:
            column = text_role(name, facts[name], comma=comma)
        else:
            column = typed_role(name, values)
        # A chosen role keeps values that would be read as missing.
        if name in given and (given[name] != column.role or column.fills):
            column = _overruled(column, given[name], values, comma=comma)
        columns.append(column)
    return tuple(_in_one_order(columns, facts))


def _in_one_order(
    columns: list[Column], facts: Mapping[str, TextFacts]
) -> Iterator[Column]:
    """Yield the columns; dates whose order is open have that of the other dates."""
    if not any(OPEN_ORDER in column.note for column in columns):
        yield from columns
        return
    common = order_of_all(
        day_comes_first(spread(facts[column.name].known))[0]
        for column in columns
        if column.role == "date" and column.name in facts
    )
    for column in columns:
        if common is None or OPEN_ORDER not in column.note:
            yield column
            continue
        note = column.note.replace(OPEN_ORDER, _ORDER_NOTE)
        yield replace(column, day_first=common, note=note)


def _overruled(column: Column, role: str, values: Any, *, comma: bool) -> Column:
    """Return the column in the role that the user chose.

    Raises
    ------
    UsageError
        If none of its values can be read in that role.
    """
    chosen = replace(
        column, role=role, note="as asked", given=True, fills=(), codes=False
    )
    kind = family(values.type)
    # Numbers that are dates count the time; all others are read as they are.
    numeric = kind in ("number", "integer", "truth")
    written = kind in ("text", "nested")
    if not (written and role in ("number", "date")) and not (
        numeric and role == "date"
    ):
        return chosen
    facts = look_at(values)
    if written and role == "date":
        chosen = _as_dates(chosen, spread(facts.known))
    elif written:
        chosen = _as_numbers(chosen, facts, comma=comma)
    return _with_unread(chosen, facts)


def _as_dates(chosen: Column, known: Sequence[str]) -> Column:
    """Return how the dates of a column are written."""
    if known and are_clocks(known):
        return replace(chosen, clock=True)
    if are_seasons(known, READABLE):
        return replace(chosen, season=True)
    order, note = day_comes_first(known)
    first, century = two_digit_start(known)
    note = joined(note, century) or chosen.note
    return replace(chosen, day_first=order is not False, first_year=first, note=note)


def _as_numbers(chosen: Column, facts: TextFacts, *, comma: bool) -> Column:
    """Return how the numbers of a column are written."""
    mark, unit = number_mark(facts, comma=comma), ""
    if not mark and are_durations(spread(facts.known), READABLE):
        return replace(chosen, unit="s", duration=True)
    if not mark and (scaled := magnitude_mark(facts, comma=comma)):
        return replace(chosen, mark=scaled, magnitude=True)
    if not mark:
        unit = common_unit(spread(facts.known), READABLE, fewest=1)
        mark = mark_without(facts, unit, comma=comma)
    return replace(chosen, mark=mark or ("," if comma else "."), unit=unit)


def _with_unread(chosen: Column, facts: TextFacts) -> Column:
    """Return the column with a remark on the values that its role leaves out.

    Raises
    ------
    UsageError
        If it leaves out all of them.
    """
    import pyarrow as pa

    unread = np.isnan(parsed_numbers(chosen, pa.array(facts.known, pa.large_string())))
    if facts.known and unread.all():
        msg = (
            f"column {chosen.name!r}: --{chosen.role} wants {chosen.role}s, but none "
            f"of its {counted(facts.present, 'value')} is one, such as "
            f"{facts.known[0][:20]!r}; leave it out, or choose another role, such as "
            f"--category"
        )
        raise UsageError(msg)
    note = unread_note(facts.known, facts.rows, unread)
    return replace(chosen, note=joined(chosen.note, note))
