"""Limit the memory and the files of this process, where the system can."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

# The highest score: where memory runs out, the kernel ends this process first.
_FIRST_TO_END = "1000"
# The cure for the limits of `most_memory`.
MORE_MEMORY = "raise `ulimit -v` and `ulimit -d`"


def limit_process(*, address_space: int, file_size: int) -> None:
    """Set limits of this process and its descendants.

    Parameters
    ----------
    address_space : int
        Bytes of address space, 0 for no limit.
    file_size : int
        Bytes of one file, or of memory behind a descriptor; 0 for no limit.
    """
    try:
        import resource
    except ImportError:
        # Windows; the worker still measures the memory.
        return
    # Crashes are expected here, so no core file is written.
    limits = [(resource.RLIMIT_CORE, 0, 0)]
    for kind, wanted in (
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_FSIZE, file_size),
    ):
        if wanted:
            limits.append((kind, wanted, resource.getrlimit(kind)[1]))
    for kind, soft, hard in limits:
        with contextlib.suppress(OSError, ValueError):
            if hard != resource.RLIM_INFINITY:
                soft = min(soft, hard)  # noqa: PLW2901
            resource.setrlimit(kind, (soft, hard))


def most_processor_seconds() -> float:
    """Return the processor time after which the system ends a process of this user."""
    return _soft("RLIMIT_CPU")


def largest_file() -> float:
    """Return the bytes that one file, or memory behind a descriptor, may have."""
    return _soft("RLIMIT_FSIZE")


def most_memory() -> float:
    """Return the bytes of address space or of data that a process may have."""
    return min(_soft("RLIMIT_AS"), _soft("RLIMIT_DATA"))


def _soft(name: str) -> float:
    try:
        import resource
    except ImportError:
        return math.inf
    soft, _ = resource.getrlimit(getattr(resource, name))
    return math.inf if soft == resource.RLIM_INFINITY else float(soft)


def end_first() -> None:
    """Have the kernel end this process before others when the memory runs out.

    So a detector costs its own trial, and not the worker or the driver.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_END, encoding="ascii")
