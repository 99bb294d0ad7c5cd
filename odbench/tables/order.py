"""An order of rows that depends on their content alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray

_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_STEP = np.uint64(0x9E3779B97F4A7C15)


def hash_rows(X: FloatArray) -> NDArray[np.uint64]:
    """Return one number per row that depends on the row's values alone.

    The finaliser of SplitMix64 [1]_ is applied after each column.

    Parameters
    ----------
    X : float64 array of shape (n, d)

    Returns
    -------
    uint64 array of shape (n,)
        Equal for equal rows (0.0 equals -0.0).

    References
    ----------
    .. [1] Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
       OOPSLA 2014.
    """
    state = np.full(len(X), _STEP, dtype=np.uint64)
    for column in X.T:
        # Adding zero turns -0.0 into 0.0.
        state = _mixed(
            state + _STEP + np.ascontiguousarray(column + 0.0).view(np.uint64)
        )
    return state


def canonical_order(hashes: NDArray[np.uint64]) -> IntArray:
    """Return an order of rows that does not depend on the order they were given in.

    Parameters
    ----------
    hashes : uint64 array of shape (n,)
        From `hash_rows`.

    Returns
    -------
    int64 array of shape (n,)
        Places of the rows. The order looks random, so its beginning is a fair sample.
        Equal rows are told apart by counting them, and are spread like other rows.
    """
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sizes = np.diff(np.append(starts, len(ordered)))
    occurrence = np.arange(len(ordered)) - np.repeat(starts, sizes)
    # A second copy has a hash of its own, so that copies are sampled as other rows are.
    own = _mixed(ordered + occurrence.astype(np.uint64) * _STEP)
    return np.asarray(order[np.argsort(own, kind="stable")], dtype=np.int64)


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * _MULTIPLIERS[0]
    state = (state ^ (state >> np.uint64(27))) * _MULTIPLIERS[1]
    return state ^ (state >> np.uint64(31))
