"""What a run's folder knows: which trials are done, and what they depended on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from odbench.sweep.fold import RESULTS, read_batches
from odbench.sweep.journal import read_journals
from odbench.sweep.keys import Keys

_LINES = 8192
_DEPENDS_ON = (
    "suite",
    "partition",
    "dataset",
    "detector",
    "config_id",
    "seed",
    "content_sha256",
    "detector_version",
)


def finished(folder: Path, *, only_ok: bool = False) -> Keys:
    """Return the keys of the trials that need not run again.

    Parameters
    ----------
    folder : Path
        The run's.
    only_ok : bool
        Leave out trials that failed.
    """
    done = Keys()
    for keys, statuses in _columns(folder, ("key", "status")):
        pairs = zip(keys, statuses, strict=True)
        wanted = (key for key, status in pairs if status == "ok" or not only_ok)
        done.add(filter(None, wanted))
    return done


def journaled(folder: Path) -> Keys:
    """Return the keys of the trials that stand in the journals."""
    done = Keys()
    for (keys,) in _journaled(folder, ("key",)):
        done.add(keys)
    return done


def dependencies(folder: Path) -> Iterator[tuple[Any, ...]]:
    """Yield what each earlier trial depended on, the newest last.

    Yields
    ------
    tuple
        Suite, partition, data set, detector, config_id, seed, content_sha256 and
        detector_version.
    """
    for columns in _columns(folder, _DEPENDS_ON):
        yield from zip(*columns, strict=True)


def _columns(folder: Path, names: tuple[str, ...]) -> Iterator[list[list[Any]]]:
    """Yield columns of the results and then of the journals, piece by piece."""
    for batch in read_batches(folder / RESULTS, list(names)):
        yield [batch[name].to_pylist() for name in names]
    yield from _journaled(folder, names)


def _journaled(folder: Path, names: tuple[str, ...]) -> Iterator[list[list[Any]]]:
    columns: list[list[Any]] = [[] for _ in names]
    for row in read_journals(folder):
        for name, column in zip(names, columns, strict=True):
            column.append(row[name])
        if len(columns[0]) == _LINES:
            yield columns
            columns = [[] for _ in names]
    yield columns
