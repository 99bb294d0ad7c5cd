"""How a trial ended: by what its process said, or by how it died."""

from __future__ import annotations

import math
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.text import printable

_COSTS = (
    "fit_seconds",
    "score_seconds",
    "shared_seconds",
    "warmup_seconds",
    "peak_memory_bytes",
)
# What a process may say of its own trial; all else is seen from outside.
_SAID = ("failed", "memory")
_REASON_LENGTH = 600
# Beyond any trial's seconds and any machine's bytes.
_LARGEST_COST = 2.0**60


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a trial ended.

    Attributes
    ----------
    status : str
        One of `odbench.results.STATUSES`.
    reason : str
        Empty when the status is "ok".
    scores : float64 array of shape (n_test,) or None
        In the order in which the rows were shown; None unless "ok".
    costs : mapping
        Seconds and bytes as columns of the results.
    """

    status: str
    reason: str
    scores: FloatArray | None
    costs: Mapping[str, Any]


def judge(
    answer: Mapping[str, Any], scores: Callable[[], FloatArray], *, n_test: int
) -> Outcome:
    """Make an outcome of what a process answered.

    Parameters
    ----------
    answer : mapping
        Its status and reason where something went wrong, else shape and costs.
    scores : callable
        Returns the float64 scores that it left, NaN where it left none.
    n_test : int
        How many there should be.

    Returns
    -------
    Outcome
    """
    if "status" in answer:
        status, reason = answer["status"], answer.get("reason")
        if status not in _SAID or not isinstance(reason, str):
            return broken("a status that is none")
        return Outcome(status, _line(reason), None, {})
    costs = {name: answer[name] for name in _COSTS if _is_cost(answer.get(name))}
    if "peak_memory_bytes" in costs:
        costs["peak_memory_bytes"] = int(costs["peak_memory_bytes"])
    if answer.get("shape") != [n_test]:
        reason = f"scores of shape {answer.get('shape')}, wanted [{n_test}]"
        return Outcome("shape", _line(reason), None, costs)
    values = scores()
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        reason = f"{bad} of {n_test} scores are not finite"
        return Outcome("nonfinite", reason, None, costs)
    return Outcome("ok", "", values, costs)


def _line(text: str) -> str:
    """Return a stranger's text as one line that any terminal and file takes."""
    return printable(" ".join(text.split()))[:_REASON_LENGTH]


def _is_cost(value: object) -> bool:
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and math.isfinite(value)
        and 0 <= value <= _LARGEST_COST
    )


def obituary(process: subprocess.Popen[bytes]) -> Outcome:
    """Say what ended a process that hung up."""
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return broken("its line to the driver closed")
    if code < 0:
        name = signal.Signals(-code).name
        hint = "; out of memory?" if code == -signal.SIGKILL else ""
        return Outcome("killed", f"killed by {name}{hint}", None, {})
    return Outcome("killed", f"its process exited with code {code}", None, {})


def broken(what: str) -> Outcome:
    """Say that a process did not keep to the rules of the line."""
    return Outcome("killed", f"its process broke the protocol: {what}", None, {})
