"""Say in which century the years of two digits of a column are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

_CENTURY = 100
# A run of years that leaves out fewer than these is no run.
_LEAST_GAP = 5
# How many times as far the future is as the past: most tables tell what has happened.
_FUTURE = 2


def first_year(seen: Collection[int], today: int) -> int:
    """Return the first of the hundred years in which years of two digits lie.

    They are taken for one run without a change of century: the one behind their widest
    gap, in the century that brings its farthest end nearest to today. The future counts
    twice.

    Parameters
    ----------
    seen : collection of int
        Years of two digits; at least one.
    today : int
        The year of today.

    Examples
    --------
    >>> first_year({98, 99, 3, 25}, 2026), first_year(range(40, 100), 2026)
    (1962, 1920)
    """
    years = sorted(set(seen))
    following = [*years[1:], years[0] + _CENTURY]
    gaps = [after - year - 1 for year, after in zip(years, following, strict=True)]
    gap = max(gaps)
    if gap < _LEAST_GAP:
        return today - _CENTURY + 1
    begin = following[gaps.index(gap)] % _CENTURY
    length = _CENTURY - 1 - gap
    starts = range(begin + 17 * _CENTURY, today + 2 * _CENTURY, _CENTURY)
    start = min(starts, key=lambda year: _farthest(year, year + length, today))
    # Years in the gap are with the end of the run that is nearer.
    return start - gap // 2


def _farthest(first: int, last: int, today: int) -> int:
    return max(today - first, _FUTURE * (last - today))


def years_from(first: int) -> Any:
    """Return a ``parserinfo`` of dateutil with two-digit years from a year on.

    Its attribute ``seen`` collects the years of two digits that it met.

    Parameters
    ----------
    first : int
        The first of a hundred years.
    """
    from dateutil import parser

    class Years(parser.parserinfo):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.seen: set[int] = set()

        def convertyear(self, year: int, century_specified: bool = False) -> int:
            if century_specified or year >= _CENTURY:
                return year
            self.seen.add(year)
            return first + (year - first) % _CENTURY

    return Years()
