"""Count the failed trials of a run without reading all its results at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from odbench.results import RESULTS
from odbench.sweep.fold import read_batches
from odbench.text import printable

_COLUMNS = ("detector", "config", "status", "reason")


@dataclass
class Failures:
    """The failed trials of a run.

    Attributes
    ----------
    trials : int
        Number of all trials of the run.
    causes : dict of (detector, config) to Counter
        Failed trials by status and reason.
    """

    trials: int = 0
    causes: dict[tuple[str, str], Counter[tuple[str, str]]] = field(
        default_factory=dict
    )

    def lines(self) -> list[str]:
        """Return one line per configuration, with the most common reason."""
        return [
            printable(
                f"{detector if config == 'default' else f'{detector}:{config}'}: "
                f"{_summary(causes)}"
            )
            for (detector, config), causes in sorted(self.causes.items())
        ]


def read_failures(folder: Path) -> Failures:
    """Read the failed trials from the results in a run's folder."""
    found = Failures()
    for batch in read_batches(folder / RESULTS, list(_COLUMNS)):
        found.trials += len(batch)
        columns = (batch[name].to_pylist() for name in _COLUMNS)
        for detector, config, status, reason in zip(*columns, strict=True):
            if status != "ok":
                causes = found.causes.setdefault((detector, config), Counter())
                causes[status, reason or ""] += 1
    return found


def _summary(causes: Counter[tuple[str, str]]) -> str:
    by_status: Counter[str] = Counter()
    for (status, _), count in causes.items():
        by_status[status] += count
    common = by_status.most_common(1)[0][0]
    reasons = {reason: n for (status, reason), n in causes.items() if status == common}
    # Of equally common reasons, take the first in alphabetical order.
    reason = min(reasons, key=lambda text: (-reasons[text], text))
    counts = ", ".join(f"{n} {status}" for status, n in by_status.most_common())
    return f"{counts}, mostly: {reason}" if reason else counts
