"""Say how rows to score differ as a whole from the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.columns import Column, parsed_numbers, written_numbers
from odbench.tables.encode import GONE, NAMED, Learned, count_categories
from odbench.tables.fitted import Fitted
from odbench.tables.order import hash_rows
from odbench.tables.role_notes import is_constant
from odbench.tables.values import as_text
from odbench.tables.wording import show_share

# Shares of rows above which a column is reported.
_OUTSIDE, _UNSEEN, _MISSING = 0.02, 0.02, 0.05
# Probability with which chance alone puts as many rows outside the reference's range:
# of ten numbers and ten more from the same source, two are outside on average.
_CHANCE = 1e-3
# At most this many lines about columns.
_MOST = 12
# Kolmogorov-Smirnov distance of the p-values from uniform that is reported, where
# there are enough rows to tell.
_SHIFT, _ENOUGH = 0.1, 200
# Standard errors of a difference between two shares that are beyond chance.
_ERRORS = 3.0
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
    n = len(fitted.learner.rows)
    return notes + _of_copies(fitted, table, how) + _of_p_values(p, n)


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
        text: count
        for text, count in counts.items()
        if learned.key(text) not in learned.counts
    }
    share = sum(unseen.values()) / max(len(values), 1)
    # Of each category that it has once, the reference itself saw none before.
    once = sum(count == 1 for count in learned.counts.values())
    before = once / max(learned.n_rows, 1)
    if share <= _UNSEEN or share - before <= _chance(
        share, len(values), before, learned.n_rows
    ):
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
    least = max(_MISSING, _chance(now, len(numbers), before, learned.n_rows))
    if abs(now - before) > least or (now and not learned.missing):
        notes.append(
            f"{column.name}: {_how_missing(how, values)}, in the reference "
            f"{show_share(before)}"
        )
    known = numbers[~gone]
    count = int(((known < learned.low) | (known > learned.high)).sum())
    outside = count / max(len(numbers), 1)
    n = learned.n_rows - learned.missing
    if outside > _OUTSIDE and chance_outside(count, len(known), n) < _CHANCE:
        from odbench.tables.wording import show_value

        low, high = (show_value(column, v) for v in (learned.low, learned.high))
        notes.append(
            f"{column.name}: {show_share(outside)} of rows lie outside the reference's "
            f"{low} to {high}"
        )
    return notes


def _how_missing(how: Column, values: Any) -> str:
    """Say in how many rows a number or date is missing, or cannot be read as one."""
    gone = np.isnan(parsed_numbers(how, values))
    # Values that stand for missing ones can be read.
    unread = np.isnan(written_numbers(how, values))
    texts = as_text(values)
    unread &= texts.is_valid().to_numpy(zero_copy_only=False)
    told = f"in {show_share(float(gone.mean()))} of rows"
    if not unread.any():
        return f"missing {told}"
    noun = "date" if how.role == "date" else "number"
    first = texts[int(np.flatnonzero(unread)[0])].as_py()
    start = "" if (unread == gone).all() else "missing or "
    return f"{start}not a {noun} {told}, such as {first[:40]!r}"


def chance_outside(count: int, n: int, n_reference: int) -> float:
    """Return the probability that as many numbers are outside the reference's range.

    If all are drawn from one continuous distribution, their number is beta-binomial
    with parameters 2 and `n_reference` - 1, whatever the distribution.

    Parameters
    ----------
    count : int
        Numbers below the lowest or above the highest of the reference.
    n, n_reference : int
        Numbers in the table, and in the reference.

    Examples
    --------
    >>> round(chance_outside(1, 1, 9), 3), chance_outside(0, 5, 9)
    (0.2, 1.0)
    """
    from scipy.special import betaln, gammaln

    # Of one reference number, all but equal ones are outside.
    if not count or n_reference < 2:
        return 1.0
    k = np.arange(count, n + 1)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    shares = betaln(k + 2, n - k + n_reference - 1) - betaln(2, n_reference - 1)
    return float(min(np.exp(ways + shares).sum(), 1.0))


def _of_copies(fitted: Fitted, table: Any, how: Mapping[str, Column]) -> list[str]:
    """Say if more rows are copies of reference rows than repeats would explain."""
    learner = fitted.learner
    known = hash_rows(learner.rows)
    rows = hash_rows(learner.scale.apply(fitted.encoder.encode(table, how)))
    _, counts = np.unique(known, return_counts=True)
    repeated = 1.0 - float((counts == 1).sum()) / len(known)
    share = float(np.isin(rows, known).mean())
    least = max(_COPIES, _chance(share, len(rows), repeated, len(known)))
    if share - repeated <= least:
        return []
    return [
        f"{show_share(share)} of rows are in the reference, too: compared with "
        "themselves, they look more normal than they are; leave them out of it"
    ]


def _chance(one: float, n_one: int, two: float, n_two: int) -> float:
    """Return how far two shares of rows that are alike differ by chance at most."""
    both = (one * n_one + two * n_two) / max(n_one + n_two, 1)
    variance = both * (1.0 - both) * (1.0 / max(n_one, 1) + 1.0 / max(n_two, 1))
    return float(_ERRORS * np.sqrt(variance))


def _of_p_values(p: FloatArray, n_reference: int) -> list[str]:
    n = len(p)
    if n < _ENOUGH:
        return []
    steps = np.arange(1, n + 1) / n
    ahead = float((steps - np.sort(p)).max())
    # The test of Kolmogorov and Smirnov for two samples.
    chance = np.sqrt(-0.5 * np.log(_CHANCE) * (1.0 / n + 1.0 / n_reference))
    if ahead <= max(_SHIFT, chance):
        return []
    return [
        "the rows as a whole score higher than the reference "
        f"(median p-value {np.median(p):.2g}, expected 0.5): flags may mean a change "
        "of the whole table"
    ]
