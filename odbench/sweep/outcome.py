"""How a trial ended: from the answer of its process, or from how the process died."""

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
# The statuses that a process may report; the worker detects the others itself.
_REPORTABLE = ("failed", "memory")
_REASON_LENGTH = 600
# More than the seconds of any trial and the bytes of any machine.
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
        Higher = more anomalous, in the order in which the rows were shown; None
        unless the status is "ok".
    costs : mapping
        Seconds and bytes, named like the columns of the results.
    """

    status: str
    reason: str
    scores: FloatArray | None
    costs: Mapping[str, Any]


def from_answer(
    answer: Mapping[str, Any], scores: Callable[[], FloatArray], *, n_test: int
) -> Outcome:
    """Return the outcome that the answer of a process describes.

    Parameters
    ----------
    answer : mapping
        Status and reason if something went wrong, otherwise shape and costs.
    scores : callable
        Returns the float64 scores that the process wrote, NaN where it wrote none.
    n_test : int
        Number of scores wanted.

    Returns
    -------
    Outcome
    """
    if "status" in answer:
        status, reason = answer["status"], answer.get("reason")
        if status not in _REPORTABLE or not isinstance(reason, str):
            return broken("an invalid status")
        return Outcome(status, _one_line(reason), None, {})
    costs = {name: answer[name] for name in _COSTS if _is_cost(answer.get(name))}
    if "peak_memory_bytes" in costs:
        costs["peak_memory_bytes"] = int(costs["peak_memory_bytes"])
    if answer.get("shape") != [n_test]:
        reason = f"scores of shape {answer.get('shape')}, wanted [{n_test}]"
        return Outcome("shape", _one_line(reason), None, costs)
    values = scores()
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        reason = f"{bad} of {n_test} scores are not finite"
        return Outcome("nonfinite", reason, None, costs)
    return Outcome("ok", "", values, costs)


def from_exit(process: subprocess.Popen[bytes]) -> Outcome:
    """Return the outcome of a process that closed its connection."""
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return broken("it closed its connection to the worker")
    if code < 0:
        name = signal.Signals(-code).name
        hint = "; out of memory?" if code == -signal.SIGKILL else ""
        return Outcome("killed", f"killed by {name}{hint}", None, {})
    return Outcome("killed", f"its process exited with code {code}", None, {})


def broken(problem: str) -> Outcome:
    """Return the outcome of a process that broke the protocol with its worker."""
    return Outcome("killed", f"its process broke the protocol: {problem}", None, {})


def _one_line(text: str) -> str:
    """Return untrusted text as one line that is safe in a terminal and in a file."""
    return printable(" ".join(text.split()))[:_REASON_LENGTH]


def _is_cost(value: object) -> bool:
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and math.isfinite(value)
        and 0 <= value <= _LARGEST_COST
    )
