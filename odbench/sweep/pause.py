"""Stop the processes of a detector between its trials, and let them go on."""

from __future__ import annotations

import contextlib
import os
import signal

from odbench.sweep.processes import process_tree


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
    while found := set(process_tree(pid)) - {pid} - stopped.keys():
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
