"""Infer the role of each column from its values, never from its name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.errors import UsageError
from odbench.tables.columns import Column, parsed_numbers
from odbench.tables.dates import (
    OPEN_ORDER,
    day_comes_first,
    looks_like_date,
    order_of_all,
    read_clock,
    read_dates,
    show_date,
    two_digit_start,
)
from odbench.tables.digit_dates import are_compact, count_note
from odbench.tables.durations import are_durations
from odbench.tables.magnitudes import (
    bare_magnitudes,
    magnitudes_note,
    read_magnitude,
)
from odbench.tables.numbers import (
    LARGEST,
    are_codes,
    common_unit,
    count_readable,
    padded,
    read_number,
    units_note,
    without_unit,
)
from odbench.tables.scale import first_beyond
from odbench.tables.seasons import are_seasons
from odbench.tables.stand_in import (
    are_never,
    far_note,
    stand_in_dates,
    stand_in_note,
    stand_ins,
)
from odbench.tables.values import (
    as_days,
    as_numbers,
    as_text,
    category_key,
    family,
    undictionary,
)
from odbench.tables.written import READABLE, spread
from odbench.text import counted

# Fewer rows than this say little about a column of different whole numbers.
_FEW_ROWS = 20
# With fewer rows, measurements such as incomes pass for evenly spread, too.
_FEW_SPREAD = 200
# Mean length and share of different values above which text is prose.
_LONG, _WORDY, _VARIED = 40.0, 4.0, 0.5
# From here on, float64 does not hold every whole number.
_EXACT = 2.0**53
# Share of the different values of the shape of a date that may be no date, such as
# 0000-00-00; addresses and versions (10.1.23.45) have that shape, too.
_MOST_UNREAD = 0.2
# Years of dates; account and part numbers (4533-08) have the shape of a month.
_FIRST_YEAR, _LAST_YEAR = 1500, 2200
# Share of the rows of a counter that may repeat another or have no number, and rows
# from which that is no coincidence.
_LAPSES, _FEW_LAPSES = 0.1, 100
# Different texts up to which some may be spellings of true and false.
_SPELLINGS = 20
# Digits of postal codes.
_CODE_DIGITS = 5
_COUNTER_NOTE = "whole numbers, evenly spread, all different"
_NEARLY_NOTE = "whole numbers that fill their range, nearly all different"
_COMPACT_NOTE = "digits read as year, month, day"
_ORDER_NOTE = "day and month in the order of other columns"
_SEASON_NOTE = "years that end in the next one"
_WHOLE = re.compile(r"[+-]?\d+")


@dataclass(frozen=True)
class _Text:
    """Facts about a column of text."""

    n: int
    present: int
    known: list[str]
    rows: list[int]
    counts: dict[str, int]
    plain: FloatArray | None


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
        name: _look(table.column(name))
        for name in table.column_names
        if family(table.schema.field(name).type) == "text"
    }
    comma = _uses_commas(list(facts.values()))
    columns = []
    for name in table.column_names:
        values = table.column(name)
        if name in facts:
            column = _of_text(name, facts[name], comma=comma)
        else:
            column = _of_typed(name, values)
        # A chosen role keeps values that would be read as missing.
        if name in given and (given[name] != column.role or column.fills):
            column = _overruled(column, given[name], values, comma=comma)
        columns.append(column)
    return tuple(_in_one_order(columns, facts))


def _in_one_order(
    columns: list[Column], facts: Mapping[str, _Text]
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


def _look(values: Any) -> _Text:
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
    return _Text(len(text), len(present), known, of_each, counts, plain)


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


def _uses_commas(facts: list[_Text]) -> bool:
    """Decide on decimal commas from the columns where only one mark is possible."""
    votes = 0
    for one in facts:
        point, comma = one.counts.get(".", 0), one.counts.get(",", 0)
        if max(point, comma) >= READABLE * len(spread(one.known)) and one.known:
            votes += int(comma > point) - int(point > comma)
    return votes > 0


def _of_text(name: str, facts: _Text, *, comma: bool) -> Column:
    known, n = facts.known, facts.n
    if not facts.present:
        return Column(name, "empty", "every value is missing")
    if len(known) == 1 and facts.present == n:
        return Column(name, "constant", constant_note(known[0]))
    if are_compact(spread(known)):
        return Column(name, "date", _COMPACT_NOTE)
    mark = _number_mark(facts, comma=comma)
    if mark and not are_codes(spread(known)):
        whole = _beyond_float(facts)
        if whole is not None:
            return _of_large(name, whole, facts.present, n)
        values = _numbers(facts, mark)
        if not np.isnan(values).any() or _differ(values):
            return _of_numbers(name, values, n, mark, text=facts)
    if not mark and bare_magnitudes(spread(known), READABLE):
        return _of_magnitudes(name, facts, comma=comma)
    unit = "" if mark else common_unit(spread(known), READABLE)
    if unit:
        return _of_units(name, facts, unit, comma=comma)
    return _of_shapes(name, facts)


def _of_shapes(name: str, facts: _Text) -> Column:
    """Return the role of a column of text that is not numbers."""
    shaped = spread(facts.known)
    if are_seasons(shaped, READABLE):
        return Column(name, "date", _SEASON_NOTE, season=True)
    if sum(looks_like_date(t) for t in shaped) >= READABLE * len(shaped):
        dates = _of_dates(name, facts)
        if dates is not None:
            return dates
    if _are_clocks(shaped):
        return Column(name, "date", "time of day", clock=True)
    if are_durations(shaped, READABLE):
        return Column(name, "number", "in seconds", unit="s", duration=True)
    return _of_words(name, facts)


def _of_units(name: str, facts: _Text, unit: str, *, comma: bool) -> Column:
    """Return the role of a column whose numbers have a unit."""
    bare = [without_unit(text, unit) for text in facts.known]
    mark = _mark_without(facts, unit, comma=comma)
    if not mark or are_codes(spread(bare)):
        return _of_words(name, facts)
    read = np.asarray([read_number(text, mark) for text in bare], dtype=np.float64)
    column = _of_numbers(name, read, facts.n, mark, text=facts)
    return replace(column, unit=unit, note=_joined(f"in {unit}", column.note))


def _of_magnitudes(name: str, facts: _Text, *, comma: bool) -> Column:
    """Return the role of a column of numbers such as 1.2k and 3M."""
    mark = _magnitude_mark(facts, comma=comma)
    if not mark:
        return _of_words(name, facts)
    read = [read_magnitude(text, mark) for text in facts.known]
    column = _of_numbers(name, np.asarray(read, np.float64), facts.n, mark, text=facts)
    note = _joined(magnitudes_note(facts.known), column.note)
    return replace(column, note=note, magnitude=True)


def _magnitude_mark(facts: _Text, *, comma: bool) -> str:
    bare = bare_magnitudes(spread(facts.known), READABLE)
    return _number_mark(replace(facts, counts=count_readable(bare)), comma=comma)


def _mark_without(facts: _Text, unit: str, *, comma: bool) -> str:
    bare = [without_unit(text, unit) for text in spread(facts.known)]
    return _number_mark(replace(facts, counts=count_readable(bare)), comma=comma)


def _differ(values: FloatArray) -> bool:
    return len(np.unique(values[~np.isnan(values)])) > 1


def _of_dates(name: str, facts: _Text) -> Column | None:
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
    notes = (note, century, _unread_note(shaped, spread(facts.rows), unread))
    column = Column(
        name, "date", _joined(*notes), day_first=day_first, first_year=first
    )
    rows = spread(facts.rows)
    if shaped[-1] != facts.known[-1]:
        # The last one in the alphabet may be 9999-12-31.
        last = read_dates(facts.known[-1:], day_first=day_first, first=first)
        days, rows = np.append(days, last), [*rows, facts.rows[-1]]
    return _without_edges(column, *_tally(days, rows))


def _without_edges(column: Column, days: FloatArray, rows: IntArray) -> Column:
    """Return a column of dates without those that stand for missing ones."""
    fills = stand_in_dates(days, rows)
    shown = [show_date(value) for value in fills]
    note = stand_in_note(shown, rows[np.isin(days, fills)].tolist(), "--date")
    return replace(column, fills=fills, note=_joined(column.note, note))


def _tally(
    values: FloatArray, rows: Sequence[int] | None = None
) -> tuple[FloatArray, IntArray]:
    """Return the different values, NaN left out, and how many rows have each.

    `rows` says so of `values`, each of which one row has if it is not given.
    """
    known = ~np.isnan(values)
    distinct, place = np.unique(values[known], return_inverse=True)
    weights = np.ones(len(values)) if rows is None else np.asarray(rows)
    counts = np.bincount(place, weights=weights[known], minlength=len(distinct))
    return distinct, counts.astype(np.int64)


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _are_clocks(shaped: Sequence[str]) -> bool:
    unread = sum(bool(np.isnan(read_clock(text))) for text in shaped)
    return unread <= (1.0 - READABLE) * len(shaped)


def _unread_note(known: Sequence[str], rows: Sequence[int], unread: Any) -> str:
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


def _of_words(name: str, facts: _Text) -> Column:
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


def _number_mark(facts: _Text, *, comma: bool) -> str:
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


def _numbers(facts: _Text, mark: str) -> FloatArray:
    """Return the numbers of all rows, or of the different values, NaN for others."""
    if facts.plain is not None and mark == ".":
        return facts.plain
    return np.asarray([read_number(text, mark) for text in facts.known], np.float64)


def _of_numbers(
    name: str, values: FloatArray, n: int, mark: str = ".", text: _Text | None = None
) -> Column:
    """Return the role of a column of numbers.

    From its present values; NaN stands for one of the different values of `text` that
    is no number.
    """
    gone = np.isnan(values)
    note = _unread_note(text.known, text.rows, gone) if text is not None else ""
    # Only an all-castable column lists every row; otherwise values are distinct ones.
    each = text.rows if text is not None and len(values) == len(text.known) else None
    distinct, rows = _tally(values, each)
    whole = bool((distinct == np.round(distinct)).all())
    if mark == "," and not whole:
        note = _joined("decimal comma", note)
    present = text.present if text is not None else int(rows.sum())
    if len(distinct) == 1 and present == n:
        return Column(name, "constant", constant_note(f"{distinct[0]:.15g}"), mark=mark)
    if set(distinct) == {0.0, 1.0}:
        return Column(name, "yes/no", note, mark=mark)
    if text is not None:
        note = _joined(note, _writing_note(text))
    fills = stand_ins(distinct, rows)
    stand_in = np.isin(distinct, fills)
    shown = [f"{value:.15g}" for value in fills]
    told = stand_in_note(shown, rows[stand_in].tolist(), "--number")
    distinct = distinct[~stand_in]
    note = _joined(note, told, far_note(distinct))
    whole = bool((distinct == np.round(distinct)).all())
    if not whole:
        return Column(name, "number", note, mark=mark, fills=fills)
    note = _joined(note, count_note(distinct[0], distinct[-1]))
    if len(distinct) == present == n and is_counter(distinct):
        return Column(name, "identifier", _joined(_COUNTER_NOTE, note))
    most = n * (1.0 - _LAPSES) if n >= _FEW_LAPSES else n
    if len(distinct) >= most and fills_range(distinct):
        return Column(name, "identifier", _joined(_NEARLY_NOTE, note))
    codes = _may_be_codes(distinct[0], distinct[-1])
    return Column(name, "integer", note, mark=mark, fills=fills, codes=codes)


def _may_be_codes(lowest: float, highest: float) -> bool:
    """Check whether whole numbers may be codes, such as those of towns or articles.

    Codes have at most five digits, or all have as many. So may numbers, which can be
    read without thousands as well.
    """
    same = len(f"{lowest:.0f}") == len(f"{highest:.0f}")
    return bool(lowest >= 0.0 and (same or highest < 10**_CODE_DIGITS))


def _writing_note(facts: _Text) -> str:
    """Return a remark on how some of the different numbers of a column are written."""
    known = spread(facts.known)
    zeros, told = padded(known), ""
    if zeros:
        told = (
            f"{counted(len(zeros), 'value')} with a leading zero, such as {zeros[0]!r}"
        )
    # Plain numbers have no units.
    return _joined(told, units_note(known) if facts.plain is None else "")


def _is_beyond_float(values: FloatArray) -> bool:
    """Check whether a float64 may lose digits of whole numbers, but a fill value."""
    sizes = np.abs(values)
    near = sizes < first_beyond(values) if len(values) else sizes > 0.0
    return bool(sizes[near].max(initial=0.0) >= _EXACT)


def _beyond_float(facts: _Text) -> list[int] | None:
    """Return the values of whole numbers, if a float64 does not hold all of them."""
    if facts.plain is None or not _is_beyond_float(facts.plain):
        return None
    if not all(_WHOLE.fullmatch(text) for text in facts.known):
        return None
    return [int(text) for text in facts.known]


def _of_large(name: str, values: Sequence[int], present: int, n: int) -> Column:
    """Return the role of whole numbers that are larger than a float64 can tell apart.

    Differences from the smallest are told apart; identifiers are found by them.
    """
    smallest = min(values)
    if present == n and smallest == max(values):
        return Column(name, "constant", constant_note(str(smallest)))
    steps = np.asarray(sorted({value - smallest for value in values}), np.float64)
    # Hardly anything is measured to sixteen digits.
    if len(steps) == present == n and is_counter(steps, fewest=_FEW_ROWS):
        return Column(name, "identifier", _COUNTER_NOTE)
    return Column(name, "integer", "digits beyond 2^53 are lost")


def is_counter(distinct: FloatArray, *, fewest: int = _FEW_SPREAD) -> bool:
    """Check whether different whole numbers look drawn for identification.

    They do if they fill their range, as counters do, or are spread over it evenly
    (Kolmogorov-Smirnov test against the uniform distribution at 5 %).

    Parameters
    ----------
    distinct : float64 array of shape (n,)
        Ascending, all different. Fewer than 20 never do.
    fewest : int
        Number of them from which even spread counts.
    """
    n = len(distinct)
    if fills_range(distinct):
        return True
    if n < max(fewest, _FEW_ROWS):
        return False
    span = distinct[-1] - distinct[0]
    share = (distinct - distinct[0]) / span
    steps = np.arange(1, n + 1) / n
    distance = max(np.abs(share - steps).max(), np.abs(share - steps + 1 / n).max())
    return bool(distance * np.sqrt(n) < 1.36)


def fills_range(distinct: FloatArray) -> bool:
    """Check whether whole numbers, ascending, are at least half of those between.

    Nobody counts rows with negative numbers, but for one -1 that says "none".
    """
    n = len(distinct)
    counts = distinct[0] >= -1.0 and distinct[-1] - distinct[0] < 2 * n
    return n >= _FEW_ROWS and bool(counts)


def _of_typed(name: str, values: Any) -> Column:
    from pyarrow.types import is_duration

    kind = family(values.type)
    if kind == "nested":
        return Column(name, "nested", f"values of type {values.type}")
    if kind == "empty" or values.null_count == len(values):
        return Column(name, "empty", "every value is missing")
    numbers = as_days(values) if kind == "moment" else as_numbers(values)
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return Column(name, "empty", "every value is missing")
    if kind == "moment":
        return _of_moments(name, values, numbers)
    if kind == "integer":
        found = _of_codes(name, values, present)
        if found is not None:
            return found
    column = _of_numbers(name, present, len(numbers))
    if column.role == "constant":
        column = replace(column, note=_constant_of(values))
    if is_duration(values.type) and column.role != "constant":
        # Nobody writes lengths of time in nines, or names rows by them.
        role = "integer" if column.role == "identifier" else column.role
        return replace(
            column, role=role, unit="s", note="in seconds", fills=(), codes=False
        )
    lost = int(np.isnan(numbers).sum()) - _count_missing(values)
    if lost:
        note = f"{_too_large(values, lost)} read as missing"
        return replace(column, note=_joined(column.note, note))
    return column


def _too_large(values: Any, count: int) -> str:
    """Return the words for a number of values that are read as missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    raw = pc.cast(undictionary(values), pa.float64(), safe=False)
    if pc.sum(pc.is_inf(raw)).as_py() == count:
        return counted(count, "infinite value")
    return f"{counted(count, 'value')} beyond {LARGEST:.0e}"


def _constant_of(values: Any) -> str:
    return constant_note(str(as_text(values.slice(0, 1))[0]))


def _of_moments(name: str, values: Any, days: FloatArray) -> Column:
    from pyarrow.types import is_time

    if (days == days[0]).all():
        return Column(name, "constant", _constant_of(values))
    if is_time(values.type):
        return Column(name, "date", "time of day", clock=True)
    return _without_edges(Column(name, "date"), *_tally(days))


def _of_codes(name: str, values: Any, present: FloatArray) -> Column | None:
    """Return the role of whole numbers too large for a float64, or that are dates."""
    if _is_beyond_float(present):
        return _of_large(
            name, values.drop_null().to_pylist(), len(present), len(values)
        )
    known = spread(np.unique(present).tolist())
    if are_compact(str(int(value)) for value in known):
        return Column(name, "date", _COMPACT_NOTE)
    return None


def _count_missing(values: Any) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(pc.is_null(values, nan_is_null=True)).as_py() or 0)


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
    facts = _look(values)
    if written and role == "date":
        chosen = _as_dates(chosen, spread(facts.known))
    elif written:
        chosen = _as_numbers(chosen, facts, comma=comma)
    return _with_unread(chosen, facts)


def _as_dates(chosen: Column, known: Sequence[str]) -> Column:
    """Return how the dates of a column are written."""
    if known and _are_clocks(known):
        return replace(chosen, clock=True)
    if are_seasons(known, READABLE):
        return replace(chosen, season=True)
    order, note = day_comes_first(known)
    first, century = two_digit_start(known)
    note = _joined(note, century) or chosen.note
    return replace(chosen, day_first=order is not False, first_year=first, note=note)


def _as_numbers(chosen: Column, facts: _Text, *, comma: bool) -> Column:
    """Return how the numbers of a column are written."""
    mark, unit = _number_mark(facts, comma=comma), ""
    if not mark and are_durations(spread(facts.known), READABLE):
        return replace(chosen, unit="s", duration=True)
    if not mark and (scaled := _magnitude_mark(facts, comma=comma)):
        return replace(chosen, mark=scaled, magnitude=True)
    if not mark:
        unit = common_unit(spread(facts.known), READABLE, fewest=1)
        mark = _mark_without(facts, unit, comma=comma)
    return replace(chosen, mark=mark or ("," if comma else "."), unit=unit)


def _with_unread(chosen: Column, facts: _Text) -> Column:
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
    note = _unread_note(facts.known, facts.rows, unread)
    return replace(chosen, note=_joined(chosen.note, note))
