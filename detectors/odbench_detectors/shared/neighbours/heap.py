"""A heap of the k nearest rows so far, by distance and then row, so ties are unique."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.kernels import helper
from odbench_detectors.shared.neighbours.distinct import Int32Array

_NO_ROW = np.int32(2**31 - 1)


@helper(inline="always")
def clear(far: FloatArray, row: Int32Array) -> None:
    """Fill a heap with placeholders that are farther than any real row."""
    for p in range(len(far)):
        far[p] = np.inf
        row[p] = _NO_ROW


@helper()
def push(  # noqa: PLR0917 - numba passes by position
    far: FloatArray,
    row: Int32Array,
    distance: float,
    members: Int32Array,
    start: int,
    stop: int,
) -> None:
    """Push the rows ``members[start:stop]``, ascending, all at the same distance.

    `far` and `row`, of shape (k,), are a heap with the worst at its root.
    """
    for m in range(start, stop):
        candidate = members[m]
        if distance > far[0] or (distance == far[0] and candidate > row[0]):
            return
        _replace_root(far, row, distance, candidate)


@helper()
def _replace_root(
    far: FloatArray, row: Int32Array, distance: float, candidate: int
) -> None:
    k = len(far)
    at = 0
    while True:
        child = 2 * at + 1
        if child >= k:
            break
        right = child + 1
        if right < k and (
            far[right] > far[child]
            or (far[right] == far[child] and row[right] > row[child])
        ):
            child = right
        if far[child] < distance or (far[child] == distance and row[child] < candidate):
            break
        far[at] = far[child]
        row[at] = row[child]
        at = child
    far[at] = distance
    row[at] = candidate


@helper()
def drain(
    far: FloatArray, row: Int32Array, distances: FloatArray, rows: Int32Array
) -> None:
    """Drain a heap in ascending order."""
    k = len(far)
    for last in range(k - 1, -1, -1):
        distances[last] = far[0]
        rows[last] = row[0]
        tail_far, tail_row = far[last], row[last]
        _replace_root(far[:last], row[:last], tail_far, tail_row) if last else None
