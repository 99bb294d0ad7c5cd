"""The role of a column of numbers: whether they measure, count or name rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.tables.columns import Column
from odbench.tables.digit_dates import count_note
from odbench.tables.numbers import padded, units_note
from odbench.tables.role_notes import constant_note, joined, unread_note
from odbench.tables.scale import first_beyond
from odbench.tables.stand_in import far_note, stand_in_note, stand_ins
from odbench.tables.text_facts import TextFacts
from odbench.tables.written import spread
from odbench.text import counted

# Fewer rows than this say little about a column of different whole numbers.
_FEW_ROWS = 20
# With fewer rows, measurements such as incomes pass for evenly spread, too.
_FEW_SPREAD = 200
# From here on, float64 does not hold every whole number.
_EXACT = 2.0**53
# Share of the rows of a counter that may repeat another or have no number, and rows
# from which that is no coincidence.
_LAPSES, _FEW_LAPSES = 0.1, 100
# Digits of postal codes.
_CODE_DIGITS = 5
_COUNTER_NOTE = "whole numbers, evenly spread, all different"
_NEARLY_NOTE = "whole numbers that fill their range, nearly all different"


def number_role(
    name: str,
    values: FloatArray,
    n: int,
    mark: str = ".",
    text: TextFacts | None = None,
) -> Column:
    """Return the role of a column of numbers.

    Parameters
    ----------
    name : str
        Its name.
    values : float64 array of shape (m,)
        Its present values, or a number for each of the different values of `text`, NaN
        for one that is no number.
    n : int
        Number of rows.
    mark : {".", ","}
        The decimal mark.
    text : TextFacts, optional
        The values as written, of a column of text.
    """
    gone = np.isnan(values)
    note = unread_note(text.known, text.rows, gone) if text is not None else ""
    # Only an all-castable column lists every row; otherwise values are distinct ones.
    each = text.rows if text is not None and len(values) == len(text.known) else None
    distinct, rows = tally(values, each)
    whole = bool((distinct == np.round(distinct)).all())
    if mark == "," and not whole:
        note = joined("decimal comma", note)
    present = text.present if text is not None else int(rows.sum())
    if len(distinct) == 1 and present == n:
        return Column(name, "constant", constant_note(f"{distinct[0]:.15g}"), mark=mark)
    if set(distinct) == {0.0, 1.0}:
        return Column(name, "yes/no", note, mark=mark)
    if text is not None:
        note = joined(note, _writing_note(text))
    fills = stand_ins(distinct, rows)
    stand_in = np.isin(distinct, fills)
    shown = [f"{value:.15g}" for value in fills]
    told = stand_in_note(shown, rows[stand_in].tolist(), "--number")
    distinct = distinct[~stand_in]
    note = joined(note, told, far_note(distinct))
    whole = bool((distinct == np.round(distinct)).all())
    if not whole:
        return Column(name, "number", note, mark=mark, fills=fills)
    note = joined(note, count_note(distinct[0], distinct[-1]))
    if len(distinct) == present == n and is_counter(distinct):
        return Column(name, "identifier", joined(_COUNTER_NOTE, note))
    most = n * (1.0 - _LAPSES) if n >= _FEW_LAPSES else n
    if len(distinct) >= most and fills_range(distinct):
        return Column(name, "identifier", joined(_NEARLY_NOTE, note))
    codes = _may_be_codes(distinct[0], distinct[-1])
    return Column(name, "integer", note, mark=mark, fills=fills, codes=codes)


def _may_be_codes(lowest: float, highest: float) -> bool:
    """Check whether whole numbers may be codes, such as those of towns or articles.

    Codes have at most five digits, or all have as many. So may numbers, which can be
    read without thousands as well.
    """
    same = len(f"{lowest:.0f}") == len(f"{highest:.0f}")
    return bool(lowest >= 0.0 and (same or highest < 10**_CODE_DIGITS))


def _writing_note(facts: TextFacts) -> str:
    """Return a remark on how some of the different numbers of a column are written."""
    known = spread(facts.known)
    zeros, told = padded(known), ""
    if zeros:
        told = (
            f"{counted(len(zeros), 'value')} with a leading zero, such as {zeros[0]!r}"
        )
    # Plain numbers have no units.
    return joined(told, units_note(known) if facts.plain is None else "")


def is_beyond_float(values: FloatArray) -> bool:
    """Check whether a float64 may lose digits of whole numbers, but a fill value."""
    sizes = np.abs(values)
    near = sizes < first_beyond(values) if len(values) else sizes > 0.0
    return bool(sizes[near].max(initial=0.0) >= _EXACT)


def large_role(name: str, values: Sequence[int], present: int, n: int) -> Column:
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


def tally(
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
