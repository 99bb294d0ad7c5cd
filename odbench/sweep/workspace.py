"""Work that the detectors of one data set share, done once; its cost is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from odbench.arrays import FloatArray

T = TypeVar("T")
_Key = tuple[str, tuple[int, ...]]


class SharedWork:
    """The `odbench.detector.Workspace` of one data set in one process.

    Parameters
    ----------
    arrays : tuple of float64 arrays
        Work is kept only for these arrays, compared by identity. They must outlive
        this object.

    Attributes
    ----------
    reused_seconds : float
        Cost of the work that `obtain` reused since `start_trial`. Added to a trial's
        own seconds, it gives the time that the detector would have taken alone.
    """

    def __init__(self, arrays: tuple[FloatArray, ...]) -> None:
        self._known = {id(array) for array in arrays}
        self._sizes: dict[str, int] = {}
        self._made: dict[_Key, tuple[Any, float]] = {}
        self._charged: set[_Key] = set()
        self.reused_seconds = 0.0

    def announce(self, needs: Mapping[str, int]) -> None:
        """Add one detector's needs; the largest size of each kind counts.

        Work that was done for a smaller size is done again.
        """
        for kind, size in needs.items():
            if size > self._sizes.get(kind, 0):
                self._sizes[kind] = size
                for key in [key for key in self._made if key[0] == kind]:
                    del self._made[key]

    def start_trial(self) -> None:
        """Reset the cost of reused work."""
        self.reused_seconds = 0.0
        self._charged.clear()

    def obtain(
        self, kind: str, rows: tuple[FloatArray, ...], make: Callable[[int], T]
    ) -> T:
        """Return work of one kind; see `odbench.detector.Workspace`."""
        size = self._sizes.get(kind, 0)
        if any(id(array) not in self._known for array in rows):
            return make(size)
        key = (kind, tuple(id(array) for array in rows))
        if key in self._made:
            work, seconds = self._made[key]
            if key not in self._charged:
                self.reused_seconds += seconds
        else:
            started = time.perf_counter()
            work = make(size)
            self._made[key] = (work, time.perf_counter() - started)
        self._charged.add(key)
        shared: T = work
        return shared
