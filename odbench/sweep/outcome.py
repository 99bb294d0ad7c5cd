"""How a trial ended: by what its process said, or by how it died."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from odbench.arrays import FloatArray

_COSTS = (
    "fit_seconds",
    "score_seconds",
    "shared_seconds",
    "warmup_seconds",
    "peak_memory_bytes",
)


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


def judge(answer: Mapping[str, Any], scores: Path, *, n_test: int) -> Outcome:
    """Make an outcome of what a process answered.

    Parameters
    ----------
    answer : mapping
        Its status and reason where something went wrong, else shape and costs.
    scores : Path
        Where its scores lie as raw numbers; read and removed.
    n_test : int
        How many there should be.

    Returns
    -------
    Outcome
    """
    if "status" in answer:
        return Outcome(str(answer["status"]), str(answer["reason"]), None, {})
    costs = {
        name: answer[name]
        for name in _COSTS
        if isinstance(answer.get(name), (int, float))
    }
    if answer.get("shape") != [n_test]:
        reason = f"scores of shape {answer.get('shape')}, wanted [{n_test}]"
        return Outcome("shape", reason, None, costs)
    try:
        values = np.fromfile(scores, dtype="<f8", count=n_test + 1)
        scores.unlink()
    except OSError as error:
        return Outcome("failed", f"its scores cannot be read: {error}", None, costs)
    if len(values) != n_test:
        return Outcome("shape", f"{len(values)} scores, wanted {n_test}", None, costs)
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        reason = f"{bad} of {n_test} scores are not finite"
        return Outcome("nonfinite", reason, None, costs)
    return Outcome("ok", "", values, costs)


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
