"""Check how many workers and how much memory this machine has for trials."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from odbench import provenance

# Python and the libraries alone take up to about half of this, torch all of it.
LEAST_MEMORY = 1 << 29
# Share of the machine's memory that trials may use.
_SHARE = 0.9
_VMSTAT = Path("/proc/vmstat")


def workers() -> int:
    """Return the number of workers that the cores and the memory allow."""
    memory = provenance.memory_bytes() * _SHARE
    return max(1, min(provenance.cores(), int(memory // LEAST_MEMORY)))


def memory_of_each(jobs: int) -> int:
    """Return the bytes that one trial may use if `jobs` run at once."""
    return int(provenance.memory_bytes() * _SHARE / jobs)


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
    for folder in dict.fromkeys(provenance.groups_of("memory")):
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                yield _fields(folder / name)["oom_kill"]


def _fields(path: Path) -> Mapping[str, Any]:
    """Return the numbers of a file of the kernel, one to a line after its name."""
    lines = path.read_text(encoding="ascii").splitlines()
    return {name: int(number) for name, number in map(str.split, lines)}
