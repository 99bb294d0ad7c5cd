"""Say in words why a value stands out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.columns import Column
from odbench.tables.dates import show_date
from odbench.tables.encode import Learned
from odbench.tables.seasons import show_season

DAYS = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
# Share of similar rows that a range covers, and the largest share of a rare category.
_COVERED, _RARE = 0.9, 0.05
# Largest share of similar rows of the same category that is worth saying.
_UNLIKE = 0.3
_LONGEST = 40
# Digits of a number, and of one that is near the others; a float64 holds no more.
_DIGITS, _MOST_DIGITS = 5, 15


def show_number(value: float, digits: int = _DIGITS, *, code: bool = False) -> str:
    """Return a number with five digits, and commas from 10,000 on if it is no code.

    Examples
    --------
    >>> show_number(25000.0), show_number(2010.0), show_number(0.123456)
    ('25,000', '2010', '0.12346')
    >>> show_number(90210.0, code=True)
    '90210'
    """
    if value == 0.0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -5 <= size < 15:
        return f"{value:.{digits - 1}g}"
    text = f"{value:,.{max(digits - 1 - size, 0)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if abs(value) >= 10_000 and not code else text.replace(",", "")


def show_value(column: Column, value: float, digits: int = _DIGITS) -> str:
    """Return a parsed value as people write it, a number with some digits."""
    if column.clock:
        return _moment(value * 24.0)
    if column.role == "date":
        return show_season(value) if column.season else show_date(value)
    shown = show_number(value, digits, code=column.codes)
    return _with_unit(shown, column.unit)


def quoted(text: str) -> str:
    """Return a text in quotes, shortened."""
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    return f"'{short}'"


def say_category(
    column: Column, learned: Learned, text: str | None, same: float
) -> str:
    """Say why a category stands out.

    Parameters
    ----------
    column : Column
    learned : Learned
    text : str or None
        The category; None is a missing value.
    same : float
        Share of similar rows of that category.
    """
    key = learned.key(text)
    count, n = learned.counts.get(key, 0), learned.n_rows
    shown = "missing" if text is None else quoted(text)
    if not count:
        return f"{column.name} {shown} never seen"
    if count <= _RARE * n:
        return f"{column.name} {shown} in {show_share(count / n)} of rows"
    if same <= _UNLIKE:
        return f"{column.name} {shown} as in {show_share(same)} of similar rows"
    return f"{column.name} {shown} in an unusual combination"


def say_missing(column: Column, learned: Learned, *, gone: bool) -> str:
    """Say that a value is missing, or that it is not."""
    share = learned.missing / max(learned.n_rows, 1)
    if gone:
        return f"{column.name} missing, as in {show_share(share)} of rows"
    return f"{column.name} present, as in {show_share(1.0 - share)} of rows"


def say_stand_in(column: Column, learned: Learned, value: float) -> str:
    """Say that a value, such as -999, is read as missing."""
    share = show_share(learned.missing / max(learned.n_rows, 1))
    shown = show_value(column, value)
    return f"{column.name} {shown} (read as missing), as in {share} of rows"


def say_number(
    column: Column,
    part: str,
    value: float,
    similar: FloatArray,
    *,
    unit: str | None = None,
) -> str:
    """Say how a value differs from those of similar rows.

    Parameters
    ----------
    column : Column
    part : {"value", "hour", "weekday"}
    value : float
        The row's value, in days for dates.
    similar : float64 array of shape (k,)
        The same part of similar rows' values, those that are missing left out; for
        "hour" and "weekday", `value` is that part too.
    unit : str, optional
        The unit of `value`, if it is not that of the column and of similar rows.
    """
    if part == "weekday":
        return _say_day(column, value, similar)
    own = column if unit is None else replace(column, unit=unit)
    shown = _moment(value) if part == "hour" else show_value(own, value)
    if not len(similar):
        return f"{column.name} {shown} where similar rows have no value"
    edge = (1.0 - _COVERED) / 2.0
    low, high = np.quantile(similar, (edge, 1.0 - edge), method="nearest")
    name = f"{column.name} at" if part == "hour" else column.name
    # Values went through the detector's units, which cost the last digits.
    slack = 1e-9 * max(abs(low), abs(high), abs(value))
    if low - slack <= value <= high + slack:
        return f"{name} {shown} in an unusual combination"
    bare = replace(column, unit="")
    shown, first, last = _told_apart(bare, part, (value, float(low), float(high)))
    between = first if first == last else f"{first} to {last}"
    # The unit of a range is said once, behind it.
    shown, between = _with_unit(shown, own.unit), _with_unit(between, column.unit)
    return f"{name} {shown} where similar rows have {between}"


def _with_unit(shown: str, unit: str) -> str:
    return f"{shown} {unit}" if unit else shown


def _told_apart(
    column: Column, part: str, values: tuple[float, float, float]
) -> list[str]:
    """Return a value and two others, with as many digits as tell it from them."""
    if part == "hour":
        shown = [_moment(each) for each in values]
        return [_to_second(v) for v in values] if shown[0] in shown[1:] else shown
    for digits in range(_DIGITS, _MOST_DIGITS + 1):
        shown = [show_value(column, each, digits) for each in values]
        if shown[0] not in shown[1:]:
            break
    return shown


def _say_day(column: Column, value: float, similar: FloatArray) -> str:
    day = DAYS[round(value) % 7]
    if not len(similar):
        return f"{column.name} on a {day} where similar rows have no date"
    same = float(np.mean(np.round(similar) == round(value)))
    return f"{column.name} on a {day}, as {show_share(same)} of similar rows"


def _moment(hours: float) -> str:
    minutes = round(hours * 60.0)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _to_second(hours: float) -> str:
    seconds = round(hours * 3_600.0)
    return f"{_moment(seconds // 60 / 60.0)}:{seconds % 60:02d}"


def show_share(share: float) -> str:
    """Return a share in percent.

    Examples
    --------
    >>> show_share(0.5), show_share(0.031), show_share(0.0002), show_share(0.0)
    ('50 %', '3.1 %', '0.02 %', '0 %')
    """
    percent = 100.0 * share
    if percent == 0.0 or percent >= 10.0:
        return f"{percent:.0f} %"
    return f"{percent:.2g} %" if percent >= 0.001 else "under 0.001 %"
