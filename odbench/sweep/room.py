"""Check how many processes and how much memory this machine still has for trials."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from odbench import provenance

# Python and the libraries alone take up to about half of this, torch all of it.
LEAST_MEMORY = 1 << 29
# Share of the machine's memory that trials may use.
_SHARE = 0.9
# Bytes of a thread's stack in a check, so that address space is no obstacle.
_STACK = 1 << 18
_NO_THREAD = "can't start new thread"
_VMSTAT = Path("/proc/vmstat")


def workers() -> int:
    """Return the number of workers that the cores and the memory allow."""
    memory = provenance.memory_bytes() * _SHARE
    return max(1, min(provenance.cores(), int(memory // LEAST_MEMORY)))


def memory_of_each(jobs: int) -> int:
    """Return the bytes that one trial may use if `jobs` run at once."""
    return int(provenance.memory_bytes() * _SHARE / jobs)


def startable(most: int) -> int:
    """Return how many more threads or processes can be started, up to a number.

    Limits of a user, of a container and of the system count both alike.

    Parameters
    ----------
    most : int
        The number that is enough.
    """
    end, started = threading.Event(), list[threading.Thread]()
    before = None
    with contextlib.suppress(ValueError, RuntimeError):
        before = threading.stack_size(_STACK)
    try:
        for _ in range(most):
            thread = threading.Thread(target=end.wait, daemon=True)
            try:
                thread.start()
            except (RuntimeError, MemoryError):
                break
            started.append(thread)
    finally:
        end.set()
        for thread in started:
            thread.join()
        if before is not None:
            threading.stack_size(before)
    return len(started)


def is_lack_of_processes(error: object) -> bool:
    """Say whether an error, or its text, is that no thread could be started."""
    return _NO_THREAD in str(error)


def out_of_memory_kills() -> int:
    """Return how often the kernel ended a process here because memory ran out.

    Only differences mean something: limits of several levels may count the same.
    """
    found = list(_kills_of_groups())
    if not found:
        with contextlib.suppress(OSError, ValueError):
            found.append(_fields(_VMSTAT).get("oom_kill", 0))
    return sum(found)


def _kills_of_groups() -> Iterator[int]:
    for folder in provenance.memory_groups():
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                yield _fields(folder / name)["oom_kill"]


def _fields(path: Path) -> Mapping[str, Any]:
    """Return the numbers of a file of the kernel, one to a line after its name."""
    lines = path.read_text(encoding="ascii").splitlines()
    return {name: int(number) for name, number in map(str.split, lines)}
