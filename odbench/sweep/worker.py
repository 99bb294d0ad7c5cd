"""Run the trials of one batch in a worker, which alone sees the labels.

A worker process keeps its sandboxes for all batches and appends each result to its
own journal as soon as the trial ends. A worker that cannot reach the run's folder
(another host without a shared disk) returns its rows instead.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import OdbenchError
from odbench.files import whole_file
from odbench.results import scores_file
from odbench.scoring.settings import TRANSDUCTIVE
from odbench.sweep.context import RunContext
from odbench.sweep.handover import Handover
from odbench.sweep.journal import FOLDER, OWNER, START, STOP, Journal
from odbench.sweep.rows import blank_row, result_row, timestamp
from odbench.sweep.sandboxes import Sandboxes
from odbench.sweep.selection import SelectionTables, can_select
from odbench.sweep.shown import ShownRows
from odbench.sweep.trials import Trial

if TYPE_CHECKING:
    from odbench.data.dataset import DatasetRecord
    from odbench.data.store import StoredDataset
    from odbench.sweep.outcome import Outcome

_Append: TypeAlias = Callable[[dict[str, Any]], None]
# The sandboxes and the journal of each thread, and the run that they were made for.
_kept = threading.local()


@dataclass(frozen=True, slots=True)
class Report:
    """The end of a batch, as the driver gets it.

    Attributes
    ----------
    rows : list of dict
        Results that could not be written to the run's folder.
    fault : str
        Why the data set could not be used, or why results could not be written; empty
        if neither happened.
    fatal : OSError or None
        The error after which the run as a whole cannot go on.
    """

    rows: list[dict[str, Any]]
    fault: str = ""
    fatal: OSError | None = None


def run_batch(
    record: DatasetRecord, trials: Sequence[Trial], context: RunContext
) -> Report:
    """Run trials of one data set.

    Parameters
    ----------
    record : DatasetRecord
        The data set.
    trials : sequence of Trial
        In the order in which they run.
    context : RunContext
        The settings of the run.

    Returns
    -------
    Report
        Errors of a detector or a data set are reported, not raised.
    """
    _ignore_interrupts()
    rows: list[dict[str, Any]] = []
    try:
        with _results(context, rows) as append:
            _run_trials(record, trials, context, append)
    except OdbenchError as error:
        return Report(rows, f"{record.id}: {error}")
    except MemoryError:
        return Report(rows, f"{record.id}: not enough memory to prepare it")
    except OSError as error:
        reason = error.strerror or str(error)
        # A library's own kind of error might not survive the way to the driver.
        return Report(rows, reason, OSError(error.errno, reason, error.filename))
    return Report(rows)


def close_sandbox() -> None:
    """End this thread's sandboxes, if it has any."""
    sandboxes = getattr(_kept, "sandboxes", None)
    if sandboxes is not None:
        sandboxes.close()
        _kept.sandboxes = None


def _run_trials(
    record: DatasetRecord,
    trials: Sequence[Trial],
    context: RunContext,
    append: _Append,
) -> None:
    stored = _stored(record, context)
    sandboxes = _sandboxes(context)
    labels, severity = stored.truth()
    shown = ShownRows(record, context.protocol, labels, severity=severity)
    qualities = {}
    if context.selects and can_select(record.n_train):
        shown.select(0)
        table, _ = shown.tables(stored)
        qualities = _qualities(record, trials, context, table, append)
    tables: Handover | None = None
    try:
        for trial in trials:
            if _is_stopped(context):
                return
            if shown.select(trial.seed) or tables is None:
                if tables is not None:
                    tables.close()
                as_batch = context.protocol.name == TRANSDUCTIVE
                tables = Handover(*shown.tables(stored), as_batch=as_batch)
            started = datetime.now(UTC)
            append(_start_entry(record, trial, started))
            outcome = sandboxes.trial(trial, tables, trials)
            row = _result(record, trial, context, shown, outcome)
            row["selection"] = qualities.get(trial.key)
            append({**row, "started_at": timestamp(started)})
    finally:
        if tables is not None:
            tables.close()


def _is_stopped(context: RunContext) -> bool:
    return (context.out / FOLDER / STOP).exists()


def _qualities(
    record: DatasetRecord,
    trials: Sequence[Trial],
    context: RunContext,
    table: FloatArray,
    append: _Append,
) -> dict[str, float]:
    """Return a number to select each configuration by, for its trial of the first seed.

    A configuration that fails on these tables is never selected: its number is 0.
    """
    first = [trial for trial in trials if trial.seed == 0]
    if not first:
        return {}
    tables = SelectionTables(table, record.id)
    sandboxes, found = _sandboxes(context), dict[str, float]()
    handover = Handover(tables.train, tables.test)
    try:
        for trial in first:
            if _is_stopped(context):
                break
            append(_start_entry(record, trial, datetime.now(UTC)))
            scores = sandboxes.trial(trial, handover, first).scores
            found[trial.key] = 0.0 if scores is None else tables.quality(scores)
    finally:
        handover.close()
    return found


def _start_entry(
    record: DatasetRecord, trial: Trial, started: datetime
) -> dict[str, Any]:
    return {START: _title(record, trial), "of": trial.key, "at": started.timestamp()}


def _result(
    record: DatasetRecord,
    trial: Trial,
    context: RunContext,
    shown: ShownRows,
    outcome: Outcome,
) -> dict[str, Any]:
    """Return the row of a trial, and keep its scores if that was asked for."""
    scores = None
    if outcome.scores is not None:
        # From here on, scores are in the order of the data set.
        scores = shown.restore_order(outcome.scores)
    if outcome.version and outcome.version != trial.facts["detector_version"]:
        # The code was changed after the run had started.
        trial = trial.of_version(outcome.version, record, context.protocol)
    blank = blank_row(record, context.protocol, trial)
    row = result_row(blank, outcome, shown, scores)
    if context.keep_scores and scores is not None:
        _keep_scores(context.out, row, shown, scores)
        row.update(_intervals(shown, scores, row))
    return row


def _intervals(
    shown: ShownRows, scores: FloatArray, row: Mapping[str, Any]
) -> Mapping[str, float | None]:
    """Return the metrics' intervals, which take time: only where scores are kept."""
    from odbench.scoring.intervals import Distinct, trial_intervals

    if shown.labels is None:
        return {}
    rows, anomalies = row.get("n_distinct_test"), row.get("n_distinct_anomalies")
    distinct = None
    if rows and anomalies:
        # The record counts all rows, of which large sets show some.
        n_anomalies = int(np.count_nonzero(shown.labels))
        distinct = Distinct(
            anomalies=min(anomalies, n_anomalies),
            inliers=min(rows - anomalies, len(shown.labels) - n_anomalies),
        )
    return trial_intervals(shown.labels, scores, distinct=distinct)


def _keep_scores(
    out: Path, row: Mapping[str, Any], shown: ShownRows, scores: FloatArray
) -> None:
    file = scores_file(out, row)
    file.parent.mkdir(parents=True, exist_ok=True)
    # A float64 score may lie beyond float32; the largest finite value ranks the same.
    largest = float(np.finfo(np.float32).max)
    _save(file, np.clip(scores, -largest, largest).astype("<f4"))
    if shown.is_subset:
        of = f"{row['protocol']}-{row['content_sha256'][:12]}-{row['seed']}"
        _save(file.with_name(f"test-rows-{of}.npy"), shown.rows)


def _save(path: Path, array: np.ndarray[Any, Any]) -> None:
    with whole_file(path, durable=False) as sink:
        np.save(sink, array)


def _title(record: DatasetRecord, trial: Trial) -> str:
    config = trial.facts["config"]
    label = "" if config == "default" else f":{config}"
    return f"{trial.facts['detector']}{label} on {record.id}"


@contextlib.contextmanager
def _results(context: RunContext, rows: list[dict[str, Any]]) -> Iterator[_Append]:
    """Give a function that appends entries to a journal, or results to the report."""
    try:
        token = (context.out / FOLDER / OWNER).read_text(encoding="ascii")
    except OSError:
        token = ""
    if token != context.token:
        yield lambda entry: rows.append(entry) if "key" in entry else None
        return
    journal = _journal(context)
    try:
        yield journal.append
    finally:
        journal.flush()


class _ThreadJournal(Journal):
    """The journal of one thread, closed when the thread is gone or the run another."""

    def __init__(self, context: RunContext) -> None:
        super().__init__(context.out)
        self.run = (context.out, context.token)
        weakref.finalize(self, os.close, self._descriptor)


def _journal(context: RunContext) -> Journal:
    """Return this thread's journal: one for all batches of a run.

    The driver looks at every journal several times a second, so a large sweep must not
    have tens of thousands.
    """
    journal: _ThreadJournal | None = getattr(_kept, "journal", None)
    if journal is None or journal.run != (context.out, context.token):
        journal = _kept.journal = _ThreadJournal(context)
    return journal


def _sandboxes(context: RunContext) -> Sandboxes:
    if getattr(_kept, "context", None) != context or not _kept.sandboxes:
        close_sandbox()
        _kept.context = context
        _kept.sandboxes = Sandboxes(context)
        atexit.register(_kept.sandboxes.close)
    sandboxes: Sandboxes = _kept.sandboxes
    return sandboxes


def _stored(record: DatasetRecord, context: RunContext) -> StoredDataset:
    """Return the data set from the store, checked; fetch it if missing or damaged."""
    from odbench.data.catalog import ensure

    ((_, outcome),) = ensure([record], mirror=context.mirror, progress=False)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _ignore_interrupts() -> None:
    # Ctrl-C reaches the whole foreground group; only the driver may act on it.
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
