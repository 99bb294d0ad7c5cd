"""Read lengths of time: 0 days 00:01:30, 1 day, 2:03:04, 36:15:00, 1:23.4."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_DURATION = re.compile(
    r"(?i)(?:([+-]?\d+) days?,? ?\+?|([+-]))?"
    r"(\d+):([0-5]\d)(?::([0-5]\d(?:[.,]\d+)?))?"
)
# Minutes and seconds are told from hours and minutes by the fraction of a second; below
# a minute, the seconds stand alone.
_MINUTES = re.compile(r"(?:(\d{1,3}):(?=[0-5]\d))?([0-5]?\d[.,]\d+)")
_DAY, _HOUR, _MINUTE, _HOURS = 86_400.0, 3_600.0, 60.0, 24


def are_durations(texts: Sequence[str], least: float) -> bool:
    """Check whether texts are lengths of time, and not times of day.

    Parameters
    ----------
    texts : sequence of str
    least : float
        Share of them that must be lengths of time.

    Examples
    --------
    >>> are_durations(["0 days 00:01:30"], 1.0), are_durations(["8:30", "36:15"], 1.0)
    (True, True)
    >>> are_durations(["8:30", "23:59"], 1.0), are_durations(["59.8", "1:02.4"], 1.0)
    (False, True)
    """
    found = [match for text in texts if (match := _DURATION.fullmatch(text.strip()))]
    beyond_a_day = any(match[1] or int(match[3]) >= _HOURS for match in found)
    if beyond_a_day:
        return len(found) >= least * len(texts)
    short = [match for text in texts if (match := _MINUTES.fullmatch(text.strip()))]
    # Among these, hours and minutes alone could be minutes and seconds.
    told = sum(match[5] is not None for match in found)
    return any(match[1] for match in short) and len(short) + told >= least * len(texts)


def is_any_beyond_a_day(texts: Iterable[str]) -> bool:
    """Check whether a text shows more hours than a day has, as a time of day cannot.

    Examples
    --------
    >>> is_any_beyond_a_day(["8:30", "24:00"]), is_any_beyond_a_day(["8:30", "25:10"])
    (False, True)
    """
    found = (_DURATION.fullmatch(text.strip()) for text in texts)
    return any(
        match is not None and (int(match[3]), int(match[4])) > (_HOURS, 0)
        for match in found
    )


def read_duration(text: str) -> float:
    """Return a length of time in seconds, NaN if the text is none.

    Hours and minutes come first: 36:15 is a day and a half. With a fraction, two
    numbers are minutes and seconds.

    Examples
    --------
    >>> read_duration("0 days 00:01:30.5"), read_duration("1 day, 2:00:00")
    (90.5, 93600.0)
    >>> read_duration("-1 days +23:00:00"), read_duration("-0:30"), read_duration("x")
    (-3600.0, -1800.0, nan)
    >>> read_duration("1:23.5"), read_duration("59.5"), read_duration("1:01:23.5")
    (83.5, 59.5, 3683.5)
    """
    short = _MINUTES.fullmatch(text.strip())
    if short is not None:
        return float(short[1] or 0) * _MINUTE + float(short[2].replace(",", "."))
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        return float("nan")
    days, sign, hours, minutes, seconds = found.groups()
    total = float(days or 0) * _DAY + float(hours) * _HOUR + float(minutes) * _MINUTE
    total += float((seconds or "0").replace(",", "."))
    return -total if sign == "-" else total
