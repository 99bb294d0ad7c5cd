"""The costs of a trial: what the worker measured, and what its process adds to that.

The worker's clock decides. The detector's process says how much of a phase was shared
work, which is replaced by the cost of the detector's own need. Only the process of
odbench's own detectors can lower a cost by that: another one could lie.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# More than the seconds of any trial and the bytes of any machine.
_LARGEST = 2.0**60
# Time for delivering a message. A process's own figure is more exact than the worker's,
# and is used if both agree up to this.
_MESSAGE_SECONDS = 0.002
_NAMES = ("seconds", "compiled", "spent", "charged", "reused")


@dataclass(frozen=True, slots=True)
class Costs:
    """The seconds of a phase.

    Attributes
    ----------
    seconds : float
        Seconds that the phase would take the detector alone.
    shared : float
        The part of `seconds` for work that another trial had done.
    compiled : float
        Seconds in which numba compiled or loaded code meanwhile.
    """

    seconds: float
    shared: float
    compiled: float


def seconds_of(wall: float, answer: Mapping[str, Any], *, is_trusted: bool) -> Costs:
    """Return the seconds of a phase.

    Parameters
    ----------
    wall : float
        Seconds from request to answer, by the worker's clock.
    answer : mapping
        The process's answer: ``seconds``, ``compiled``, and of shared work ``spent``,
        ``charged`` and ``reused``. Missing or impossible numbers count as 0.
    is_trusted : bool
        Whether the process runs odbench's own detectors only.
    """
    told = {name: number(answer.get(name)) for name in _NAMES}
    seconds = wall
    if 0 <= wall - told["seconds"] <= _MESSAGE_SECONDS:
        seconds = told["seconds"]
    if is_trusted:
        seconds += told["charged"] - told["spent"]
    else:
        seconds += told["reused"]
    return Costs(max(0.0, seconds), told["reused"], told["compiled"])


def memory_of(peak: int, answer: Mapping[str, Any], *, is_trusted: bool) -> int:
    """Return the peak memory of a trial as if it had shared no work, in bytes.

    Parameters
    ----------
    peak : int
        Growth of the process in the trial, measured by the worker.
    answer : mapping
        The process's answer: ``grown`` and ``charged_bytes`` of shared work.
    is_trusted : bool
        Whether the process runs odbench's own detectors only.
    """
    grown, charged = number(answer.get("grown")), number(answer.get("charged_bytes"))
    own = max(0.0, peak - grown) if is_trusted else float(peak)
    return int(min(own + charged, _LARGEST))


def number(value: object) -> float:
    """Return a cost that a process told, or 0 if no process has such a cost."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0.0
    # Compared as it is: a number of hundreds of digits is not a float.
    if not 0 <= value <= _LARGEST or not math.isfinite(value):
        return 0.0
    return float(value)
