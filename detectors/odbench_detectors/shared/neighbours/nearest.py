"""The nearest rows so far, by distance and then row, so that ties are unique."""

from __future__ import annotations

from odbench.arrays import FloatArray
from odbench_detectors.shared.kernels import helper
from odbench_detectors.shared.neighbours.distinct import Int32Array


@helper()
def insert(  # noqa: PLR0917 - numba passes by position
    distances: FloatArray,
    rows: Int32Array,
    full: int,
    distance: float,
    members: Int32Array,
    start: int,
    stop: int,
) -> int:
    """Insert the rows ``members[start:stop]``, ascending, all at the same distance.

    The first `full` positions of `distances` and `rows`, of shape (k,), are sorted.
    Returns how many are afterwards.
    """
    k = len(distances)
    for m in range(start, stop):
        row = members[m]
        at = full
        if full == k:
            at -= 1
            if distance > distances[at] or (
                distance == distances[at] and row > rows[at]
            ):
                break
        while at > 0 and (
            distances[at - 1] > distance
            or (distances[at - 1] == distance and rows[at - 1] > row)
        ):
            distances[at] = distances[at - 1]
            rows[at] = rows[at - 1]
            at -= 1
        distances[at] = distance
        rows[at] = row
        full = min(full + 1, k)
    return full
