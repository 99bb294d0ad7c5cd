"""The role of a column of text: numbers, dates, categories, names or prose."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.columns import Column
from odbench.tables.date_roles import COMPACT_NOTE, are_clocks, date_role
from odbench.tables.dates import looks_like_date
from odbench.tables.digit_dates import are_compact
from odbench.tables.durations import are_durations, is_any_beyond_a_day
from odbench.tables.magnitudes import bare_magnitudes, magnitudes_note, read_magnitude
from odbench.tables.number_roles import is_beyond_float, large_role, number_role
from odbench.tables.numbers import are_codes, common_unit, read_number, without_unit
from odbench.tables.role_notes import constant_note, joined
from odbench.tables.seasons import are_seasons
from odbench.tables.text_facts import (
    TextFacts,
    magnitude_mark,
    mark_without,
    number_mark,
    numbers_in,
)
from odbench.tables.values import category_key
from odbench.tables.written import READABLE, spread
from odbench.text import counted

# Mean length and share of different values above which text is prose.
_LONG, _WORDY, _VARIED = 40.0, 4.0, 0.5
# Different texts up to which some may be spellings of true and false.
_SPELLINGS = 20
_SEASON_NOTE = "years that end in the next one"
_WHOLE = re.compile(r"[+-]?\d+")


def text_role(name: str, facts: TextFacts, *, comma: bool) -> Column:
    """Return the role of a column of text.

    Parameters
    ----------
    name : str
        Its name.
    facts : TextFacts
        Its values.
    comma : bool
        Whether other columns of the table have decimal commas.
    """
    known, n = facts.known, facts.n
    if not facts.present:
        return Column(name, "empty", "every value is missing")
    if len(known) == 1 and facts.present == n:
        return Column(name, "constant", constant_note(known[0]))
    if are_compact(spread(known)):
        return Column(name, "date", COMPACT_NOTE)
    mark = number_mark(facts, comma=comma)
    if mark and not are_codes(spread(known)):
        whole = _beyond_float(facts)
        if whole is not None:
            return large_role(name, whole, facts.present, n)
        values = numbers_in(facts, mark)
        if not np.isnan(values).any() or _differ(values):
            return number_role(name, values, n, mark, text=facts)
    if not mark and bare_magnitudes(spread(known), READABLE):
        return _of_magnitudes(name, facts, comma=comma)
    unit = "" if mark else common_unit(spread(known), READABLE)
    if unit:
        return _of_units(name, facts, unit, comma=comma)
    return _of_shapes(name, facts)


def _of_shapes(name: str, facts: TextFacts) -> Column:
    """Return the role of a column of text that is not numbers."""
    shaped = spread(facts.known)
    if are_seasons(shaped, READABLE):
        return Column(name, "date", _SEASON_NOTE, season=True)
    if sum(looks_like_date(t) for t in shaped) >= READABLE * len(shaped):
        dates = date_role(name, facts)
        if dates is not None:
            return dates
    if are_clocks(shaped) and not is_any_beyond_a_day(facts.known):
        return Column(name, "date", "time of day", clock=True)
    if are_durations(shaped, READABLE):
        return Column(name, "number", "in seconds", unit="s", duration=True)
    return _of_words(name, facts)


def _of_units(name: str, facts: TextFacts, unit: str, *, comma: bool) -> Column:
    """Return the role of a column whose numbers have a unit."""
    bare = [without_unit(text, unit) for text in facts.known]
    mark = mark_without(facts, unit, comma=comma)
    if not mark or are_codes(spread(bare)):
        return _of_words(name, facts)
    read = np.asarray([read_number(text, mark) for text in bare], dtype=np.float64)
    column = number_role(name, read, facts.n, mark, text=facts)
    return replace(column, unit=unit, note=joined(f"in {unit}", column.note))


def _of_magnitudes(name: str, facts: TextFacts, *, comma: bool) -> Column:
    """Return the role of a column of numbers such as 1.2k and 3M."""
    mark = magnitude_mark(facts, comma=comma)
    if not mark:
        return _of_words(name, facts)
    read = [read_magnitude(text, mark) for text in facts.known]
    column = number_role(name, np.asarray(read, np.float64), facts.n, mark, text=facts)
    note = joined(magnitudes_note(facts.known), column.note)
    return replace(column, note=note, magnitude=True)


def _differ(values: FloatArray) -> bool:
    return len(np.unique(values[~np.isnan(values)])) > 1


def _of_words(name: str, facts: TextFacts) -> Column:
    known, present = _each_once(facts.known), facts.present
    if len(known) == 1 and present == facts.n:
        return Column(name, "constant", constant_note(known[0]))
    if len(known) == 2:
        return Column(name, "yes/no", f"{known[0][:20]!r} or {known[1][:20]!r}")
    some = spread(known)
    length = np.mean([len(text) for text in some])
    words = np.mean([len(text.split()) for text in some])
    varied = len(known) / present
    if varied > _VARIED and (length > _LONG or words >= _WORDY):
        each = "a word" if words < 1.5 else f"{words:.0f} words"
        return Column(name, "text", f"{counted(len(known), 'text')} of {each}")
    if len(known) > 1 and varied > 0.9:
        return Column(name, "identifier", f"{len(known):,} different values")
    return Column(name, "category", counted(len(known), "value"))


def _each_once(known: list[str]) -> list[str]:
    """Return one text per category of few: True and TRUE are one."""
    if len(known) > _SPELLINGS:
        return known
    return list({category_key(text): text for text in reversed(known)}.values())[::-1]


def _beyond_float(facts: TextFacts) -> list[int] | None:
    """Return the values of whole numbers, if a float64 does not hold all of them."""
    if facts.plain is None or not is_beyond_float(facts.plain):
        return None
    if not all(_WHOLE.fullmatch(text) for text in facts.known):
        return None
    return [int(text) for text in facts.known]
