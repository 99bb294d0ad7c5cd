"""Read years that end in the next one: 2019-20, 2019/2020, FY2019/20."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

_SEASON = re.compile(r"(?i)(?:FY ?)?(\d{4}) ?[-/\u2013] ?(\d{4}|\d{2})")
# Of so many different values, months of the one year after each would be a coincidence.
_ENOUGH = 3
_MONTHS = 12
_START = date(1970, 1, 1)


def are_seasons(texts: Sequence[str], least: float) -> bool:
    """Check whether different values are seasons, and not months such as 2011-12.

    Parameters
    ----------
    texts : sequence of str
    least : float
        Share of them that must be seasons.

    Examples
    --------
    >>> are_seasons(["2009-10", "2010-11", "2011-12"], 1.0)
    True
    >>> are_seasons(["2011-12"], 1.0), are_seasons(["2010-11", "2010-12"], 1.0)
    (False, False)
    """
    found = [text for text in texts if _years(text) is not None]
    if not found or len(found) < least * len(texts):
        return False
    return len(found) >= _ENOUGH or any(not _may_be_month(text) for text in found)


def read_season(text: str) -> float:
    """Return the days since 1970 of the first of January of a season's first year.

    Examples
    --------
    >>> read_season("1970/71"), read_season("1971-72"), read_season("1971-1975")
    (0.0, 365.0, nan)
    """
    years = _years(text)
    if years is None or years[0] < 1:
        return float("nan")
    return float((date(years[0], 1, 1) - _START).days)


def show_season(days: float) -> str:
    """Return a season as it is written most often.

    Examples
    --------
    >>> show_season(365.0), show_season(read_season("1999-00"))
    ('1971-72', '1999-00')
    """
    year = date.fromordinal(_START.toordinal() + round(days)).year
    return f"{year}-{(year + 1) % 100:02d}"


def _years(text: str) -> tuple[int, str] | None:
    """Return the first year and the text of the second, None if they do not follow."""
    found = _SEASON.fullmatch(text.strip())
    if found is None:
        return None
    first, second = int(found[1]), found[2]
    follows = (first + 1) % 100 if len(second) == 2 else first + 1
    return (first, second) if int(second) == follows else None


def _may_be_month(text: str) -> bool:
    second = _years(text)
    return second is not None and len(second[1]) == 2 and 1 <= int(second[1]) <= _MONTHS
