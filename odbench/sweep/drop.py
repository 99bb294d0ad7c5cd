"""Remove results and their kept scores from a run's folder."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.arrays import BoolArray
from odbench.errors import UsageError
from odbench.results import RESULTS, SCORES, STATUSES, scores_file, write_results
from odbench.results.present import VERSIONED, Earlier
from odbench.sweep.finished import earlier_versions
from odbench.sweep.fold import fold, is_folded, read_batches
from odbench.sweep.folder import locked
from odbench.sweep.inventory import refuse_no_run
from odbench.text import counted

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_COLUMNS = (*VERSIONED, "seed", "status", "key")


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which results to remove: those that all given filters match.

    Attributes
    ----------
    detector : str, optional
        Name of the detector.
    dataset : str, optional
        Glob on the name of the data set.
    suite : str, optional
        Name of the suite.
    status : str, optional
        Status of the trial.
    old : bool
        Only results of earlier versions of a detector, its parameters or a data set.
    """

    detector: str | None = None
    dataset: str | None = None
    suite: str | None = None
    status: str | None = None
    old: bool = False

    def __post_init__(self) -> None:
        if not (self.old or self.detector or self.dataset or self.suite or self.status):
            msg = (
                "runs drop: got no filter; give --detector, --dataset, --suite, "
                "--status or --old, or delete the run's folder"
            )
            raise UsageError(msg)
        if self.status is not None and self.status not in STATUSES:
            msg = f"status {self.status!r}: wanted one of {', '.join(STATUSES)}"
            raise UsageError(msg)

    def match(self, rows: pd.DataFrame, earlier: Earlier) -> BoolArray:
        """Mark the rows that all given filters match."""
        chosen = np.ones(len(rows), dtype=np.bool_)
        for name in ("detector", "suite", "status"):
            wanted = getattr(self, name)
            if wanted is not None:
                chosen &= (rows[name] == wanted).to_numpy(dtype=bool)
        if self.dataset is not None:
            glob = self.dataset
            fits = [fnmatch.fnmatchcase(name, glob) for name in rows["dataset"]]
            chosen &= np.array(fits, dtype=np.bool_)
        return chosen & earlier.holds(rows) if self.old else chosen


@dataclass
class Matches:
    """Results that filters match.

    Attributes
    ----------
    statuses : dict of str to Counter
        Matching results by detector and status.
    rest : int
        Number of all other results.
    scores : list of Path
        Paths of the kept scores of matching results.
    """

    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    rest: int = 0
    scores: list[Path] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Number of matching results."""
        return sum(counts.total() for counts in self.statuses.values())

    def lines(self) -> list[str]:
        """Return one line per detector: its results, by status."""
        return [
            f"{detector}: {counted(counts.total(), 'result')} ("
            + ", ".join(f"{n:,} {status}" for status, n in counts.most_common())
            + ")"
            for detector, counts in sorted(self.statuses.items())
        ]


def find_results(folder: Path, filters: Filters) -> Matches:
    """Find the results of a run that filters match; none is removed.

    Journals that an interrupted run left are folded first.

    Parameters
    ----------
    folder : Path
        The run's folder.
    filters : Filters
        The filters of the results to find.

    Returns
    -------
    Matches

    Raises
    ------
    UsageError
        If the folder holds no run, or the run has no such detector or suite.
    ResultsError
        If the results are damaged.
    """
    refuse_no_run(folder)
    if not is_folded(folder):
        with locked(folder):
            fold(folder)
    earlier, found = earlier_versions(folder), Matches()
    names: dict[str, set[str]] = {"detector": set(), "suite": set()}
    for batch in read_batches(folder / RESULTS, list(_COLUMNS)):
        rows = _frame(batch)
        for name, known in names.items():
            known.update(rows[name].unique())
        chosen = filters.match(rows, earlier)
        found.rest += int((~chosen).sum())
        _take(rows[chosen], folder, found)
    for name, known in names.items():
        _refuse_unknown(name, getattr(filters, name), known, folder)
    return found


def drop_results(folder: Path, filters: Filters) -> Matches:
    """Remove the results of a run that filters match, and their kept scores.

    Journals that an interrupted run left are folded first. The results are replaced in
    one step and before any scores are deleted, so that a crash leaves at most scores
    without a result, which nothing reads.

    Parameters
    ----------
    folder : Path
        The run's folder.
    filters : Filters
        The filters of the results to remove.

    Returns
    -------
    Matches
        The results that were removed.

    Raises
    ------
    RunLockedError
        If another process writes to the folder.
    UsageError
        If the folder holds no run, or the run has no such detector or suite.
    OSError
        If the results cannot be written; they are unchanged then.
    """
    refuse_no_run(folder)
    with locked(folder):
        if not is_folded(folder):
            fold(folder)
        found = find_results(folder, filters)
        if found.total:
            earlier = earlier_versions(folder)
            write_results(_others(folder, filters, earlier), folder / RESULTS)
            _delete_scores(found.scores)
    return found


def _others(folder: Path, filters: Filters, earlier: Earlier) -> Iterator[pa.Table]:
    """Yield the rows that the filters do not match."""
    import pyarrow as pa

    for batch in read_batches(folder / RESULTS):
        table = pa.Table.from_batches([batch])
        chosen = filters.match(_frame(batch.select(list(_COLUMNS))), earlier)
        yield table.filter(pa.array(~chosen))


def _frame(batch: pa.RecordBatch) -> pd.DataFrame:
    import pyarrow as pa

    frame: pd.DataFrame = pa.Table.from_batches([batch]).to_pandas(use_threads=False)
    return frame


def _take(rows: pd.DataFrame, folder: Path, found: Matches) -> None:
    keeps_scores = (folder / SCORES).is_dir()
    trials: list[dict[Any, Any]] = rows.to_dict("records")
    for row in trials:
        counts = found.statuses.setdefault(row["detector"], Counter())
        counts[row["status"]] += 1
        if keeps_scores and (file := scores_file(folder, row)).is_file():
            found.scores.append(file)


def _refuse_unknown(
    kind: str, wanted: str | None, known: set[str], folder: Path
) -> None:
    if wanted is None or wanted in known:
        return
    there = ", ".join(sorted(known)) or "none"
    msg = (
        f"--{kind} {wanted!r}: run {str(folder)!r} has no results of it; wanted one of "
        f"{there}"
    )
    raise UsageError(msg)


def _delete_scores(files: list[Path]) -> None:
    """Delete scores, and lists of test rows that no other scores need."""
    for file in files:
        file.unlink(missing_ok=True)
    for folder in {file.parent for file in files}:
        left = list(folder.iterdir())
        if all(path.name.startswith("test-rows-") for path in left):
            for path in left:
                path.unlink()
            with suppress(OSError):
                folder.rmdir()
