"""An order of rows that depends on their values alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.shared.rng import STEP, mixed

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
    spread = mixed(rough + copy.astype(np.uint64) * STEP)
    return np.asarray(order[np.argsort(spread, kind="stable")], dtype=np.int64)


def _hashes(rows: FloatArray) -> NDArray[np.uint64]:
    """Return one number per row, equal for equal rows.

    Each column is mixed in by the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA
    2014).
    """
    state = np.full(len(rows), STEP)
    for column in rows.T:
        # Adding zero turns -0.0 into 0.0, and makes the column contiguous.
        state = mixed(state + STEP + (column + 0.0).view(np.uint64))
    return state
