"""Measure how long a process worked on a request, by the worker's own clock."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from odbench.sweep.processes import processor_seconds

# A longer gap between two ticks means that the worker itself was stopped.
_GAP_SECONDS = 1.0
_BLOCK = 512
_ROOM = 1 << 20


class Watch:
    """Time of one request, without the time in which this process was stopped.

    Parameters
    ----------
    pid : int
        The process that works on the request.
    interval : float
        Seconds between two ticks while nothing is wrong.

    Attributes
    ----------
    stopped : float
        Seconds in which this process did not run, as after a suspended job.
    folder_bytes : int
        Bytes of temporary files, when they were last measured.
    """

    def __init__(self, pid: int, interval: float) -> None:
        self._pid, self._interval = pid, interval
        self._started = self._last = self._due = time.monotonic()
        self._worked = processor_seconds(pid) if pid else 0.0
        self.stopped = 0.0
        self.folder_bytes = 0

    @property
    def running(self) -> float:
        """Seconds since the start, without gaps."""
        return time.monotonic() - self._started - self.stopped

    def tick(self) -> None:
        """Record that this process is running."""
        now = time.monotonic()
        gap = now - self._last - self._interval
        if gap > _GAP_SECONDS:
            self.stopped += gap
        self._last = now

    def is_due(self, seconds: float) -> bool:
        """Return True once in each interval of this length."""
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + seconds
        return True

    def end(self) -> float:
        """Return the seconds of the request."""
        wall = time.monotonic() - self._started
        if not self.stopped:
            return wall
        # The process may have worked while this one was stopped.
        worked = processor_seconds(self._pid) - self._worked
        return max(wall - self.stopped, min(worked, wall))


def folder_bytes(folder: Path) -> int:
    """Return the bytes on the disk of all files below a folder."""
    total, waiting = 0, [str(folder)]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    facts = entry.stat(follow_symlinks=False)
                    blocks = getattr(facts, "st_blocks", -(-facts.st_size // _BLOCK))
                    total += blocks * _BLOCK
            except OSError:
                continue
    return total


def has_room(folder: Path) -> bool:
    """Check whether a folder takes another file of a mebibyte."""
    probe = folder / ".room"
    try:
        with probe.open("wb") as sink:
            sink.write(bytes(_ROOM))
        return True
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
