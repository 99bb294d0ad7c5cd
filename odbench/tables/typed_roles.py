"""The role of a column that its file gives a type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.columns import Column
from odbench.tables.date_roles import COMPACT_NOTE, without_edges
from odbench.tables.digit_dates import are_compact
from odbench.tables.number_roles import is_beyond_float, large_role, number_role, tally
from odbench.tables.numbers import LARGEST
from odbench.tables.role_notes import constant_note, joined
from odbench.tables.values import as_days, as_numbers, as_text, family, undictionary
from odbench.tables.written import spread
from odbench.text import counted


def typed_role(name: str, values: Any) -> Column:
    """Return the role of a pyarrow column that is no text."""
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
    column = number_role(name, present, len(numbers))
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
        return replace(column, note=joined(column.note, note))
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
    return without_edges(Column(name, "date"), *tally(days))


def _of_codes(name: str, values: Any, present: FloatArray) -> Column | None:
    """Return the role of whole numbers too large for a float64, or that are dates."""
    if is_beyond_float(present):
        return large_role(
            name, values.drop_null().to_pylist(), len(present), len(values)
        )
    known = spread(np.unique(present).tolist())
    if are_compact(str(int(value)) for value in known):
        return Column(name, "date", COMPACT_NOTE)
    return None


def _count_missing(values: Any) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(pc.is_null(values, nan_is_null=True)).as_py() or 0)
