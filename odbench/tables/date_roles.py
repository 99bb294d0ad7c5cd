"""The role of a column of dates or times of day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.tables.columns import Column
from odbench.tables.dates import (
    day_comes_first,
    read_clock,
    read_dates,
    show_date,
    two_digit_start,
)
from odbench.tables.number_roles import tally
from odbench.tables.role_notes import joined, unread_note
from odbench.tables.stand_in import are_never, stand_in_dates, stand_in_note
from odbench.tables.text_facts import TextFacts
from odbench.tables.written import READABLE, spread

# Share of the different values of the shape of a date that may be no date, such as
# 0000-00-00; addresses and versions (10.1.23.45) have that shape, too.
_MOST_UNREAD = 0.2
# Years of dates; account and part numbers (4533-08) have the shape of a month.
_FIRST_YEAR, _LAST_YEAR = 1500, 2200
COMPACT_NOTE = "digits read as year, month, day"


def date_role(name: str, facts: TextFacts) -> Column | None:
    """Return the role of a column of dates, None if many values only look like some."""
    shaped = spread(facts.known)
    order, note = day_comes_first(shaped)
    day_first = order is not False
    first, century = two_digit_start(shaped)
    days = read_dates(shaped, day_first=day_first, first=first)
    unread, years = np.isnan(days), 1970 + days / 365.25
    # Versions such as 2.8.16 have the shape of short dates, but not all are some.
    most = (1.0 - READABLE if first else _MOST_UNREAD) * len(shaped)
    strange = ((years < _FIRST_YEAR) | (years > _LAST_YEAR)) & ~are_never(days)
    if unread.sum() > max(most, 1) or strange.sum() > _MOST_UNREAD * len(shaped):
        return None
    notes = (note, century, unread_note(shaped, spread(facts.rows), unread))
    column = Column(name, "date", joined(*notes), day_first=day_first, first_year=first)
    rows = spread(facts.rows)
    if shaped[-1] != facts.known[-1]:
        # The last one in the alphabet may be 9999-12-31.
        last = read_dates(facts.known[-1:], day_first=day_first, first=first)
        days, rows = np.append(days, last), [*rows, facts.rows[-1]]
    return without_edges(column, *tally(days, rows))


def without_edges(column: Column, days: FloatArray, rows: IntArray) -> Column:
    """Return a column of dates without those that stand for missing ones."""
    fills = stand_in_dates(days, rows)
    shown = [show_date(value) for value in fills]
    note = stand_in_note(shown, rows[np.isin(days, fills)].tolist(), "--date")
    return replace(column, fills=fills, note=joined(column.note, note))


def are_clocks(shaped: Sequence[str]) -> bool:
    """Check whether nearly all texts are times of day."""
    unread = sum(bool(np.isnan(read_clock(text))) for text in shaped)
    return unread <= (1.0 - READABLE) * len(shaped)
