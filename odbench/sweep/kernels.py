"""Compile the kernels of a run's detectors before its trials, once per machine.

Two workers would otherwise compile the same functions side by side. Detectors that
share work share kernels, too, so they are compiled one after another in one process,
while another process compiles those of other detectors.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from odbench import provenance
from odbench.errors import StoreError
from odbench.plugins.find import Configuration
from odbench.scoring.settings import TRANSDUCTIVE
from odbench.sweep.context import RunContext
from odbench.sweep.places import HOME, STRANGER, kernels_of
from odbench.sweep.processes import kill_marked
from odbench.sweep.sandboxes import Sandboxes
from odbench.sweep.trials import Batch, Variants
from odbench.sweep.warm_up import Sight, is_wide

# Folder of empty files, one for each detector whose kernels are compiled.
_STAMPS = "compiled"
_LINE_SECONDS = 15.0


@dataclass(frozen=True)
class Task:
    """The kernels of one detector.

    Attributes
    ----------
    group : str
        The group of its process; see `odbench.sweep.places`.
    configurations : tuple of Configuration
        Those that have pending trials.
    sight : Sight
        The tables that they will see.
    """

    group: str
    configurations: tuple[Configuration, ...]
    sight: Sight

    @property
    def shares(self) -> set[str]:
        """Kinds of work that it shares with other detectors."""
        return set(self.configurations[0].info.shares)

    @property
    def stamp(self) -> Path:
        """The file that says that the kernels are compiled, on this machine."""
        facts = [
            _machine(),
            sorted((one.id, one.version) for one in self.configurations),
            [_newest_source(one.info.build.__module__) for one in self.configurations],
            self.sight,
        ]
        digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
        return kernels_of(self.group) / _STAMPS / digest


def compile_kernels(
    batches: Iterable[Batch],
    context: RunContext,
    *,
    jobs: int,
    show: bool,
    stopped: Callable[[], bool],
) -> None:
    """Compile what the pending trials need and this machine does not have yet.

    A detector that fails here is left to its trials.

    Parameters
    ----------
    batches : iterable of Batch
        The pending trials.
    context : RunContext
        The settings of the run.
    jobs : int
        Number of processes at once.
    show : bool
        Whether to write the progress to stderr.
    stopped : callable
        Returns True once no further detector should start.
    """
    tasks = [task for task in tasks_of(batches) if not task.stamp.exists()]
    if not tasks:
        return
    # Those that share least come first, as others build on their kernels; those that
    # share nothing come last, because they can run beside any other.
    tasks.sort(key=lambda task: len(task.shares) or sys.maxsize)
    queue, workers = _Queue(tasks, stopped), min(jobs, len(tasks))
    with _Line(queue, show=show), ThreadPoolExecutor(workers) as pool:
        works = [pool.submit(_work, queue, context) for _ in range(workers)]
        try:
            for work in works:
                work.result()
        except BaseException:
            queue.abandon()
            # The threads wait for these processes.
            kill_marked(context.token)
            raise


def tasks_of(batches: Iterable[Batch]) -> list[Task]:
    """Return the kernels that trials need, one task for each detector.

    Parameters
    ----------
    batches : iterable of Batch
        Trials of one run.
    """
    found: dict[str, Task] = {}
    for number, variants, n_columns in _widest(batches):
        one, protocol = variants.configurations[number], variants.protocol
        sight = Sight(
            is_wide(n_columns, compiles=True),
            protocol.is_one_table,
            one.info.scores_batch and protocol.name == TRANSDUCTIVE,
        )
        known = found.get(one.info.name)
        if known is not None:
            found[one.info.name] = replace(
                known,
                configurations=(*known.configurations, one),
                sight=sight if sight.is_wide else known.sight,
            )
            continue
        group = HOME if variants.is_home(number) else STRANGER + one.info.name
        found[one.info.name] = Task(group, (one,), sight)
    return list(found.values())


def _widest(batches: Iterable[Batch]) -> list[tuple[int, Variants, int]]:
    """Return each configuration that compiles, with the most columns of its tables."""
    most: dict[int, int] = {}
    variants = None
    for batch in batches:
        if variants is None:
            variants = batch.variants
            number_at = np.array([number for number, _ in variants.pairs])
        for number in np.unique(number_at[batch.indices]).tolist():
            most[number] = max(most.get(number, 0), batch.record.n_columns)
    if variants is None:
        return []
    return [
        (number, variants, columns)
        for number, columns in sorted(most.items())
        if variants.configurations[number].info.compiles
    ]


class _Queue:
    """Tasks for several threads; no two at once share a kind of work."""

    def __init__(self, tasks: list[Task], stopped: Callable[[], bool]) -> None:
        self.total, self.done = len(tasks), 0
        self._waiting, self._stopped = tasks, stopped
        self._busy: set[str] = set()
        self._changed = threading.Condition()

    def take(self) -> Task | None:
        """Return the next task; wait for one if need be. None after the last."""
        with self._changed:
            while self._waiting and not self._stopped():
                for at, task in enumerate(self._waiting):
                    if not task.shares & self._busy:
                        self._busy |= task.shares
                        return self._waiting.pop(at)
                self._changed.wait(0.5)
            return None

    def finish(self, task: Task) -> None:
        """Let other tasks use what this one shared."""
        with self._changed:
            self._busy -= task.shares
            self.done += 1
            self._changed.notify_all()

    def abandon(self) -> None:
        """Hand out no further task."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()


def _work(queue: _Queue, context: RunContext) -> None:
    sandboxes = Sandboxes(context)
    try:
        while (task := queue.take()) is not None:
            try:
                if _compiled(task, sandboxes):
                    _put_stamp(task.stamp)
            finally:
                queue.finish(task)
    finally:
        sandboxes.close()


def _compiled(task: Task, sandboxes: Sandboxes) -> bool:
    """Compile; return whether the process answered to the end."""
    specs = [one.spec for one in task.configurations]
    # Tables with few columns need some kernels that others do not.
    sights = dict.fromkeys((task.sight._replace(is_wide=False), task.sight))
    try:
        return all(
            sandboxes.warm_up(task.group, spec, sight)
            for spec in specs
            for sight in sights
        )
    except StoreError:
        # No process can start; the first trial says so.
        return False


def _put_stamp(stamp: Path) -> None:
    # Without it, the next run compiles again, which takes seconds and harms nothing.
    with contextlib.suppress(OSError):
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()


class _Line:
    """A line of progress: rewritten in a terminal, repeated now and then elsewhere."""

    def __init__(self, queue: _Queue, *, show: bool) -> None:
        self._queue, self._show = queue, show
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> _Line:
        if self._show:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._show = self._show and kind is None
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        rewrites = sys.stderr.isatty()
        start, end = ("\r", "") if rewrites else ("", "\n")
        told, told_at = "", 0.0
        while True:
            has_ended = self._end.wait(0.25 if told else 0.0)
            text = (
                f"odbench: compiling kernels, once per machine: "
                f"{self._queue.done} of {self._queue.total}"
            )
            is_due = rewrites or has_ended or time.monotonic() > told_at + _LINE_SECONDS
            if text != told and is_due and self._show:
                told, told_at = text, time.monotonic()
                sys.stderr.write(f"{start}{text}{end}")
                sys.stderr.flush()
            if has_ended:
                sys.stderr.write("\n" if rewrites else "")
                return


@cache
def _machine() -> list[object]:
    return [provenance.versions(), provenance.machine()["processor"]]


@cache
def _newest_source(module: str) -> int:
    """Return when the newest file of a module's package was changed, 0 if unknown.

    numba compiles again after each change.
    """
    top: ModuleType | None = sys.modules.get(module.partition(".")[0])
    folders = [Path(folder) for folder in getattr(top, "__path__", ())]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    if top is not None and top.__dict__.get("__file__"):
        files.append(Path(str(top.__file__)))
    with contextlib.suppress(OSError):
        return max((file.stat().st_mtime_ns for file in files), default=0)
    return 0
