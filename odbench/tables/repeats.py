"""Tell whether two columns are the same values, unit, scale or names aside."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.data.information import compact

Values = FloatArray | IntArray
# Share of the rows that must agree.
_AGREE = 0.98
# Share of the rows whose value must have occurred before: where all values differ, each
# of one column comes with one of the other by itself, and so do zeros with zeros.
_AGAIN = 0.5
# Largest share of the variance that a line may leave; rounding leaves less.
_LEFT = 1e-3
# Least number of rows for a line, which two always have.
_FEWEST = 4


def are_same(one: Values, other: Values) -> bool:
    """Check whether two columns say the same.

    They do if each value of one comes with one of the other (see `determines`), in both
    directions, or if one is a line in the other, or in its logarithm, up to 0.1 % of
    its variance. Columns that merely rise together do neither.

    Parameters
    ----------
    one, other : arrays of shape (n,)
        Numbers, NaN where missing, as float64; names as int64 from 0.

    Examples
    --------
    >>> celsius = np.array([20.0, 21.5, 19.0, 25.5, 31.0])
    >>> are_same(celsius, 1.8 * celsius + 32.0)
    True
    >>> are_same(celsius, np.array([5.0, 6.0, 1.0, 7.0, 7.1]))
    False
    """
    first, second = compact(one), compact(other)
    both = determines(first, second) and determines(second, first)
    return both or _by_line(one, other)


def determines(codes: IntArray, values: IntArray) -> bool:
    """Check whether each code comes with one value, as a city with its region.

    On 98 % of the rows. Rows that share the most frequent code aside, at least half
    must have a code that occurred before.

    Parameters
    ----------
    codes, values : int64 arrays of shape (n,)
        From 0.
    """
    sizes = np.bincount(codes)
    others = len(codes) - int(sizes.max())
    again = others - (np.count_nonzero(sizes) - 1)
    if not others or again < _AGAIN * others:
        return False
    pairs, counts = np.unique(np.stack([codes, values]), axis=1, return_counts=True)
    # The rows of each code that come with its most frequent value.
    most = np.zeros(len(sizes), dtype=np.int64)
    np.maximum.at(most, pairs[0], counts)
    return bool(most.sum() >= _AGREE * len(codes))


def _by_line(one: Values, other: Values) -> bool:
    if one.dtype.kind != "f" or other.dtype.kind != "f":
        return False
    known = ~np.isnan(one) & ~np.isnan(other)
    gone = np.isnan(one) & np.isnan(other)
    if known.sum() < _FEWEST or (known | gone).sum() < _AGREE * len(known):
        return False
    x, y = (each[known].astype(np.float64) for each in (one, other))
    forms = [(x, y)]
    if x.min() > 0.0:
        forms.append((np.log(x), y))
    if y.min() > 0.0:
        forms.append((x, np.log(y)))
    if len(forms) > 2:
        forms.append((np.log(x), np.log(y)))
    # Of values that are too large or too close no line is found.
    with np.errstate(all="ignore"):
        return any(_is_line(*form) for form in forms)


def _is_line(x: FloatArray, y: FloatArray) -> bool:
    """Check whether most points lie on a line, whatever the others do."""
    order = np.argsort(x, kind="stable")
    part = max(len(x) // 4, 1)
    low, high = order[:part], order[-part:]
    across = np.median(x[high]) - np.median(x[low])
    if not across:
        return False
    slope = (np.median(y[high]) - np.median(y[low])) / across
    off = y - slope * x
    off = np.abs(off - np.median(off))
    last = int(np.ceil(_AGREE * len(off))) - 1
    kept = off <= np.partition(off, last)[last]
    x, y = x[kept], y[kept]
    spread = x.std() * y.std()
    if not spread > 0.0:
        return False
    together = float(((x - x.mean()) * (y - y.mean())).mean() / spread)
    return 1.0 - together**2 <= _LEFT
