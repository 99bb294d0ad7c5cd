"""Read dates and times from text, in several formats within one column."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.digit_dates import read_compact, read_count
from odbench.tables.month_names import in_english
from odbench.tables.two_digit_years import first_year, years_from

# Day and month in either order; which one is decided by the values above 12.
_DAY_MONTH = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](?:\d{4}|\d{2})(?!\d)")
_ISO = re.compile(r"\d{4}[-/]\d{1,2}([-/]\d{1,2})?([T ].*)?")
_FAST = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")
_ZONE = re.compile(r"\s*(?:Z|UTC|[+-]\d\d(?::?\d\d)?)\Z")
# A whole date of digits, with one mark between them, and at times a time of day.
_DIGITS = re.compile(
    r"(?:(\d{4})([-/])(\d{1,2})\2(\d{1,2})|(\d{1,2})([./-])(\d{1,2})\6(\d{4}|\d{2}))"
    r"(?:[T ]+(\d{1,2}):(\d\d)(:\d\d(?:\.\d{1,6})?)?(?: ?([aApP])[mM])?)?"
)
_WORDS = re.compile(r"(?i)(\d{1,2}|\w{3,9})[ .,-]+(\d{1,2}|\w{3,9})[ .,-]+\d{4}.*")
# As C's ctime and the command date write it, with the year behind the time.
_YEAR_LAST = re.compile(
    r"(?i)[a-z]{3,9}\.? +\d{1,2},? +\d{1,2}:\d\d(:\d\d)?( +[a-z]{1,5})? +\d{4}"
)
_WEEKDAY = re.compile(
    r"(?i)(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
    r"(?:[.,]+ *| +)(?=\S)"
)
# Logs of web servers have a colon between date and time.
_LOG = re.compile(r"\[?(\d{1,2})/([a-zA-Z]{3})/(\d{4}):(\d\d:\d\d:\d\d.*?)\]?")
# Two points, behind a year: 2024.05 is a number.
_POINTS = re.compile(r"(\d{4})\. ?(\d{1,2})\. ?(\d{1,2})\.?(?:[T ] *(.*))?")
# Year, month, day, hour, minute, second in Chinese, Japanese or Korean; the day and the
# time may be absent.
_EAST_ASIAN = re.compile(
    r"(\d{4}) ?[年년] ?(\d{1,2}) ?[月월](?: ?(\d{1,2}) ?[日號号일])?"
    r"(?: *(\d{1,2}) ?[:時时點点시] ?"
    r"(?:(\d{1,2}) ?(?:[:分분] ?(?:(\d{1,2}) ?[秒초]?)?)?)?)?"
)
# A month by its name and a year of two digits, or no day.
_SHORT = re.compile(
    r"(?i)(\d{1,2}[ .-]{1,2}[a-z]{3,9}[ .,-]{1,2}\d{2}(?!\d)"
    r"|[a-z]{3,9}[ .,-]{1,2}\d{4}|\d{4}[ .,-]{1,2}[a-z]{3,9}\b).*"
)
_FULL_YEAR = re.compile(r"\d{4}")
_WEEK = re.compile(r"(?i)(\d{4})[- ]?W(\d\d)(?:-?([1-7]))?")
_QUARTER = re.compile(r"(?i)(\d{4})[- /]?Q([1-4])|(?:Q([1-4])|([1-4])Q)[- /]?(\d{4})")
_MONTH_YEAR = re.compile(r"(\d{1,2})[/-]((?:19|20)\d\d)|((?:19|20)\d\d)[Mm](\d\d)")
# As spreadsheets write a month; behind a space, two digits are a day just as well.
_MONTH_SHORT_YEAR = re.compile(
    r"(?i)(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?\.?(?:-| ?['\u2019])(\d\d)"
)
_LETTERS = "janfebmaraprmayjunjulaugsepoctnovdec"
_PARTS = (_WEEK, _QUARTER, _MONTH_YEAR, _MONTH_SHORT_YEAR)
_MONTH = re.compile(r"(?i)\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b")
_CLOCK = re.compile(
    r"(?i)(\d{1,2}):([0-5]\d)(?::([0-5]\d(?:[.,]\d+)?))?(?:\s*([ap])\.?m\.?)?"
)
# Seconds in a day.
_DAY = 86_400.0
_DAYS, _MONTHS, _HOURS = 31, 12, 12
_START = datetime(1970, 1, 1)
# Years of two digits are from half a century ago on, unless a column says otherwise.
_BEFORE = 50
# Remark on dates that may be read in two ways.
OPEN_ORDER = "no day is above 12, so dates are read as day, month, year"


def looks_like_date(text: str) -> bool:
    """Check whether a text has the shape of a date.

    Examples
    --------
    >>> looks_like_date("31.12.2025"), looks_like_date("2025-12-31 08:00")
    (True, True)
    >>> looks_like_date("12.5"), looks_like_date("3 Jan 2026")
    (False, True)
    >>> looks_like_date("2024年5月31日"), looks_like_date("Fri, 31 May 2024 16:50")
    (True, True)
    >>> looks_like_date("2026-W05"), looks_like_date("05-Jan-26")
    (True, True)
    >>> looks_like_date("4. Dez 2025"), looks_like_date("12 mars 2024")
    (True, True)
    """
    text = _usual(text.strip())
    if _ISO.fullmatch(text) or _DAY_MONTH.match(text):
        return True
    if any(part.fullmatch(text) for part in _PARTS):
        return True
    named = any(form.fullmatch(text) for form in (_WORDS, _SHORT, _YEAR_LAST))
    return named and _MONTH.search(text) is not None


def _usual(text: str) -> str:
    """Return a date in one of the forms that are read, other text as it is.

    Weekdays say nothing that the date does not.
    """
    if weekday := _WEEKDAY.match(text):
        return text[weekday.end() :]
    if log := _LOG.fullmatch(text):
        return "{} {} {} {}".format(*log.groups())
    if points := _POINTS.fullmatch(text):
        year, month, day, clock = points.groups()
        return f"{year}-{month:0>2}-{day:0>2} {clock or ''}".rstrip()
    if found := _EAST_ASIAN.fullmatch(text):
        year, month, day, *clock = found.groups()
        date = f"{year}-{month:0>2}-{day or '1':0>2}"
        hour, minute, second = (f"{part or '':0>2}" for part in clock)
        return f"{date} {hour}:{minute}:{second}" if clock[0] else date
    return in_english(text)


def read_clock(text: str) -> float:
    """Return a time of day as a share of the day, NaN if the text is none.

    Examples
    --------
    >>> read_clock("06:00"), read_clock("6:00 pm"), read_clock("25:00")
    (0.25, 0.75, nan)
    """
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return float("nan")
    hour, half = int(found[1]), found[4]
    if hour > 23 or (half and not 1 <= hour <= 12):
        return float("nan")
    if half:
        hour = hour % 12 + 12 * (half in "pP")
    seconds = float((found[3] or "0").replace(",", "."))
    return (hour * 3_600 + int(found[2]) * 60 + seconds) / _DAY


def day_comes_first(texts: Sequence[str]) -> tuple[bool | None, str]:
    """Decide whether 03/04/2026 is the third of April, from all values of a column.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    day_first : bool or None
        None if no value tells it.
    note : str
        A remark where the values leave it open, or disagree; else "".
    """
    pairs = [
        (int(found[1]), int(found[2]))
        for text in texts
        if (found := _DAY_MONTH.match(_usual(text.strip())))
    ]
    first = sum(a > 12 for a, _ in pairs)
    second = sum(b > 12 for _, b in pairs)
    if first and second:
        return first >= second, "day and month are in both orders; each date as it fits"
    if first or second:
        return bool(first), ""
    return None, OPEN_ORDER if pairs else ""


def order_of_all(orders: Iterable[bool | None]) -> bool | None:
    """Return the order of day and month of the columns that tell it.

    None if none does, or if they differ.
    """
    known = {order for order in orders if order is not None}
    return known.pop() if len(known) == 1 else None


def two_digit_start(texts: Sequence[str]) -> tuple[int, str]:
    """Decide in which hundred years a column's years of two digits lie.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    first : int
        The first of these years; 0 if no year has two digits.
    note : str
        A remark if these are not the years that most programs would read; else "".
    """
    today = datetime.now().year
    usual = years_from(today - _BEFORE)
    for text in texts:
        if not _FULL_YEAR.search(text):
            _read_date(text.strip(), True, usual)
    if not usual.seen:
        return 0, ""
    first = first_year(usual.seen, today)
    years = sorted(years_from(first).convertyear(year) for year in usual.seen)
    if years == sorted(usual.convertyear(year) for year in usual.seen):
        return first, ""
    return first, f"years of two digits are read as {years[0]} to {years[-1]}"


def read_dates(
    texts: Sequence[str],
    *,
    day_first: bool,
    counts: bool = False,
    first: int = 0,
) -> FloatArray:
    """Read dates.

    Parameters
    ----------
    texts : sequence of str, of length n
    day_first : bool
        The order of day and month where a date does not tell it.
    counts : bool
        Whether numbers are times, see `odbench.tables.digit_dates.read_count`.
    first : int
        The first of the hundred years in which years of two digits lie; 0 for those
        from half a century ago on.

    Returns
    -------
    float64 array of shape (n,)
        Days since 1970-01-01 by the clock that the text shows, whatever its time zone;
        NaN where there is no date.
    """
    days = _read_iso(texts)
    unread = np.flatnonzero(np.isnan(days))
    if not len(unread):
        return days
    usual = {place: _usual(texts[place].strip()) for place in unread.tolist()}
    years = years_from(first or datetime.now().year - _BEFORE)
    written = [_year_first(text, day_first, years) for text in usual.values()]
    days[unread] = _read_iso(written)
    for place in unread[np.isnan(days[unread])].tolist():
        text = usual[place]
        days[place] = _read_date(text, day_first, years)
        if counts and np.isnan(days[place]):
            days[place] = read_count(text)
    return days


def _year_first(text: str, day_first: bool, years: Any) -> str:
    """Write a date of digits with the year first, other text as it is.

    The parser of all other forms takes a hundred times as long.
    """
    found = _DIGITS.fullmatch(text)
    if found is None:
        return text
    year, _, month, day, a, _, b, last, hour, minute, second, half = found.groups()
    if year is None:
        if not (1 <= int(a) <= _DAYS and 1 <= int(b) <= _DAYS):
            return text
        swapped = int(b) > _MONTHS or (not day_first and int(a) <= _MONTHS)
        day, month = (b, a) if swapped else (a, b)
        year = last if len(last) == 4 else f"{years.convertyear(int(last)):04d}"
    if not int(year):
        return text
    date = f"{year}-{month:0>2}-{day:0>2}"
    if hour is None:
        return date
    if half:
        if not 1 <= int(hour) <= _HOURS:
            return text
        hour = str(int(hour) % _HOURS + _HOURS * (half in "pP"))
    return f"{date} {hour:0>2}:{minute}{second or ''}"


def _read_iso(texts: Sequence[str]) -> FloatArray:
    """Read the dates that begin with the year and use hyphens."""
    import pandas as pd

    shaped = [_local(text) if _FAST.fullmatch(text) else None for text in texts]
    moments = pd.to_datetime(
        pd.Series(shaped, dtype="str"), format="ISO8601", errors="coerce", utc=True
    )
    micro = moments.to_numpy(dtype="datetime64[us]")
    days = micro.astype(np.int64) / (1e6 * _DAY)
    return np.where(np.isnat(micro), np.nan, days)


def _local(text: str) -> str:
    """Return a date and time without its zone, which is behind the time."""
    return text[:10] + _ZONE.sub("", text[10:])


def _read_date(text: str, day_first: bool, years: Any) -> float:
    from dateutil import parser

    text = _usual(text)
    compact = read_compact(text)
    if text.isdigit() or not np.isnan(compact):
        return compact
    if not looks_like_date(text):
        return float("nan")
    part = _part_of_year(text, years)
    if part is not None:
        return part
    year_first = bool(_ISO.fullmatch(text))
    with warnings.catch_warnings():
        # A zone that is known by its letters only is left aside.
        warnings.simplefilter("ignore", parser.UnknownTimezoneWarning)
        try:
            value = parser.parse(
                text,
                years,
                dayfirst=day_first and not year_first,
                yearfirst=year_first,
                default=_START,
            )
        except (ValueError, ArithmeticError):
            return float("nan")
    since: timedelta = value.replace(tzinfo=None) - _START
    return since / timedelta(days=1)


def _part_of_year(text: str, years: Any) -> float | None:
    """Return the first day of an ISO week, a quarter or a month, None for others."""
    week, quarter, month, short = (part.fullmatch(text) for part in _PARTS)
    try:
        if week:
            day = datetime.fromisocalendar(
                int(week[1]), int(week[2]), int(week[3] or "1")
            )
        elif quarter:
            number = int(quarter[2] or quarter[3] or quarter[4])
            day = datetime(int(quarter[1] or quarter[5]), 3 * number - 2, 1)
        elif month:
            day = datetime(int(month[2] or month[3]), int(month[1] or month[4]), 1)
        elif short:
            number = _LETTERS.index(short[1].lower()) // 3 + 1
            day = datetime(years.convertyear(int(short[2])), number, 1)
        else:
            return None
    except ValueError:
        return float("nan")
    return float((day - _START).days)


def calendar_parts(days: FloatArray) -> dict[str, FloatArray]:
    """Return the hour of the day and the day of the week.

    Parameters
    ----------
    days : float64 array of shape (n,)
        Days since 1970-01-01; finite.

    Returns
    -------
    dict of str to float64 array of shape (n,)
        ``hour`` from 0 to 24 and ``weekday`` from 0 (Monday) to 6.
    """
    whole = np.floor(days)
    # The first of January 1970 was a Thursday. Hours are rounded to the second.
    return {
        "hour": np.round((days - whole) * _DAY) / 3_600.0,
        "weekday": (whole + 3.0) % 7.0,
    }


def are_months(days: FloatArray) -> bool:
    """Check whether all dates are the first, or all the last day of a month.

    Such dates stand for months, and their weekdays say nothing.

    Parameters
    ----------
    days : float64 array of shape (n,)
        Days since 1970-01-01; finite.

    Examples
    --------
    >>> are_months(np.array([0.0, 31.0, 59.0])), are_months(np.array([30.0, 58.0]))
    (True, True)
    >>> are_months(np.array([0.0, 1.0]))
    False
    """
    dates = np.floor(days).astype(np.int64).astype("datetime64[D]")
    return any(
        bool((day == day.astype("datetime64[M]")).all())
        for day in (dates, dates + np.timedelta64(1, "D"))
    )


def show_date(days: float) -> str:
    """Return a date as text, with its time if it has one.

    Examples
    --------
    >>> show_date(0.0), show_date(0.5)
    ('1970-01-01', '1970-01-01 12:00')
    """
    seconds = round(days * _DAY)
    moment = np.datetime64(0, "s") + np.timedelta64(seconds, "s")
    text = str(moment).replace("T", " ")
    if seconds % 86_400 == 0:
        return text[:10]
    return text[:16] if seconds % 60 == 0 else text
