"""Bound a network's surroundings: its device, its seed and its threads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from odbench.errors import DetectorError

DEVICES = ("auto", "cpu", "cuda")


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

    Parameters
    ----------
    seed : int
        From 0 to 2^64 - 1.
    device : torch.device
        The device whose generator is seeded besides the CPU's.
    """
    threads = torch.get_num_threads()
    devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
