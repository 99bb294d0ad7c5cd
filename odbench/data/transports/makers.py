"""Make generated data sets in processes, since threads would wait for each other."""

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
# Values of a generated suite that take as long as it takes to start processes.
_WORTHWHILE = 4_000_000


def is_made(record: DatasetRecord) -> bool:
    """Whether a data set follows from its name alone."""
    suite = load_suites().get(record.suite)
    made = suite is not None and suite.transport == "generated"
    return made and record.partition == "public"


class Makers:
    """Processes for the work that a pull computes; they start when first used.

    Parameters
    ----------
    records : sequence of DatasetRecord
        What is missing. Too little to be worth a process is done where it is asked
        for, and so is everything on a single core.
    jobs : int
        Processes at most; never more than cores.
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
        """Call a function in a process, or here; called from any thread.

        What it raises is raised here. Work whose process died is done here.
        """
        if self._pool is None:
            return work(*arguments)
        try:
            done: _T = self._pool.submit(work, *arguments).result()
        except BrokenProcessPool:
            return work(*arguments)
        return done

    def close(self) -> None:
        """Let what is under way end, and the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)


def _ignore_interrupts() -> None:
    # Ctrl-C reaches the whole foreground group; the parent lets a set become whole.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
