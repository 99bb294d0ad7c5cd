"""Notice a number that stands for missing values, such as -999 or 1e20."""

from __future__ import annotations

import re

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.scale import first_beyond
from odbench.text import counted

_NINES = re.compile(r"-?99+(\.9+)?")
# Rows that must have it.
_FEWEST = 3


def stand_in_note(values: FloatArray) -> str:
    """Return a remark if the largest or smallest number may mean "missing", else "".

    It does if it is written with nines alone, several rows have it, and it is further
    from all other values than these are from each other; or if it is beyond any unit.

    Parameters
    ----------
    values : float64 array of shape (n,)
        Finite, at least one.

    Examples
    --------
    >>> import numpy as np
    >>> stand_in_note(np.array([20.5, 21.0, -999.0, -999.0, -999.0, 19.0]))
    'has -999 in 3 rows; if that means missing, leave these cells empty'
    >>> stand_in_note(np.array([3.5, 1e20, 6.25]))
    'has 1e+20, far beyond the other numbers; if that means missing, leave it empty'
    """
    for value in {values.min(), values.max()}:
        others = values[values != value]
        count = len(values) - len(others)
        if count < _FEWEST or not len(others) or not _NINES.fullmatch(f"{value:.15g}"):
            continue
        low, high = others.min(), others.max()
        if max(low - value, value - high) > high - low > 0.0:
            return (
                f"has {value:.15g} in {counted(count, 'row')}; if that means missing, "
                f"leave these cells empty"
            )
    far = values[np.abs(values) >= first_beyond(values)]
    if not len(far):
        return ""
    nearest = far[np.argmin(np.abs(far))]
    return (
        f"has {nearest:.15g}, far beyond the other numbers; if that means missing, "
        f"leave it empty"
    )
