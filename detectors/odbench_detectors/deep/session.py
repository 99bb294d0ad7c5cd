"""Bound a network's surroundings: its device, its seed and its threads."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from collections.abc import Iterator

import numpy as np
import torch

from odbench.errors import DetectorError

DEVICES = ("auto", "cpu", "cuda")
# Names in glibc's malloc.h, and bytes: blocks below the first limit come from the heap,
# and up to the second stay there when they are free.
_MMAP_THRESHOLD, _HEAP_BLOCK = -3, 32 << 20
_TRIM_THRESHOLD, _HEAP_FREE = -1, 128 << 20


def find_device(name: str) -> torch.device:
    """Return the device of a name.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda"}
        "auto" is CUDA where there is one, else the CPU.

    Raises
    ------
    DetectorError
        If the name is not one of these, or CUDA is asked for and missing.
    """
    if name not in DEVICES:
        msg = f"device: got {name!r}; wanted one of {', '.join(DEVICES)}"
        raise DetectorError(msg)
    if name == "cuda" and not torch.cuda.is_available():
        msg = "device: got 'cuda', but torch finds no CUDA device; use device='cpu'"
        raise DetectorError(msg)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def draw_seed(random_state: int | None) -> int:
    """Return a seed for `session`: `random_state` itself, or a fresh one for None."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**63))
    return int(random_state)


@contextlib.contextmanager
def session(seed: int, device: torch.device) -> Iterator[None]:
    """Run torch from one seed on one thread, and restore the caller's settings.

    Inside, torch's global generators start from `seed`, so that initialisation,
    permutations and noise need no generator of their own; outside, the caller's are
    untouched. One thread, because the networks are small, trials of a sweep run side by
    side, and a matrix product on several threads can differ in the last bits: the same
    seed gives the same bits with any number of threads.

    One setting stays: the process keeps up to 128 MiB of freed memory, because a step
    of training frees and takes the same megabytes again, and to get them from the
    system each time costs about as much as the arithmetic on them.

    Parameters
    ----------
    seed : int
        From 0 to 2^64 - 1.
    device : torch.device
        The device whose generator is seeded besides the CPU's.
    """
    _keep_freed_memory()
    threads = torch.get_num_threads()
    devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


@functools.cache
def _keep_freed_memory() -> None:
    """Let malloc keep freed memory, where it is glibc's; once per process."""
    mallopt = (
        getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    )
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _HEAP_BLOCK)
        mallopt(_TRIM_THRESHOLD, _HEAP_FREE)
