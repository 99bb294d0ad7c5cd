"""Generate data sets in processes, because threads would block each other."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from odbench import provenance
from odbench.data.dataset import DatasetRecord
from odbench.suites import load_suites

_T = TypeVar("_T")
# Generating this many values takes as long as starting the processes.
_WORTHWHILE = 4_000_000


def is_made(record: DatasetRecord) -> bool:
    """Tell whether a data set is generated from its name alone."""
    suite = load_suites().get(record.suite)
    made = suite is not None and suite.transport == "generated"
    return made and record.partition == "public"


class Makers:
    """A pool of processes that generate data sets; they start on first use.

    Parameters
    ----------
    records : sequence of DatasetRecord
        The missing data sets. If they are few, or there is a single core, no process
        is started, and `do` works in the calling thread.
    jobs : int
        Maximum number of processes; never more than cores.
    """

    def __init__(self, records: Sequence[DatasetRecord], jobs: int) -> None:
        self._pool: Any = None
        sizes = [(r.n_train + r.n_test) * r.n_columns for r in records if is_made(r)]
        count = min(jobs, provenance.cores(), len(sizes))
        # A daemon may have no children.
        alone = multiprocessing.current_process().daemon
        if count > 1 and sum(sizes) > _WORTHWHILE and not alone:
            from joblib.externals.loky import ProcessPoolExecutor

            self._pool = ProcessPoolExecutor(count, initializer=_ignore_interrupts)

    def do(self, work: Callable[..., _T], *arguments: Any) -> _T:
        """Call a function in a process, or in the calling thread; thread-safe.

        An error in the process is raised here. If the process dies, the function is
        called in this thread.
        """
        if self._pool is None:
            return work(*arguments)
        try:
            done: _T = self._pool.submit(work, *arguments).result()
        except BrokenProcessPool:
            return work(*arguments)
        return done

    def close(self) -> None:
        """End the processes once their current work is done."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)


def _ignore_interrupts() -> None:
    # Ctrl-C reaches the whole foreground group. The parent handles it, so that a data
    # set in progress is completed.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
