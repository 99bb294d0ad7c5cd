"""Read dates that are digits alone: 20260131, seconds since 1970, days since 1900."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

_COMPACT = re.compile(r"(?:19|20)\d{6}(?:[T ]?[0-2]\d[0-5]\d(?:[0-5]\d)?)?")
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
# Fewer different values could be dates by chance: of eight digits that begin with 19 or
# 20, one number in 27 is a date.
_FEWEST = 5
_START = datetime(1970, 1, 1)
_DAY = 86_400.0
# Units per day of a time since 1970, by the number of digits before the point; of ten
# digits, these are the years 2001 to 2286.
_SINCE = {10: _DAY, 13: 1e3 * _DAY, 16: 1e6 * _DAY, 19: 1e9 * _DAY}
# A spreadsheet counts days from the end of 1899; these are the years 1927 to 2173.
_FIRST, _LAST, _BEFORE_1970 = 10_000.0, 100_000.0, 25_569.0


def read_compact(text: str) -> float:
    """Return the days since 1970 of a date such as 20260131, NaN if the text is none.

    Examples
    --------
    >>> read_compact("19700102"), read_compact("197001011200"), read_compact("20261301")
    (1.0, 0.5, nan)
    """
    if not _COMPACT.fullmatch(text):
        return float("nan")
    digits = text.replace("T", "").replace(" ", "")
    form = "%Y%m%d%H%M%S"[: {8: 6, 12: 10, 14: 12}[len(digits)]]
    try:
        since = datetime.strptime(digits, form) - _START
    except ValueError:
        return float("nan")
    return since.days + since.seconds / _DAY


def are_compact(texts: Iterable[str]) -> bool:
    """Check whether different values are all dates such as 20260131."""
    count = 0
    for text in texts:
        value = read_compact(text)
        if value != value:  # noqa: PLR0124 - NaN, without an array
            return False
        count += 1
    return count >= _FEWEST


def read_count(text: str) -> float:
    """Return the days since 1970 of a count of time, NaN if the text is none.

    Seconds, milli-, micro- or nanoseconds since 1970 are told apart by their digits;
    five digits are a spreadsheet's days.

    Examples
    --------
    >>> read_count("1700000000") == read_count("1700000000000")
    True
    >>> read_count("25570.5"), read_count("12")
    (1.5, nan)
    """
    if not _PLAIN.fullmatch(text):
        return float("nan")
    value, digits = float(text), len(text.partition(".")[0])
    if digits in _SINCE:
        return value / _SINCE[digits]
    return value - _BEFORE_1970 if _FIRST <= value < _LAST else float("nan")


def count_note(lowest: float, highest: float) -> str:
    """Return a remark on whole numbers that may be times since 1970, else "".

    Parameters
    ----------
    lowest, highest : float
        Their range.

    Examples
    --------
    >>> count_note(1.70e12, 1.71e12), count_note(1.0, 100.0)
    ('if these are milliseconds since 1970, `odbench score --date` reads them', '')
    """
    for digits, unit in ((10, "seconds"), (13, "milliseconds")):
        if 10.0 ** (digits - 1) <= lowest < highest <= 2.0 * 10.0 ** (digits - 1):
            return f"if these are {unit} since 1970, `odbench score --date` reads them"
    return ""
