"""Notice a number that stands for missing values, such as -999."""

from __future__ import annotations

import re

from odbench.arrays import FloatArray
from odbench.text import counted

_NINES = re.compile(r"-?99+(\.9+)?")
# Rows that must have it.
_FEWEST = 3


def stand_in_note(values: FloatArray) -> str:
    """Return a remark if the largest or smallest number may mean "missing", else "".

    It does if it is written with nines alone, several rows have it, and it is further
    from all other values than these are from each other.

    Parameters
    ----------
    values : float64 array of shape (n,)
        Finite.

    Examples
    --------
    >>> import numpy as np
    >>> stand_in_note(np.array([20.5, 21.0, -999.0, -999.0, -999.0, 19.0]))
    'has -999 in 3 rows; if that means missing, leave these cells empty'
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
    return ""
