"""How a trial ended: from the answer of its process, or from how the process died."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.text import printable

# The statuses that a process may report; the worker detects the others itself.
_REPORTABLE = ("failed", "memory")
_REASON_LENGTH = 600
_LARGEST_LENGTH = 2**62


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
    version : str
        The version of the detector that the process loaded; empty if unknown.
    layers : tuple of str
        The layers of the sandbox that held.
    batch_difference : float or None
        See `odbench.sweep.batch`; None where it was not measured.
    """

    status: str
    reason: str
    scores: FloatArray | None
    costs: Mapping[str, Any]
    version: str = ""
    layers: tuple[str, ...] = ()
    batch_difference: float | None = None

    def with_warm_up(self, seconds: float) -> Outcome:
        """Return the outcome with these seconds added to its warm-up."""
        known = self.costs.get("warmup_seconds", 0.0)
        return replace(self, costs={**self.costs, "warmup_seconds": known + seconds})


def from_answer(
    answer: Mapping[str, Any],
    n_test: int,
    *,
    scores: Callable[[], FloatArray] | None = None,
    costs: Mapping[str, Any] | None = None,
    version: object = "",
) -> Outcome:
    """Return the outcome that the answer of a process describes.

    Parameters
    ----------
    answer : mapping
        Status and reason if something went wrong, otherwise the shape of the scores.
    n_test : int
        Number of scores wanted.
    scores : callable, optional
        Returns the float64 scores that the process wrote, NaN where it wrote none.
    costs : mapping, optional
        The measured seconds and bytes.
    version : object
        The version of the detector that the process says it has loaded.

    Returns
    -------
    Outcome
    """
    known = _one_line(version) if isinstance(version, str) else ""
    if "status" in answer or scores is None:
        status, reason = answer.get("status"), answer.get("reason")
        if status not in _REPORTABLE or not isinstance(reason, str):
            return broken("an invalid status")
        return Outcome(status, _one_line(reason), None, {}, known)
    costs = costs or {}
    if answer.get("shape") != [n_test]:
        reason = f"scores of shape {_brief(answer.get('shape'))}, wanted [{n_test}]"
        return Outcome("shape", _one_line(reason), None, costs, known)
    values = scores()
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        reason = f"{bad} of {n_test} scores are not finite"
        return Outcome("nonfinite", reason, None, costs, known)
    return Outcome("ok", "", values, costs, known)


def environment(reason: str) -> Outcome:
    """Return the outcome of a trial that the machine did not let happen."""
    return Outcome("environment", _one_line(reason), None, {})


def from_exit(process: subprocess.Popen[bytes]) -> Outcome:
    """Return the outcome of a process that closed its connection."""
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return broken("it closed its connection to the worker")
    if code < 0:
        hint = "; out of memory?" if code == -signal.SIGKILL else ""
        return Outcome("killed", f"killed by {_signal_name(-code)}{hint}", None, {})
    return Outcome("killed", f"its process exited with code {code}", None, {})


def is_enforced(layers: tuple[str, ...]) -> bool:
    """Check whether the kernel, and not only Python, keeps a process from labels."""
    return any(layer.startswith("landlock") for layer in layers)


def broken(problem: str) -> Outcome:
    """Return the outcome of a process that broke the protocol with its worker."""
    return Outcome("killed", f"its process broke the protocol: {problem}", None, {})


def _signal_name(number: int) -> str:
    """Return the name of a signal; Python names only two of the real-time signals."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _one_line(text: str) -> str:
    """Return untrusted text as one line that is safe in a terminal and in a file."""
    return printable(" ".join(text.split()))[:_REASON_LENGTH]


def _brief(shape: object) -> str:
    """Return a shape that a process told; a huge number must not be written out."""
    if isinstance(shape, list) and all(
        isinstance(n, int) and abs(n) < _LARGEST_LENGTH for n in shape
    ):
        return str(shape)
    return "that is not a list of lengths"
