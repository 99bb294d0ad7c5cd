"""Units of columns in which squares neither overflow nor vanish."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray

# Between these, squares of values and their sums are ordinary numbers.
_SMALL, _LARGE = 1e-100, 1e100


def units(rows: FloatArray) -> FloatArray:
    """Return a number to divide each column by before its squares are taken.

    Parameters
    ----------
    rows : float64 array of shape (n, d)
        Finite.

    Returns
    -------
    float64 array of shape (d,)
        1 for columns of ordinary size and for zeros; else the power of two next to the
        largest value, so that division changes no digit.

    Examples
    --------
    >>> units(np.array([[0.0, 3.0, -(2.0**900)], [0.0, -5.0, 1e7]])) == [1, 1, 2.0**900]
    array([ True,  True,  True])
    """
    largest = np.abs(rows).max(axis=0)
    ordinary = (largest == 0.0) | ((largest >= _SMALL) & (largest <= _LARGE))
    powers = np.ldexp(1.0, np.frexp(largest)[1] - 1)
    return np.where(ordinary, 1.0, powers)
