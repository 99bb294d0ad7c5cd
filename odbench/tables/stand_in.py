"""Notice numbers and dates that stand for missing values, such as -999 or 1e20."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.tables.scale import first_beyond
from odbench.text import counted

_NINES = re.compile(r"-?99+(\.9+)?")
# The ends of whole numbers of 16 and 32 bits; those of 64 bits are beyond any unit.
_ENDS = frozenset(
    f"{sign * 2**bits - (sign == 1)}" for bits in (15, 16, 31, 32) for sign in (-1, 1)
)
# Rows that must have one.
_FEWEST = 3
_EPOCH = date(1970, 1, 1)
# No table has true dates in these years: the last one, and the first.
_NEVER = tuple(
    (day - _EPOCH).days for day in (date(9999, 1, 1), date(9999, 12, 31), date(1, 1, 1))
)
# Where calendars of databases, spreadsheets and computers begin, or are said to end.
_EDGES = tuple(
    (date(*day) - _EPOCH).days
    for day in (
        (1753, 1, 1), (1899, 12, 30), (1899, 12, 31), (1900, 1, 1), (1970, 1, 1),
        (2999, 12, 31),
    )
)  # fmt: skip


def stand_ins(values: FloatArray, rows: IntArray) -> tuple[float, ...]:
    """Return the numbers of a column that stand for missing values, ascending.

    A number does if it is written with nines alone or is the end of a type of whole
    numbers, several rows have it, and it is further from all other values than these
    are from each other, and from 0 where it has their sign, since 99 follows 95 among
    years; or if several rows have it and it is beyond any unit.

    Parameters
    ----------
    values : float64 array of shape (n,)
        Different, ascending, finite.
    rows : int64 array of shape (n,)
        The number of rows that have each.

    Examples
    --------
    >>> import numpy as np
    >>> stand_ins(np.array([-999.0, 19.0, 20.5, 21.0]), np.array([3, 1, 1, 1]))
    (-999.0,)
    >>> stand_ins(np.array([3.5, 6.25, 1e20]), np.array([1, 1, 5]))
    (1e+20,)
    """
    far = np.abs(values) >= first_beyond(values)
    many = rows >= _FEWEST
    # Most columns have no value of this kind, and are not looked at one by one.
    some = np.flatnonzero(~far & many & (np.abs(values) >= 99.0))
    codes = np.zeros(len(values), dtype=bool)
    codes[[place for place in some.tolist() if _is_code(values[place])]] = True
    others = ~codes & ~far
    found = (far & many) | (codes & _are_apart(values, others, origin=True))
    return tuple(values[found].tolist())


def stand_in_dates(days: FloatArray, rows: IntArray) -> tuple[float, ...]:
    """Return the dates of a column that stand for missing ones, ascending.

    A date does in the year 9999, as "valid until", and on the first of January of the
    year 1; an edge of a common calendar if several rows have it, and it is further
    from all other dates than these are from each other.

    Parameters
    ----------
    days : float64 array of shape (n,)
        Different, ascending, finite; since 1970-01-01.
    rows : int64 array of shape (n,)
        The number of rows that have each.

    Examples
    --------
    >>> import numpy as np
    >>> stand_in_dates(np.array([20_000.0, 20_010.0, 2932896.0]), np.ones(3, int))
    (2932896.0,)
    """
    never = are_never(days)
    codes = np.isin(np.floor(days), _EDGES) & (rows >= _FEWEST)
    found = never | (codes & _are_apart(days, ~codes & ~never))
    return () if found.all() else tuple(days[found].tolist())


def are_never(days: FloatArray) -> BoolArray:
    """Check which dates are in the year 9999, or on the first day of the year 1."""
    whole, (first, last, begin) = np.floor(days), _NEVER
    return np.asarray(((whole >= first) & (whole <= last)) | (whole == begin))


def _is_code(value: float) -> bool:
    text = f"{value:.15g}"
    return bool(_NINES.fullmatch(text)) or text in _ENDS


def _are_apart(
    values: FloatArray, others: BoolArray, *, origin: bool = False
) -> BoolArray:
    """Check which values are further from the others than these from each other.

    With `origin`, 0 is one of the others for values of their sign.
    """
    if not others.any():
        return np.zeros(len(values), dtype=bool)
    low, high = values[others].min(), values[others].max()
    apart = np.maximum(low - values, values - high)
    reach = np.full(len(values), high - low)
    if origin:
        same = np.where(values > 0.0, low > 0.0, high < 0.0)
        reach[same] = max(abs(low), abs(high))
    return np.asarray((apart > reach) & (high > low), dtype=bool)


def stand_in_note(shown: Iterable[str], rows: Iterable[int], option: str) -> str:
    """Return the remark on values that are read as missing, "" for none.

    Parameters
    ----------
    shown : iterable of str
        These values.
    rows : iterable of int
        The number of rows that have each.
    option : str
        The option that keeps them.

    Examples
    --------
    >>> stand_in_note(["-999"], [3], "--number")
    '-999 in 3 rows read as missing, which --number prevents'
    """
    pairs = zip(shown, rows, strict=True)
    told = " and ".join(f"{each} in {counted(n, 'row')}" for each, n in pairs)
    if not told:
        return ""
    return f"{told} read as missing, which {option} prevents"


def far_note(values: FloatArray) -> str:
    """Return a remark on numbers beyond any unit, "" for none.

    Parameters
    ----------
    values : float64 array of shape (n,)
        Finite, at least one.
    """
    far = values[np.abs(values) >= first_beyond(values)]
    if not len(far):
        return ""
    nearest = far[np.argmin(np.abs(far))]
    return (
        f"has {nearest:.15g}, far beyond the other numbers; if that means missing, "
        f"leave it empty"
    )
