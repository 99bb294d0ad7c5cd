"""Say how rows to score differ as a whole from the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.columns import Column, parsed_numbers
from odbench.tables.encode import GONE, NAMED, Learned, count_categories
from odbench.tables.fitted import Fitted
from odbench.tables.order import hash_rows
from odbench.tables.roles import is_constant
from odbench.tables.wording import show_share

# Shares of rows above which a column is reported.
_OUTSIDE, _UNSEEN, _MISSING = 0.02, 0.02, 0.05
# At most this many lines about columns.
_MOST = 12
# Kolmogorov-Smirnov distance of the p-values from uniform that is reported, where
# there are enough rows to tell.
_SHIFT, _ENOUGH = 0.1, 200
# The share of rows that the reference holds, too, above that which it repeats itself.
_COPIES = 0.05


def drift_notes(
    fitted: Fitted, table: Any, how: Mapping[str, Column], p: FloatArray
) -> list[str]:
    """Return one line per difference.

    Parameters
    ----------
    fitted : Fitted
    table : pyarrow.Table
        Some or all rows to score.
    how : mapping of str to Column
        How its columns are read.
    p : float64 array of shape (n,)
        The p-values of all rows.
    """
    notes = _other_columns(fitted, table)
    for column, learned in zip(
        fitted.encoder.columns, fitted.encoder.learned, strict=True
    ):
        values = table.column(column.name)
        if column.role in NAMED:
            notes += _of_category(column, learned, values)
        else:
            notes += _of_numbers(column, learned, how[column.name], values)
    if len(notes) > _MOST:
        notes = [*notes[:_MOST], f"and {len(notes) - _MOST} more columns differ"]
    return notes + _of_copies(fitted, table, how) + _of_p_values(p)


def _other_columns(fitted: Fitted, table: Any) -> list[str]:
    known = {column.name for column in fitted.columns}
    new = [name for name in table.column_names if name not in known]
    notes = []
    if new:
        some = ", ".join(repr(name) for name in new[:3])
        more = f" and {len(new) - 3} more" if len(new) > 3 else ""
        notes.append(f"column {some}{more} is not in the reference and not used")
    for column in fitted.columns:
        if column.role == "constant" and column.name in table.column_names:
            notes += _of_constant(column, table.column(column.name))
    return notes


def _of_constant(column: Column, values: Any) -> list[str]:
    others = [
        text for text in count_categories(values) if not is_constant(column.note, text)
    ]
    if not others:
        return []
    shown = "missing values" if others[0] == GONE else repr(others[0][:40])
    return [
        f"{column.name}: in the reference {column.note}, here also {shown}; the column "
        f"is not used"
    ]


def _of_category(column: Column, learned: Learned, values: Any) -> list[str]:
    counts = count_categories(values)
    unseen = {
        text: count for text, count in counts.items() if text not in learned.counts
    }
    share = sum(unseen.values()) / max(len(values), 1)
    if share <= _UNSEEN:
        return []
    first = next(iter(unseen))
    shown = "missing" if first == GONE else repr(first[:40])
    return [
        f"{column.name}: {show_share(share)} of rows have a value that was never seen, "
        f"such as {shown}"
    ]


def _of_numbers(
    column: Column, learned: Learned, how: Column, values: Any
) -> list[str]:
    numbers = parsed_numbers(how, values)
    gone = np.isnan(numbers)
    before, now = learned.missing / learned.n_rows, float(gone.mean())
    notes = []
    if how.unit != column.unit:
        notes.append(
            f"{column.name}: in {how.unit or 'no unit'}, in the reference in "
            f"{column.unit or 'no unit'}; the numbers are compared as they are"
        )
    if abs(now - before) > _MISSING or (now and not learned.missing):
        notes.append(
            f"{column.name}: missing in {show_share(now)} of rows, in the reference "
            f"{show_share(before)}"
        )
    with np.errstate(invalid="ignore"):
        outside = float(np.mean((numbers < learned.low) | (numbers > learned.high)))
    if outside > _OUTSIDE:
        from odbench.tables.wording import show_value

        low, high = (show_value(column, v) for v in (learned.low, learned.high))
        notes.append(
            f"{column.name}: {show_share(outside)} of rows lie outside the reference's "
            f"{low} to {high}"
        )
    return notes


def _of_copies(fitted: Fitted, table: Any, how: Mapping[str, Column]) -> list[str]:
    """Say if more rows are copies of reference rows than repeats would explain."""
    learner = fitted.learner
    known = hash_rows(learner.rows)
    rows = hash_rows(learner.scale.apply(fitted.encoder.encode(table, how)))
    _, counts = np.unique(known, return_counts=True)
    repeated = 1.0 - float((counts == 1).sum()) / len(known)
    share = float(np.isin(rows, known).mean())
    if share - repeated <= _COPIES:
        return []
    return [
        f"{show_share(share)} of rows are in the reference, too: compared with "
        "themselves, they look more normal than they are; leave them out of it"
    ]


def _of_p_values(p: FloatArray) -> list[str]:
    n = len(p)
    if n < _ENOUGH:
        return []
    steps = np.arange(1, n + 1) / n
    ahead = float((steps - np.sort(p)).max())
    if ahead <= _SHIFT:
        return []
    return [
        "the rows as a whole score higher than the reference "
        f"(median p-value {np.median(p):.2g}, expected 0.5): flags may mean a change "
        "of the whole table"
    ]
