"""Count the failed trials of a run without reading all its results at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from odbench.results import RESULTS
from odbench.results.present import VERSIONED, Earlier
from odbench.sweep.finished import earlier_versions
from odbench.sweep.fold import read_batches
from odbench.text import printable

_DATASET = ("suite", "partition", "dataset")
_COLUMNS = (*VERSIONED, "generation", "status", "reason")


@dataclass
class Failures:
    """The failed trials of a run.

    Attributes
    ----------
    trials : int
        Number of all results of the run.
    causes : dict of (detector, config) to Counter
        Failed trials of present versions, by status and reason.
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


def read_failures(
    folder: Path,
    *,
    datasets: Collection[tuple[str, str, str]] | None = None,
    protocol: str | None = None,
) -> Failures:
    """Read the failed trials from the results in a run's folder.

    Those of earlier versions of a detector or a data set are left out.

    Parameters
    ----------
    folder : Path
        The run's folder.
    datasets : collection of (suite, partition, name), optional
        Only failures on these; by default all.
    protocol : str, optional
        Only failures in this setting; by default all.
    """
    found = Failures()
    earlier: Earlier | None = None
    for batch in read_batches(folder / RESULTS, list(_COLUMNS)):
        found.trials += batch.num_rows
        if set(batch["status"].to_pylist()) <= {"ok"}:
            # Most runs have no failures, and then pandas is not imported.
            continue
        rows = batch.to_pandas(use_threads=False)
        failed = rows[rows["status"] != "ok"]
        # Most runs have no failures, and then no version needs to be known.
        earlier = earlier_versions(folder) if earlier is None else earlier
        failed = failed[~earlier.holds(failed)].fillna({"reason": ""})
        if protocol is not None:
            failed = failed[failed["protocol"] == protocol]
        if datasets is not None:
            names = zip(*(failed[n] for n in _DATASET), strict=True)
            is_asked = (name in datasets for name in names)
            failed = failed[np.fromiter(is_asked, np.bool_, len(failed))]
        columns = (failed[n] for n in ("detector", "config", "status", "reason"))
        for detector, config, status, reason in zip(*columns, strict=True):
            causes = found.causes.setdefault((detector, config), Counter())
            causes[status, reason] += 1
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
