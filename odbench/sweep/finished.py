"""Find the finished trials in a run's folder, and the facts they depended on."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.results import RESULTS, SCORES
from odbench.results.present import VERSIONED, Earlier, Versions
from odbench.results.schema import ENVIRONMENT
from odbench.scoring.settings import BATCH_TOLERANCE, ONE_CLASS
from odbench.suites import ORACLE
from odbench.sweep.fold import read_batches
from odbench.sweep.journal import read_journals
from odbench.sweep.keys import Keys
from odbench.sweep.selection import can_select

if TYPE_CHECKING:
    import pandas as pd

_LINES = 8192
_BATCHES = 16
_DEPENDS_ON = (
    "suite",
    "partition",
    "dataset",
    "detector",
    "config_id",
    "seed",
    "content_sha256",
    "detector_version",
    "status",
    "key",
)


def finished(
    folder: Path,
    *,
    only_ok: bool = False,
    with_scores: bool = False,
    with_selection: bool = False,
) -> Keys:
    """Return the keys of the trials that need not run again.

    Parameters
    ----------
    folder : Path
        The run's folder.
    only_ok : bool
        Leave out trials that failed.
    with_scores : bool
        Leave out trials whose scores were not kept.
    with_selection : bool
        Leave out trials of the first seed without a number to select by.
    """
    done = Keys()
    kept = _with_scores(folder) if with_scores else None

    def is_done(key: str | None, status: str, detector: str) -> bool:
        if not key or status == ENVIRONMENT:
            return False
        if status != "ok":
            return not only_ok
        # The oracle has no scores per row.
        return kept is None or key in kept or detector == ORACLE

    for columns in _columns(folder, ("key", "status", "detector")):
        rows = zip(*columns, strict=True)
        done.add(row[0] for row in rows if is_done(*row))
    return done.without(_without_selection(folder)) if with_selection else done


def _without_selection(folder: Path) -> Keys:
    """Return the keys of the trials that lack a number to select by."""
    lacking, having = Keys(), Keys()
    names = ("key", "status", "seed", "selection", "n_train")
    for columns in _columns(folder, names):
        rows = list(zip(*columns, strict=True))
        having.add(
            key for key, *_, selection, _ in rows if key and selection is not None
        )
        lacking.add(
            key
            for key, status, seed, selection, n_train in rows
            if key and status == "ok" and not seed and selection is None
            if can_select(n_train)
        )
    return lacking.without(having)


def batch_independent(folder: Path) -> Keys:
    """Return the keys of the one-class trials whose scores ignore the batch."""
    keys = Keys()
    names = ("key", "status", "protocol", "batch_difference")
    for columns in _columns(folder, names):
        keys.add(
            key
            for key, status, protocol, difference in zip(*columns, strict=True)
            if key and status == "ok" and protocol == ONE_CLASS
            if difference is not None and difference <= BATCH_TOLERANCE
        )
    return keys


def _with_scores(folder: Path) -> Keys:
    """Return the keys of the trials whose scores were kept; see `scores_file`."""
    kept = Keys()
    names = (
        name.removesuffix(".npy").rpartition("-")[2]
        for _, _, files in os.walk(folder / SCORES)
        for name in files
        if name.endswith(".npy")
    )
    while some := list(itertools.islice(names, _LINES)):
        kept.add(some)
    return kept


def journaled(folder: Path, *, generation: int | None = None) -> Keys:
    """Return the keys of the trials whose results are in the journals.

    Parameters
    ----------
    folder : Path
        The run's folder.
    generation : int, optional
        Only journals of this generation; by default all.
    """
    done = Keys()
    for (keys,) in _journaled(folder, ("key",), generation=generation):
        done.add(keys)
    return done


def dependencies(folder: Path) -> Iterator[tuple[Any, ...]]:
    """Yield the facts that each earlier trial depended on, the newest last.

    Yields
    ------
    tuple
        Suite, partition, data set, detector, config_id, seed, content_sha256,
        detector_version; then its status and key.
    """
    for columns in _columns(folder, _DEPENDS_ON):
        yield from zip(*columns, strict=True)


def read_frames(folder: Path, columns: Iterable[str]) -> Iterator[pd.DataFrame]:
    """Yield columns of a run's results as data frames of a few thousand rows.

    Parameters
    ----------
    folder : Path
        The run's folder.
    columns : iterable of str
        Their names.
    """
    import pyarrow as pa

    for batch in read_batches(folder / RESULTS, list(columns)):
        yield pa.Table.from_batches([batch]).to_pandas(use_threads=False)


def earlier_versions(folder: Path, *, contested: bool = False) -> Earlier:
    """Return the versions in a run's results that newer ones replace.

    Parameters
    ----------
    folder : Path
        The run's folder.
    contested : bool
        Add versions that share the latest generation with others.
    """
    import pyarrow as pa

    versions = Versions()
    batches = read_batches(folder / RESULTS, [*VERSIONED, "generation"])
    # Grouping several batches at a time takes a third of the time.
    while some := list(itertools.islice(batches, _BATCHES)):
        versions.add_table(pa.Table.from_batches(some))
    return versions.earlier(contested=contested)


def not_newest(folder: Path) -> Keys:
    """Return the keys of the results whose version is not the one newest version."""
    keys = Keys()
    earlier = earlier_versions(folder, contested=True)
    if earlier:
        for rows in read_frames(folder, (*VERSIONED, "key")):
            keys.add(rows.loc[earlier.holds(rows), "key"].fillna(""))
    return keys


def results_with(folder: Path, keys: Keys) -> Iterator[dict[str, Any]]:
    """Yield the results that have one of these keys."""
    for batch in read_batches(folder / RESULTS):
        for row in batch.to_pylist():
            if row["key"] in keys:
                yield row


def _columns(folder: Path, names: tuple[str, ...]) -> Iterator[list[list[Any]]]:
    """Yield columns of the results and then of the journals, chunk by chunk."""
    for batch in read_batches(folder / RESULTS, list(names)):
        yield [batch[name].to_pylist() for name in names]
    yield from _journaled(folder, names)


def _journaled(
    folder: Path, names: tuple[str, ...], *, generation: int | None = None
) -> Iterator[list[list[Any]]]:
    columns: list[list[Any]] = [[] for _ in names]
    for row in read_journals(folder, generation=generation):
        for name, column in zip(names, columns, strict=True):
            column.append(row.get(name))
        if len(columns[0]) == _LINES:
            yield columns
            columns = [[] for _ in names]
    yield columns
