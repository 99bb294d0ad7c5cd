"""Work that the detectors of one data set share, with the cost of each one's need."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from odbench.arrays import FloatArray

T = TypeVar("T")
Sample = Callable[[int, float], object]
_Key = tuple[str, tuple[int, ...]]
# Measuring the cost of a smaller need stops when a sample took this many seconds, or
# this part of the whole work; longer samples are more exact.
_SAMPLE_SECONDS, _SAMPLE_PART = 0.005, 0.03
_FIRST_SHARE, _GROWTH = 1 / 32, 2.0
# Bound before a detector is imported, because a detector may replace `time`'s clock.
_clock = time.perf_counter


@dataclass
class _Made:
    """Finished work with its cost.

    Attributes
    ----------
    work : object
        The result for the largest need.
    size : int
        The largest need.
    seconds : float
        Cost of the result.
    grown : int
        Bytes by which the process grew while the work was done.
    costs : dict of int to float
        Need -> seconds that work of this size takes.
    """

    work: Any
    size: int
    seconds: float
    grown: int
    costs: dict[int, float] = field(default_factory=dict)


class SharedWork:
    """The `odbench.detector.Workspace` of one data set in one process.

    Each kind of work is done once, for the largest need of all detectors. A detector
    is charged the cost of its own need, whether it did the work or reused it. That cost
    is measured on a sample of the rows if the work offers one (`obtain`).

    Parameters
    ----------
    arrays : tuple of float64 arrays
        Work is kept only for these arrays, compared by identity. They must outlive
        this object.
    memory : callable, optional
        Returns the resident bytes of the process and their peak so far.

    Attributes
    ----------
    spent : float
        Seconds that the present phase spent in `obtain`.
    charged : float
        Seconds that shared work of the detector's own needs costs in the present phase.
    reused : float
        The part of `charged` for work that another trial did.
    grown, charged_bytes : int
        Growth of the process in `obtain` during the trial, and the part of all shared
        work's growth that belongs to the detector's needs.
    """

    def __init__(
        self,
        arrays: tuple[FloatArray, ...],
        memory: Callable[[], tuple[int, int]] | None = None,
    ) -> None:
        self._known = {id(array) for array in arrays}
        self._memory = memory or (lambda: (0, 0))
        self._sizes: dict[str, int] = {}
        self._needs: Mapping[str, int] = {}
        self._made: dict[_Key, _Made] = {}
        self._new: list[_Key] = []
        self._charged: set[_Key] = set()
        self.grown = self.charged_bytes = 0
        self.start_phase()

    def announce(self, needs: Mapping[str, int]) -> None:
        """Add one detector's needs; the largest size of each kind counts.

        Work that was done for a smaller size is done again.
        """
        for kind, size in needs.items():
            if size > self._sizes.get(kind, 0):
                self._sizes[kind] = size
                for key in [key for key in self._made if key[0] == kind]:
                    del self._made[key]

    def start_trial(
        self, needs: Mapping[str, int] | None = None, *, again: bool = False
    ) -> None:
        """Start a trial of a detector with these needs.

        If the last trial is repeated, its work is done again, too.
        """
        for key in self._new if again else ():
            self._made.pop(key, None)
        self._new.clear()
        self._needs = needs or {}
        self._charged.clear()
        self.grown = self.charged_bytes = 0
        self.start_phase()

    def start_phase(self) -> None:
        """Reset the seconds of a phase: fit or score."""
        self.spent = self.charged = self.reused = 0.0

    def obtain(
        self,
        kind: str,
        rows: tuple[FloatArray, ...],
        make: Callable[[int], T],
        *,
        sample: Sample | None = None,
    ) -> T:
        """Return work of one kind; see `odbench.detector.Workspace`."""
        size = self._sizes.get(kind, 0)
        if any(id(array) not in self._known for array in rows):
            # Work that is not shared is done for the detector's own need.
            return make(self._needs.get(kind, size))
        started = _clock()
        key = (kind, tuple(id(array) for array in rows))
        made = self._made.get(key)
        is_new = made is None
        if made is None:
            resident, peak = self._memory()
            work = make(size)
            seconds = _clock() - started
            now, peak_now = self._memory()
            grown = max(0, (peak_now if peak_now > peak else now) - resident)
            made = self._made[key] = _Made(work, size, seconds, grown)
            self._new.append(key)
            self.grown += grown
        if key not in self._charged:
            self._charged.add(key)
            self._charge(made, self._needs.get(kind, size), sample, is_new=is_new)
        self.spent += _clock() - started
        shared: T = made.work
        return shared

    def _charge(
        self, made: _Made, need: int, sample: Sample | None, *, is_new: bool
    ) -> None:
        if need not in made.costs:
            made.costs[need] = _cost(made, need, sample)
        self.charged += made.costs[need]
        self.charged_bytes += int(made.grown * (need / made.size if made.size else 1))
        if not is_new:
            self.reused += made.costs[need]


def _cost(made: _Made, need: int, sample: Sample | None) -> float:
    """Measure the seconds of work for a need, on a growing share of the rows.

    Work has a fixed part and one that grows with the rows, so the last two measurements
    are continued along a line.
    """
    if need >= made.size or sample is None:
        return made.seconds
    enough = max(_SAMPLE_SECONDS, _SAMPLE_PART * made.seconds)
    share, before = _FIRST_SHARE, (0.0, 0.0)
    while True:
        started = _clock()
        sample(need, share)
        seconds = _clock() - started
        if share >= 1:
            return min(seconds, made.seconds)
        if seconds >= enough:
            slope = max(0.0, seconds - before[1]) / (share - before[0])
            return min(seconds + slope * (1 - share), made.seconds)
        share, before = min(1.0, share * _GROWTH), (share, seconds)
