"""Find the distinct rows of a table, because real tables have many duplicates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.views import read_only

Int32Array = NDArray[np.int32]
IndexArray = NDArray[np.intp]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


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
    slots = np.full(size, -1, dtype=np.int32)
    first = np.empty(n, dtype=np.int32)
    number = np.empty(n, dtype=np.int32)
    positive = np.empty(d)
    bits = positive.view(np.uint64)
    m = _number(read_only(rows), slots, first, number, positive, bits)
    return first[:m].copy(), number


@kernel()
def _number(  # noqa: PLR0917 - numba passes by position
    rows: FloatArray,
    slots: Int32Array,
    first: Int32Array,
    number: Int32Array,
    positive: FloatArray,
    bits: NDArray[np.uint64],
) -> int:
    """Give distinct rows numbers by a hash table; return how many there are.

    `bits` is `positive`, of shape (d,), seen as integers.
    """
    n, d = rows.shape
    mask = np.uint64(len(slots) - 1)
    m = 0
    for i in range(n):
        for j in range(d):
            # Adding 0.0 turns -0.0 into 0.0.
            positive[j] = rows[i, j] + 0.0
        code = _hash(bits)
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
    return m


@helper()
def _hash(bits: NDArray[np.uint64]) -> np.uint64:
    """Return a number that depends on all bits, by four chains to hide the latency."""
    a = b = c = e = np.uint64(len(bits))
    fours = len(bits) // 4 * 4
    for j in range(0, fours, 4):
        a, b = _mix(a, bits[j]), _mix(b, bits[j + 1])
        c, e = _mix(c, bits[j + 2]), _mix(e, bits[j + 3])
    for j in range(fours, len(bits)):
        a = _mix(a, bits[j])
    return _mix(_mix(_mix(a, b), c), e)


@helper()
def _mix(code: np.uint64, bits: np.uint64) -> np.uint64:
    code = (code ^ bits) * _MULTIPLIER
    return code ^ (code >> _SHIFT)


@helper()
def _equal(rows: FloatArray, a: int, b: int) -> bool:
    for j in range(rows.shape[1]):  # noqa: SIM110 - numba compiles a loop better
        if rows[a, j] != rows[b, j]:
            return False
    return True


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
    np.cumsum(np.bincount(number, minlength=m), out=offsets[1:])
    members = np.empty(len(number), dtype=np.int32)
    _place(number, offsets[:-1].copy(), members)
    return offsets, members


@kernel()
def _place(number: Int32Array, place: Int32Array, members: Int32Array) -> None:
    """Write each row to the next place of its distinct row."""
    for i in range(len(number)):
        u = number[i]
        members[place[u]] = i
        place[u] += 1


@kernel()
def leave_out_self(
    found_distances: FloatArray,
    found_rows: Int32Array,
    number: Int32Array,
    distances: FloatArray,
    rows: Int32Array,
) -> None:
    """Write the neighbours of every row, itself or else the last one left out.

    Parameters
    ----------
    found_distances, found_rows : arrays of shape (m, k + 1), float64 and int32
        The neighbours of each distinct row.
    number : int32 array of shape (n,)
        For each row the index of its distinct row.
    distances, rows : arrays of shape (n, k), float64 and int32
        Filled.
    """
    k = rows.shape[1]
    for i in range(len(number)):
        u = number[i]
        # Places from that of the row itself on are read one further.
        further = 0
        for p in range(k):
            further = further | (found_rows[u, p] == i)
            distances[i, p] = found_distances[u, p + further]
            rows[i, p] = found_rows[u, p + further]
