"""One run: from what was asked to a folder with every result in it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench import provenance
from odbench.errors import RunBrokenError, RunLockedError, UsageError
from odbench.files import is_wrong_place, write_text
from odbench.sweep import journal
from odbench.sweep.backends import run_tasks
from odbench.sweep.estimate import Estimator
from odbench.sweep.finished import journaled
from odbench.sweep.fold import fold, is_folded
from odbench.sweep.prepare import Prepared, hidden_places
from odbench.sweep.processes import kill_marked
from odbench.sweep.progress import Progress
from odbench.sweep.request import Request
from odbench.sweep.sandbox import Limits
from odbench.sweep.trials import Batch, Task, Trial
from odbench.sweep.worker import STOP, Setting, blank_row

if TYPE_CHECKING:
    import pyarrow as pa

# A trial whose worker died this often while it ran is given up.
_STRIKES = 3


@dataclass
class Summary:
    """How a run ended.

    Attributes
    ----------
    folder : Path
        Where everything is.
    asked, done_before : int
        Trials asked for, and those that had a result already.
    counts : Counter
        Trials finished now, by status.
    faults : list of str
        Data sets that could not be used, one line each.
    interrupted : bool
        True where the user stopped it.
    """

    folder: Path
    asked: int = 0
    done_before: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    interrupted: bool = False


def execute(request: Request, prepared: Prepared) -> Summary:
    """Do what is left to do and fold the results.

    Parameters
    ----------
    request : Request
        What was asked.
    prepared : Prepared
        What it comes to.

    Returns
    -------
    Summary
        Also where the user interrupted: all finished trials are kept.

    Raises
    ------
    RunLockedError
        If another process writes to the same folder.
    UsageError
        If the folder cannot be written to begin with.
    RunBrokenError
        If results cannot be written, or workers keep dying.
    """
    plan = prepared.plan
    folder = request.folder
    summary = Summary(folder, plan.total, plan.done, faults=list(prepared.faults))
    try:
        (folder / journal.FOLDER).mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            _write_run(request, folder, prepared.configurations)
            if prepared.batches:
                _sweep(request, prepared, summary)
            if prepared.oracle:
                with journal.Journal(folder) as own:
                    for row in prepared.oracle:
                        own.append(row)
                summary.counts["ok"] += len(prepared.oracle)
            if not is_folded(folder):
                fold(folder, each=_teacher(prepared.estimator))
                prepared.estimator.save()
    except OSError as error:
        if is_wrong_place(error) and not summary.counts:
            msg = (
                f"run {str(folder)!r}: the folder cannot be written "
                f"({error.strerror or error}); give another one with --out"
            )
            raise UsageError(msg) from error
        msg = (
            f"run {str(folder)!r}: cannot write results ({error.strerror or error}); "
            f"finished trials are kept: make room and give the same command again"
        )
        raise RunBrokenError(msg) from error
    return summary


def _sweep(request: Request, prepared: Prepared, summary: Summary) -> None:
    folder = request.folder
    setting = _setting(request)
    token = folder / journal.FOLDER / "token"
    stop = folder / journal.FOLDER / STOP
    progress = Progress(
        folder,
        sum(map(len, prepared.batches)),
        show=request.show_progress,
        work=lambda row: prepared.estimator.seconds(
            row["detector"],
            row["config"],
            n_rows=row["n_train"] + row["n_test"],
            n_columns=row["n_columns"],
        ),
        total_work=prepared.seconds,
    )
    token.write_text(setting.token, encoding="ascii")
    stop.unlink(missing_ok=True)
    try:
        with (
            _interruptible(stop, summary),
            progress,
            journal.Journal(folder) as own,
        ):
            strikes = _Strikes(folder, progress, own)
            for report in run_tasks(
                prepared.batches,
                setting,
                backend=request.backend,
                jobs=request.jobs or provenance.cores(),
                scheduler=request.scheduler,
                remaining=strikes.remaining,
                stopped=lambda: summary.interrupted,
            ):
                for row in report.rows:
                    own.append(row)
                if report.fault:
                    summary.faults.append(report.fault)
                if report.fatal:
                    raise OSError(None, report.fault)
    except KeyboardInterrupt:
        summary.interrupted = True
    finally:
        kill_marked(setting.token)
        stop.unlink(missing_ok=True)
        token.unlink(missing_ok=True)
    summary.counts = progress.counts


class _Strikes:
    """Find out what is left after workers died, and who killed them."""

    def __init__(self, folder: Path, progress: Progress, own: journal.Journal) -> None:
        self._folder = folder
        self._progress = progress
        self._own = own
        self._counts: Counter[str] = Counter()

    def remaining(self, batches: list[Batch]) -> list[Batch]:
        """Return what has no result; give up trials that outlive no worker."""
        self._counts.update(self._progress.in_flight().keys())
        self._progress.forget()
        struck = {key for key, count in self._counts.items() if count >= _STRIKES}
        for batch in batches if struck else ():
            for trial in batch.trials():
                if trial.key in struck:
                    self._own.append(_given_up(batch.task(), trial))
                    del self._counts[trial.key]
        done = journaled(self._folder)
        left = (batch.without(done) for batch in batches)
        return [batch for batch in left if len(batch)]


def _given_up(task: Task, trial: Trial) -> dict[str, Any]:
    row = blank_row(task, trial)
    row["status"] = "killed"
    row["reason"] = f"its worker died {_STRIKES} times while it ran"
    return row


def _setting(request: Request) -> Setting:
    import psutil

    jobs = request.jobs or provenance.cores()
    if request.memory_limit is None:
        memory = int(psutil.virtual_memory().total * 0.9 / jobs)
    else:
        memory = int(request.memory_limit * 2**30)
    return Setting(
        out=request.folder.resolve(),
        token=secrets.token_hex(8),
        limits=Limits(seconds=request.timeout, memory_bytes=memory),
        mirror=request.mirror,
        hidden=hidden_places(request.mirror),
        # A user's own modules lie beside where the command is typed.
        sys_path=tuple(dict.fromkeys([str(Path.cwd()), *filter(None, sys.path)])),
        keep_scores=request.keeps_scores,
        orphan_exits=request.backend == "loky",
    )


def _teacher(estimator: Estimator) -> Callable[[pa.Table], None]:
    """Return what tells an estimator how long results took."""

    def teach(rows: pa.Table) -> None:
        names = ("n_train", "n_test", "n_columns", "fit_seconds", "score_seconds")
        columns = (rows[name].to_pylist() for name in ("detector", "config", *names))
        estimator.learn(
            (detector, config, (train + test) * width, (fit or 0.0) + (score or 0.0))
            for detector, config, train, test, width, fit, score in zip(
                *columns, strict=True
            )
        )

    return teach


def _write_run(
    request: Request, folder: Path, configurations: dict[str, dict[str, Any]]
) -> None:
    """Write down what was asked, with what, on what.

    Of earlier runs in the same folder the configurations are kept: their results are.
    """
    path = folder / "run.json"
    asked = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(request).items()
        if name not in {"detectors", "out"}
    }
    asked["detectors"] = (
        None if request.detectors is None else [str(d) for d in request.detectors]
    )
    entry = {
        "command": provenance.command(),
        "asked": asked,
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "threads_per_worker": 1,
        "git": provenance.git_state(Path.cwd()),
        "configurations": {**_earlier_configurations(path), **configurations},
    }
    write_text(path, json.dumps(entry, indent=2, default=str) + "\n")


def _earlier_configurations(path: Path) -> dict[str, Any]:
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))["configurations"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # None yet, or broken: the parameters are a description, not a result.
        return {}
    return earlier if isinstance(earlier, dict) else {}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder against a second run for as long as this one lives."""
    import fcntl

    path = folder / ".lock"
    with path.open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            msg = (
                f"--out {str(folder)!r}: process {holder} is writing to it; wait for "
                f"it, or name another folder"
            )
            raise RunLockedError(msg) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def _interruptible(stop: Path, summary: Summary) -> Iterator[None]:
    """Turn the first Ctrl-C into "finish what runs", the second into "now".

    A cluster's SIGTERM leaves seconds, so it means "now" at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_interrupt(number: int, frame: Any) -> None:  # noqa: ARG001
        if summary.interrupted or number == signal.SIGTERM:
            raise KeyboardInterrupt
        summary.interrupted = True
        stop.touch()
        sys.stderr.write(
            "\nodbench: finishing the trials that run; Ctrl-C again to stop now\n"
        )

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, on_interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
