"""Stop the processes of a detector between its trials, and let them go on."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def pause_descendants(pid: int) -> list[int]:
    """Stop the descendants of a process, but not itself.

    Parameters
    ----------
    pid : int
        A reaper, which must notice the end of its worker.

    Returns
    -------
    list of int
        The processes that were stopped, for `resume`; none where the system does not
        tell which there are.
    """
    stopped: dict[int, None] = {}
    # Once more after the last that is found: it may have forked meanwhile.
    while found := [each for each in _descendants(pid) if each not in stopped]:
        for each in found:
            stopped[each] = None
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(each, signal.SIGSTOP)
    return list(stopped)


def resume(processes: list[int]) -> None:
    """Let processes go on that were stopped."""
    for each in reversed(processes):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(each, signal.SIGCONT)


def _descendants(pid: int) -> list[int]:
    found, waiting = list[int](), [pid]
    while waiting:
        for file in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                children = [int(each) for each in file.read_bytes().split()]
                found += children
                waiting += children
    return found
