"""Kernels that select among a few values: the k-th smallest, or a bound on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench_detectors.shared.kernels import helper

# float32
Singles = NDArray[Any]

_HALVINGS = 24


# Small counts are exact in float32, which uses the full vector width.
@helper(fastmath={"reassoc"})
def count_within(line: Singles, bound: float) -> Any:
    """Return how many values do not exceed a bound, as a float32 number."""
    within = np.float32(0.0)
    for b in range(len(line)):
        within += np.float32(line[b] <= bound)
    return within


@helper()
def at_least(values: Singles, k: int) -> Any:
    """Return a number that at least k values do not exceed, and not many more."""
    low = high = values[0]
    for p in range(1, len(values)):
        low = min(low, values[p])
        high = max(high, values[p])
    for _ in range(_HALVINGS):
        middle = np.float32(0.5) * low + np.float32(0.5) * high
        within = count_within(values, middle)
        if within < k:
            low = middle
        else:
            high = middle
            if within == k:
                break
    return high


@helper()
def kth(values: FloatArray, k: int) -> Any:
    """Return value number k, from 0, in ascending order; those before it go in front.

    This is quickselect (Hoare, Communications of the ACM 4, 1961).
    """
    left, right = 0, len(values) - 1
    while left < right:
        a, b, c = values[left], values[(left + right) // 2], values[right]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = left, right
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            right = j
        elif k >= i:
            left = i
        else:
            break
    return values[k]
