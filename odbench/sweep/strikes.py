"""Give up trials whose worker dies again and again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from odbench.sweep.finished import journaled
from odbench.sweep.journal import Journal, last_generation
from odbench.sweep.keys import Keys
from odbench.sweep.progress import Progress
from odbench.sweep.rows import blank_row
from odbench.sweep.trials import Batch, Trial

# A trial is given up when its worker has died this often. The last time it runs alone:
# when one worker dies, the trials of all others are lost, too.
_STRIKES = 3


class Strikes:
    """Counts how often the worker of each trial died while it ran.

    Parameters
    ----------
    folder : Path
        The run's folder.
    progress : Progress
        Knows the trials that run.
    journal : Journal
        Gets a result for each trial that is given up.
    """

    def __init__(self, folder: Path, progress: Progress, journal: Journal) -> None:
        self._folder = folder
        self._progress = progress
        self._journal = journal
        self._counts: Counter[str] = Counter()

    def remaining(self, batches: list[Batch]) -> list[list[Batch]]:
        """Return the trials without a result of this run in rounds, after workers died.

        Each trial that was running gets a strike. One with two is a round of its own,
        and one with three is given up.
        """
        self._counts.update(self._progress.in_flight().keys())
        self._progress.forget()
        struck = {key for key, count in self._counts.items() if count >= _STRIKES}
        for batch in batches if struck else ():
            for trial in batch.trials():
                if trial.key in struck:
                    self._journal.append(_given_up(batch, trial))
                    del self._counts[trial.key]
        # A result of an earlier run did not keep its trial out of the plan: its scores
        # were not kept, or the machine was at fault.
        generation = last_generation(self._folder)
        done = journaled(self._folder, generation=generation)
        suspects = Keys()
        suspects.add(key for key, n in self._counts.items() if n == _STRIKES - 1)
        rounds, rest = list[list[Batch]](), list[Batch]()
        for batch in batches:
            left = batch.without(done)
            if len(suspects):
                rounds += [[one] for one in left.singles(suspects)]
                left = left.without(suspects)
            rest.append(left)
        return [*rounds, [batch for batch in rest if len(batch)]]


def _given_up(batch: Batch, trial: Trial) -> dict[str, Any]:
    row = blank_row(batch.record, batch.variants.protocol, trial)
    row["status"] = "killed"
    row["reason"] = f"its worker died {_STRIKES} times while it ran"
    return row
