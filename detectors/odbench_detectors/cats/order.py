"""An order of rows that depends on their values alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray

# The finaliser of SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number
# generators", OOPSLA 2014.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
# Standardised values that agree to this are the same for the first hash, so that
# rounding errors of another unit of a column do not reorder the rows.
_GRID = 2.0**16
_LARGEST = 2.0**46


def content_order(Z: FloatArray) -> IntArray:
    """Order rows by hashes of their values, wherever they stand in the table.

    The order looks random, so that its beginning is a fair sample. Copies of a row
    are spread over it as other rows are.

    Parameters
    ----------
    Z : float64 array of shape (n, d)
        Standardised rows.

    Returns
    -------
    int64 array of shape (n,)
        Places in `Z`. Equal rows may stand for each other.
    """
    grid = np.rint(np.clip(Z, -_LARGEST, _LARGEST) * _GRID)
    rough, exact = _hashes(grid), _hashes(Z)
    order = np.lexsort((exact, rough))
    rough = rough[order]
    starts = np.flatnonzero(np.append(True, rough[1:] != rough[:-1]))
    sizes = np.diff(np.append(starts, len(rough)))
    copy = np.arange(len(rough)) - np.repeat(starts, sizes)
    spread = _mixed(rough + copy.astype(np.uint64) * _STEP)
    return np.asarray(order[np.argsort(spread, kind="stable")], dtype=np.int64)


def _hashes(rows: FloatArray) -> NDArray[np.uint64]:
    """Return one number per row, equal for equal rows."""
    state = np.full(len(rows), _STEP)
    for column in rows.T:
        # Adding zero turns -0.0 into 0.0, and makes the column contiguous.
        state = _mixed(state + _STEP + (column + 0.0).view(np.uint64))
    return state


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))
