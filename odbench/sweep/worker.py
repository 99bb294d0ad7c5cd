"""One task in one worker: the labels are here, the detector is in a sandbox.

A worker process keeps one sandbox for all its tasks and appends each result to its own
journal the moment it is there. A worker that cannot reach the run's folder (another
host without a shared disk) returns its rows instead.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.arrays import FloatArray, IntArray, LabelArray
from odbench.errors import OdbenchError
from odbench.files import whole_file
from odbench.results import scores_file
from odbench.sweep.journal import FOLDER, Journal
from odbench.sweep.outcome import Outcome
from odbench.sweep.sandbox import Limits, Sandbox
from odbench.sweep.trials import Task, Trial

if TYPE_CHECKING:
    from odbench.data.store import StoredDataset

# A file of this name in the journal folder asks workers to finish what they are at.
STOP = "stop"
# Marks the line that says which trial a worker has begun.
START = "start"
# A detector must neither read nor write what others got.
_OF_THE_RUN = (FOLDER, "results.parquet", "run.json", "leaderboard.csv", "scores")
_kept = threading.local()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What every task of a run has in common.

    Attributes
    ----------
    out : Path
        The run's folder.
    token : str
        Stands in the folder too: a worker elsewhere may have a folder of that name.
    limits : Limits
        Of each trial.
    mirror : str or None
        Where data come from if they are not in the store.
    hidden : tuple of Path
        Places that may hold labels, besides the store's own.
    sys_path : tuple of str
        Where a detector's process finds a user's own modules.
    keep_scores : bool
        Write each trial's scores.
    orphan_exits : bool
        Workers end with the driver that started them.
    """

    out: Path
    token: str
    limits: Limits
    mirror: str | None
    hidden: tuple[Path, ...]
    sys_path: tuple[str, ...]
    keep_scores: bool
    orphan_exits: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What a task leaves behind.

    Attributes
    ----------
    rows : list of dict
        Results that could not be written where the driver sees them.
    fault : str
        Why the data set could not be used, or nothing could be written; empty where
        all is well.
    fatal : bool
        True where the run as a whole cannot go on.
    """

    rows: list[dict[str, Any]]
    fault: str = ""
    fatal: bool = False


def do_task(task: Task, setting: Setting) -> Report:
    """Run the trials of one task.

    Parameters
    ----------
    task : Task
        Trials of one data set.
    setting : Setting
        The run's.

    Returns
    -------
    Report
        Never raises for what a detector or a data set does.
    """
    _ignore_interrupts()
    rows: list[dict[str, Any]] = []
    try:
        with _results(setting, rows) as put:
            _do_trials(task, setting, put)
    except OdbenchError as error:
        return Report(rows, f"{task.record.id}: {error}")
    except MemoryError:
        return Report(rows, f"{task.record.id}: not enough memory to prepare it")
    except OSError as error:
        return Report(rows, error.strerror or str(error), fatal=True)
    return Report(rows)


def close_sandbox() -> None:
    """End this thread's sandbox, if it has one."""
    sandbox = getattr(_kept, "sandbox", None)
    if sandbox is not None:
        sandbox.end()
        _kept.sandbox = None


def _do_trials(task: Task, setting: Setting, put: Any) -> None:
    stored = _stored(task, setting)
    labels = stored.labels()
    sandbox = _sandbox(setting)
    chosen = _Choice(task, labels)
    specs = list(dict.fromkeys(trial.spec for trial in task.trials))
    loaded: int | None = None
    for trial in task.trials:
        if (setting.out / FOLDER / STOP).exists():
            return
        if chosen.differs(loaded, trial.seed):
            chosen.choose(trial.seed)
            sandbox.load(*chosen.tables(stored), specs=specs)
            loaded = trial.seed
        started = datetime.now(UTC)
        put({START: _title(trial, task), "of": trial.key, "at": started.timestamp()})
        outcome = sandbox.trial(trial.spec, trial.random_state)
        row = _row(task, trial, outcome, chosen)
        row["started_at"] = started.isoformat(timespec="milliseconds")
        if setting.keep_scores and outcome.scores is not None:
            _keep_scores(setting.out, row, chosen, outcome.scores)
            row.update(_intervals(chosen, outcome.scores, trial.seed))
        put(row)


class _Choice:
    """The rows of one data set that a seed's trials use, and the order they are shown.

    Files hold inliers first; the order in which a detector sees rows must say nothing,
    so they are shuffled, and the scores put back. The shuffle is drawn from the labels:
    the same everywhere, and nobody without them can undo it.
    """

    def __init__(self, task: Task, labels: LabelArray | None) -> None:
        self._task = task
        self._labels = labels
        self._seeded = False
        self.train: IntArray = np.empty(0, dtype=np.int64)
        self.test = self._moved = self._order = self.train
        self.is_subset = False

    def differs(self, loaded: int | None, seed: int) -> bool:
        """Say whether another seed's rows are other rows."""
        return loaded is None or (self._seeded and loaded != seed)

    def choose(self, seed: int) -> None:
        """Choose the rows of one seed."""
        from odbench.data.protocol import choose_rows

        record, protocol = self._task.record, self._task.protocol
        rows = choose_rows(
            record.n_train,
            self._labels,
            record.n_test,
            dataset_id=record.id,
            seed=seed,
            contamination=protocol.contamination,
        )
        self.is_subset = not rows.is_everything(record.n_train, record.n_test)
        self._seeded = self.is_subset
        self.train, self.test, self._moved = rows.train, rows.test, rows.moved
        self._order = self._chance().permutation(len(rows.test))

    @property
    def n_train(self) -> int:
        """Rows that are learnt from, moved ones included."""
        return len(self.train) + len(self._moved)

    def tables(self, stored: StoredDataset) -> tuple[FloatArray, FloatArray]:
        """Return train and test as a detector sees them."""
        from odbench.data.protocol import standardise

        train, test, _ = stored.features()
        kept = train if len(self.train) == len(train) else train[self.train]
        if len(self._moved):
            kept = np.vstack([kept, test[self._moved]])
            kept = kept[self._chance().permutation(len(kept))]
        return standardise(kept, test[self.test[self._order]])

    def _chance(self) -> np.random.Generator:
        labels = b"" if self._labels is None else self._labels.tobytes()
        digest = hashlib.sha256(b"shown-2" + labels).digest()
        return np.random.default_rng(int.from_bytes(digest, "little"))

    def put_back(self, scores: FloatArray) -> FloatArray:
        """Return scores in the order of the data set."""
        restored = np.empty_like(scores)
        restored[self._order] = scores
        return restored

    @property
    def labels(self) -> LabelArray | None:
        """Labels of the scored rows, in the order of the data set."""
        return None if self._labels is None else self._labels[self.test]


def blank_row(task: Task, trial: Trial) -> dict[str, Any]:
    """Return what is known of a trial's result before it runs."""
    record = task.record
    return {
        "suite": record.suite,
        "partition": record.partition,
        "dataset": record.name,
        "content_sha256": record.content_sha256,
        **trial.facts,
        "seed": trial.seed,
        "protocol": task.protocol.label,
        "n_train": record.n_train,
        "n_test": record.n_test,
        "n_columns": record.n_columns,
        "n_anomalies": record.n_anomalies,
        "started_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "worker": f"{socket.gethostname()}-{os.getpid()}",
        "domain": record.domain,
        "archetype": record.archetype,
        "family": record.family,
        "label_conflict": record.label_conflict,
        "duplicate_train": record.duplicate_train,
        "test_in_train": record.test_in_train,
        "anomalies_in_train": record.anomalies_in_train,
        "source_url": record.source_url,
        "licence": record.licence,
        "key": trial.key,
    }


def _row(task: Task, trial: Trial, outcome: Outcome, chosen: _Choice) -> dict[str, Any]:
    labels = chosen.labels
    row = {
        **blank_row(task, trial),
        "status": outcome.status,
        "reason": outcome.reason,
        "n_train": chosen.n_train,
        "n_test": len(chosen.test),
        "n_anomalies": None if labels is None else int(labels.sum()),
        **outcome.costs,
    }
    if outcome.scores is not None and labels is not None:
        from odbench.scoring.metrics import evaluate

        row.update(evaluate(labels, chosen.put_back(outcome.scores)))
    return row


def _intervals(chosen: _Choice, scores: FloatArray, seed: int) -> Mapping[str, float]:
    """Return how sure the metrics are; not for free, so only where scores are kept."""
    from odbench.scoring.intervals import trial_intervals

    if chosen.labels is None:
        return {}
    return trial_intervals(chosen.labels, chosen.put_back(scores), seed=seed)


def _keep_scores(
    out: Path, row: Mapping[str, Any], chosen: _Choice, scores: FloatArray
) -> None:
    file = scores_file(out, row)
    file.parent.mkdir(parents=True, exist_ok=True)
    # A float64 score may lie beyond float32; the largest finite value ranks the same.
    largest = float(np.finfo(np.float32).max)
    kept = np.clip(chosen.put_back(scores), -largest, largest).astype("<f4")
    _save(file, kept)
    if chosen.is_subset:
        of = f"{row['protocol']}-{row['content_sha256'][:12]}-{row['seed']}"
        _save(file.with_name(f"test-rows-{of}.npy"), chosen.test)


def _save(path: Path, array: np.ndarray[Any, Any]) -> None:
    with whole_file(path, durable=False) as sink:
        np.save(sink, array)


def _title(trial: Trial, task: Task) -> str:
    config = trial.facts["config"]
    label = "" if config == "default" else f":{config}"
    return f"{trial.facts['detector']}{label} on {task.record.id}"


@contextlib.contextmanager
def _results(setting: Setting, rows: list[dict[str, Any]]) -> Iterator[Any]:
    """Give a function that takes results: into a journal, or into the report."""
    try:
        here = (setting.out / FOLDER / "token").read_text(encoding="ascii")
    except OSError:
        here = ""
    if here != setting.token:
        yield lambda entry: rows.append(entry) if "key" in entry else None
        return
    with Journal(setting.out) as journal:
        yield journal.append


def _sandbox(setting: Setting) -> Sandbox:
    if getattr(_kept, "setting", None) != setting:
        close_sandbox()
        _kept.setting = setting
        _kept.sandbox = Sandbox(
            setting.limits,
            hidden=_hidden(setting),
            sys_path=setting.sys_path,
            mark=setting.token,
            orphan_exits=setting.orphan_exits,
        )
        atexit.register(_kept.sandbox.close)
    sandbox: Sandbox = _kept.sandbox
    return sandbox


def _hidden(setting: Setting) -> tuple[Path, ...]:
    """Return what no detector has a business with: data, labels, others' results."""
    from odbench.data.store import Store

    root = Store.default().root
    # A folder must exist before a process can be shut out of it.
    data = [root / "labels", root / "features"]
    for folder in data:
        folder.mkdir(parents=True, exist_ok=True)
    run = [setting.out / name for name in _OF_THE_RUN]
    return (*data, *run, *setting.hidden)


def _stored(task: Task, setting: Setting) -> StoredDataset:
    """Return the data set from the store, pulled first on a host that lacks it."""
    from odbench.data.catalog import ensure
    from odbench.data.store import Store

    stored = Store.default().find(task.record)
    if stored is None:
        for _, outcome in ensure([task.record], mirror=setting.mirror, progress=False):
            if isinstance(outcome, Exception):
                raise outcome
            stored = outcome
    assert stored is not None
    return stored


def _ignore_interrupts() -> None:
    # Ctrl-C reaches the whole foreground group; only the driver may act on it.
    here = threading.current_thread() is threading.main_thread()
    if here and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
