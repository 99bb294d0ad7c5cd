"""Tell whether two columns are the same values, unit, scale or names aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odbench.arrays import FloatArray, IntArray

# Share of the rows that must agree.
_AGREE = 0.98
# Share of the rows whose value must have occurred before: where all values differ, each
# of one column comes with one of the other by itself, and so do zeros with zeros.
_AGAIN = 0.5
# Largest share of the variance that a line may leave; rounding leaves less.
_LEFT = 1e-3
# Least number of rows for a line, which two always have.
_FEWEST = 4


@dataclass(frozen=True)
class Values:
    """A column's values.

    Attributes
    ----------
    places : int64 array of shape (n,)
        Equal for equal values; a missing value is one of its own.
    numbers : float64 array of shape (n,) or None
        The values of a column of numbers, NaN where missing.
    """

    places: IntArray
    numbers: FloatArray | None

    def taken(self, rows: IntArray) -> Values:
        """Return some of the rows."""
        numbers = None if self.numbers is None else self.numbers[rows]
        return Values(self.places[rows], numbers)


def are_same(one: Values, other: Values) -> bool:
    """Check whether two columns say the same.

    They do if each value of one comes with one of the other (see `determines`), in both
    directions, or if one is a line in the other, or in its logarithm, up to 0.1 % of
    its variance. Columns that merely rise together do neither.

    Parameters
    ----------
    one, other : Values
        Of the same rows.

    Examples
    --------
    >>> celsius = np.array([20.0, 21.5, 19.0, 25.5, 31.0])
    >>> one = Values(np.arange(5), celsius)
    >>> are_same(one, Values(np.arange(5), 1.8 * celsius + 32.0))
    True
    >>> are_same(one, Values(np.arange(5), np.array([5.0, 6.0, 1.0, 7.0, 7.1])))
    False
    """
    both = [(one.places, other.places), (other.places, one.places)]
    return all(determines(*each) for each in both) or _by_line(one, other)


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
    if one.numbers is None or other.numbers is None:
        return False
    known = ~np.isnan(one.numbers) & ~np.isnan(other.numbers)
    gone = np.isnan(one.numbers) & np.isnan(other.numbers)
    if known.sum() < _FEWEST or (known | gone).sum() < _AGREE * len(known):
        return False
    x, y = one.numbers[known], other.numbers[known]
    forms = [(x, y)]
    if x.min() > 0.0:
        forms.append((np.log(x), y))
    if y.min() > 0.0:
        forms.append((x, np.log(y)))
    if len(forms) > 2:
        forms.append((np.log(x), np.log(y)))
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
