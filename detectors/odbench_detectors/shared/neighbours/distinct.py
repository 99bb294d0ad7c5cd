"""Find the distinct rows of a table, because real tables have many duplicates."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from odbench.arrays import FloatArray

Int32Array = NDArray[np.int32]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


@njit(cache=True, nogil=True)
def distinct(rows: FloatArray) -> tuple[Int32Array, Int32Array]:
    """Find the distinct rows, in the order in which they first appear.

    Parameters
    ----------
    rows : float64 array of shape (n, d)
        C-contiguous, without NaN; -0.0 equals 0.0.

    Returns
    -------
    tuple of int32 arrays
        The first occurrence of each distinct row, ascending, of shape (m,); and for
        each row the index of its distinct row, of shape (n,).
    """
    n, d = rows.shape
    size = 16
    while size < 2 * n:
        size *= 2
    mask = np.uint64(size - 1)
    slots = np.full(size, -1, dtype=np.int32)
    first = np.empty(n, dtype=np.int32)
    number = np.empty(n, dtype=np.int32)
    m = 0
    # Adding 0.0 turns -0.0 into 0.0.
    positive = np.empty(d)
    bits = positive.view(np.uint64)
    for i in range(n):
        for j in range(d):
            positive[j] = rows[i, j] + 0.0
        code = np.uint64(d)
        for j in range(d):
            code = (code ^ bits[j]) * _MULTIPLIER
            code ^= code >> _SHIFT
        slot = code & mask
        while True:
            found = slots[slot]
            if found < 0:
                slots[slot] = m
                first[m] = i
                number[i] = m
                m += 1
                break
            if _equal(rows, i, first[found]):
                number[i] = found
                break
            slot = (slot + np.uint64(1)) & mask
    return first[:m].copy(), number


@njit(cache=True, nogil=True)
def _equal(rows: FloatArray, a: int, b: int) -> bool:
    for j in range(rows.shape[1]):  # noqa: SIM110 - numba compiles a loop better
        if rows[a, j] != rows[b, j]:
            return False
    return True


@njit(cache=True, nogil=True)
def members_of(number: Int32Array, m: int) -> tuple[Int32Array, Int32Array]:
    """List the rows equal to each distinct row, ascending.

    Parameters
    ----------
    number : int32 array of shape (n,)
        For each row the index of its distinct row.
    m : int
        Number of distinct rows.

    Returns
    -------
    tuple of int32 arrays
        ``offsets`` of shape (m + 1,) and ``members`` of shape (n,): the rows equal to
        distinct row u are ``members[offsets[u] : offsets[u + 1]]``.
    """
    offsets = np.zeros(m + 1, dtype=np.int32)
    for u in number:
        offsets[u + 1] += 1
    for u in range(m):
        offsets[u + 1] += offsets[u]
    place = offsets[:-1].copy()
    members = np.empty(len(number), dtype=np.int32)
    for i in range(len(number)):
        u = number[i]
        members[place[u]] = i
        place[u] += 1
    return offsets, members
