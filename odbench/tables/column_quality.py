"""Facts about single columns, and warnings on their quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.data.information import (
    MOST_CODES,
    code_names,
    code_numbers,
    label_cuts,
    values_kept,
)
from odbench.tables.columns import Column, parsed_numbers
from odbench.tables.repeats import Values
from odbench.tables.values import as_text, family
from odbench.tables.wording import show_share

# Roles whose values are numbers.
NUMERIC = ("number", "integer", "date")
# Shares of the rows from which missing values and a single value are remarked.
MOSTLY_MISSING, NEARLY_CONSTANT = 0.5, 0.99
# Share of a column's information from which it repeats another.
REPEATED = 0.98
# A value that always has one label is remarked if it has this many rows, and this
# share of the label's.
_LEAK_ROWS, _LEAK_SHARE = 5, 0.05
# Share of the steps from row to row that must not fall in a counter, and of the
# values that must differ.
_RISING, _DIFFERENT = 0.999, 0.5


@dataclass(frozen=True)
class CodedColumn:
    """The values of a column as a few codes, with facts about all of them.

    Attributes
    ----------
    codes : int64 array of shape (n,)
        From 0; a missing value is a code of its own. All 0 for columns that are not
        used.
    distinct : int
        Number of different values that are present.
    missing : float
        Share of the rows without a value.
    top : float
        Share of the rows that have the most frequent value.
    exact : bool
        Whether each value has a code of its own.
    values : float64 or int64 array of shape (n,)
        Numbers, NaN where missing, or numbered names: to compare columns that seem to
        be the same.
    rises : bool
        Whether almost no value is below that of the row before, as in a counter.
    """

    codes: IntArray
    distinct: int
    missing: float
    top: float
    exact: bool
    values: Values
    rises: bool = False


def code_column(column: Column, values: Any) -> CodedColumn:
    """Measure one column.

    Parameters
    ----------
    column : Column
    values : pyarrow array of length n
    """
    if column.role in NUMERIC:
        return _of_numbers(column, parsed_numbers(column, values))
    if family(values.type) == "nested":
        gone = values.null_count / max(len(values), 1)
        none = np.zeros(len(values), np.int64)
        return CodedColumn(none, 0, gone, 0.0, False, none)
    coded = as_text(values).dictionary_encode()
    places = coded.indices.fill_null(len(coded.dictionary))
    names = places.to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.bincount(names, minlength=len(coded.dictionary) + 1)
    return CodedColumn(
        code_names(names) if column.used else np.zeros(len(names), np.int64),
        len(coded.dictionary),
        float(counts[-1] / max(len(names), 1)),
        float(counts.max() / max(len(names), 1)),
        len(coded.dictionary) < MOST_CODES,
        names,
    )


def _of_numbers(column: Column, numbers: FloatArray) -> CodedColumn:
    known = numbers[~np.isnan(numbers)]
    counts = np.unique(known, return_counts=True)[1]
    n, steps = len(numbers), np.diff(known)
    # Dates of a log rise, too, and their hours and weekdays may still be odd.
    rises = column.role != "date" and len(counts) > _DIFFERENT * n and len(steps) > 1
    return CodedColumn(
        code_numbers(numbers),
        len(counts),
        1.0 - len(known) / n,
        float(counts.max() / n) if len(counts) else 0.0,
        len(counts) <= values_kept(len(known)),
        numbers,
        bool(rises and (steps >= 0).mean() >= _RISING),
    )


def quality_warnings(column: Column, coded: CodedColumn) -> list[str]:
    """Return the remarks that need no other column."""
    if not column.used:
        return [
            f"left out: {column.role}" + (f", {column.note}" if column.note else "")
        ]
    found = []
    if coded.rises:
        found.append("rises along the rows, as a counter or a time does")
    if coded.missing >= MOSTLY_MISSING:
        found.append(f"{show_share(coded.missing)} of the values are missing")
    if coded.top >= NEARLY_CONSTANT:
        others = round((1 - coded.top) * len(coded.codes))
        found.append(f"all but {others:,} of {len(coded.codes):,} rows have one value")
    return found


def codes_for_label(
    column: Column, values: Any, coded: CodedColumn, label: IntArray
) -> IntArray:
    """Return a column's codes with cuts where a label's rows would end.

    The parameters are those of `pure_value`.
    """
    if column.role not in NUMERIC or coded.exact:
        return coded.codes
    return code_numbers(parsed_numbers(column, values), label_cuts(label))


def pure_value(values: Any, coded: CodedColumn, label: IntArray) -> str:
    """Name a value whose rows all have the same rare label, "" if there is none.

    Parameters
    ----------
    values : pyarrow array of length n
        The column; one with intervals instead of values has no such value.
    coded : CodedColumn
    label : int64 array of shape (n,)
        Codes from 0.
    """
    if not coded.exact:
        return ""
    size = int(label.max()) + 1
    together = np.bincount(
        coded.codes * size + label, minlength=size * (int(coded.codes.max()) + 1)
    ).reshape(-1, size)
    rows, rare = together.sum(axis=1), together.sum(axis=0)
    rare_enough = rare * 2 < len(label)
    pure = (together == rows[:, None]) & rare_enough
    pure &= (rows[:, None] >= _LEAK_ROWS) & (together >= _LEAK_SHARE * rare)
    if not pure.any():
        return ""
    code = int(np.argmax(np.where(pure, together, -1).max(axis=1)))
    shown = values[int(np.argmax(coded.codes == code))].as_py()
    return f"{str(shown)[:20]!r} always has one label ({rows[code]:,} rows)"
