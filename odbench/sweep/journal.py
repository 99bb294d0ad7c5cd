"""Results as they come: appended line by line, folded into one file now and then.

Each process appends to a journal of its own, so nothing is locked and a kill loses at
most the line being written. A line that is not whole is ignored.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from odbench.results import COLUMNS, completed, schema, write_results

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "journal"
RESULTS = "results.parquet"
# What makes two rows the same trial, an older one superseded by a newer.
IDENTITY = (
    "suite",
    "partition",
    "dataset",
    "detector",
    "config_id",
    "seed",
    "protocol",
)
_CHUNK = 20_000


class Journal:
    """One process's appended lines.

    Parameters
    ----------
    folder : Path
        The run's folder; its journal folder must exist.
    """

    def __init__(self, folder: Path) -> None:
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self._path = folder / FOLDER / name
        self._descriptor = os.open(
            self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
        )
        self._length = 0

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write one line whole; on a full disk none of it stays.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        try:
            written = os.write(self._descriptor, line)
            if written < len(line):
                os.truncate(self._path, self._length)
                os.write(self._descriptor, line)
                written = os.fstat(self._descriptor).st_size - self._length
            if written < len(line):
                raise OSError(28, "No space left on device", str(self._path))
        except OSError:
            os.truncate(self._path, self._length)
            raise
        self._length += len(line)

    def flush(self) -> None:
        """Put everything on the disk itself, past any power cut."""
        os.fsync(self._descriptor)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Flush and close."""
        try:
            self.flush()
        finally:
            os.close(self._descriptor)


def read_journals(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of every whole line of a run's journals."""
    for path in sorted((folder / FOLDER).glob("*.jsonl")):
        with path.open("rb") as lines:
            for line in lines:
                row = parse_line(line)
                if row is not None and "key" in row:
                    yield row


def parse_line(line: bytes) -> dict[str, Any] | None:
    """Return a line's entry, None where the line is not whole."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def finished(
    folder: Path,
) -> tuple[dict[str, str], dict[tuple[str, str, str, int], dict[str, str]]]:
    """Return what a run's folder knows.

    Returns
    -------
    tuple of (dict, dict)
        Key to status of every finished trial; and, by (suite/partition/data set,
        detector, configuration, seed), what each depended on.
    """
    columns = [*IDENTITY, "key", "status", "content_sha256", "detector_version"]
    done: dict[str, str] = {}
    earlier: dict[tuple[str, str, str, int], dict[str, str]] = {}
    table = _stored(folder, columns)
    if table is not None:
        stored = {name: table[name].to_pylist() for name in columns}
        _note(done, earlier, stored)
    for row in read_journals(folder):
        _note(done, earlier, {name: [row[name]] for name in columns})
    return done, earlier


def _note(
    done: dict[str, str],
    earlier: dict[tuple[str, str, str, int], dict[str, str]],
    rows: Mapping[str, list[Any]],
) -> None:
    """Enter rows, given column by column."""
    done.update(zip(rows["key"], rows["status"], strict=True))
    names = zip(rows["suite"], rows["partition"], rows["dataset"], strict=True)
    trials = zip(
        map("/".join, names),
        rows["detector"],
        rows["config_id"],
        rows["seed"],
        strict=True,
    )
    facts = zip(rows["content_sha256"], rows["detector_version"], strict=True)
    for trial, (content, version) in zip(trials, facts, strict=True):
        earlier[trial] = {"content_sha256": content, "detector_version": version}


def is_folded(folder: Path) -> bool:
    """Say whether there is nothing to fold."""
    journals = (folder / FOLDER).glob("*.jsonl")
    return (folder / RESULTS).exists() and next(journals, None) is None


def fold(folder: Path) -> pa.Table:
    """Fold the journals into ``results.parquet`` and remove them.

    The rows stand in an order that does not depend on which came first. A crash at
    any point loses nothing: the file is replaced in one step, and journals that were
    folded already are folded again.

    Returns
    -------
    pyarrow.Table
        All results of the run.
    """
    import pyarrow as pa

    journals = sorted((folder / FOLDER).glob("*.jsonl"))
    parts = [part for part in [_stored(folder, None)] if part is not None]
    parts += list(_tables(folder))
    table = pa.concat_tables(parts) if parts else schema().empty_table()
    if journals or not (folder / RESULTS).exists():
        table = _newest(table)
        write_results(table, folder / RESULTS)
        for path in journals:
            path.unlink()
    return table


def _tables(folder: Path) -> Iterator[pa.Table]:
    """Yield the journals' rows as tables, oldest first within each."""
    import pyarrow as pa

    rows: list[dict[str, Any]] = []
    full = schema()
    for row in read_journals(folder):
        rows.append({name: row.get(name) for name in COLUMNS})
        if len(rows) == _CHUNK:
            yield pa.Table.from_pylist(rows, schema=full)
            rows = []
    if rows:
        yield pa.Table.from_pylist(rows, schema=full)


def _newest(table: pa.Table) -> pa.Table:
    """Keep the newest row of each trial, in the order of `IDENTITY`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(table):
        return table
    table = table.append_column("#", pa.array(range(len(table))))
    newest = table.group_by(list(IDENTITY)).aggregate(
        [("started_at", "max"), ("#", "count")]
    )
    if pc.max(newest["#_count"]).as_py() > 1:
        order = pc.sort_indices(
            table, [(name, "ascending") for name in (*IDENTITY, "started_at", "#")]
        )
        table = table.take(order)
        frame = table.select(list(IDENTITY)).to_pandas()
        table = table.filter(pa.array(~frame.duplicated(keep="last")))
    return table.drop_columns(["#"]).sort_by(
        [(name, "ascending") for name in (*IDENTITY[:5], "seed", "protocol")]
    )


def _stored(folder: Path, columns: list[str] | None) -> pa.Table | None:
    import pyarrow.parquet as pq

    path = folder / RESULTS
    if not path.is_file():
        return None
    if columns is None:
        return completed(pq.read_table(path, partitioning=None))
    return pq.read_table(path, columns=columns, partitioning=None)
