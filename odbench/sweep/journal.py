"""Journals: results appended line by line as the trials end.

Each process appends to its own journal, so nothing is locked and a kill loses at most
the line being written. Incomplete and damaged lines are ignored, so their trials run
again.

The name of a journal ends in its generation: each run into a folder takes the next
number, and of two results of one trial that of the later generation counts. A clock
cannot decide this, because it may be wrong.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from odbench.files import write_text
from odbench.results.pending import JOURNALS

FOLDER = JOURNALS
# A file of this name in the journal folder asks workers to stop after their trial.
STOP = "stop"
# A file of this name in the journal folder holds the token of the sweep that runs.
OWNER = "token"
# A file of this name in the journal folder holds the generation of the last run.
GENERATION = "generation"
# The end of a journal's name; journals of older versions have none.
_GENERATION = re.compile(r"\.g([0-9]{1,15})\.jsonl")
# Results with a larger generation are refused; see `odbench.results.checks`.
_MOST_GENERATIONS = 10**15
# The last field of a line, a checksum of what is before it.
_CHECK = b',"crc":"'
# Columns that hold a text in every result.
TEXTS = ("suite", "partition", "dataset", "content_sha256", "detector", "config",
          "config_id", "protocol", "status", "key")  # fmt: skip
# The field of a line that says which trial a worker has begun.
START = "start"


class Journal:
    """The journal of one process.

    Parameters
    ----------
    folder : Path
        The run's folder; its journal folder must exist.
    """

    def __init__(self, folder: Path) -> None:
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        end = f".g{last_generation(folder)}.jsonl"
        self._path = folder / FOLDER / f"{name}{end}"
        self._descriptor = os.open(
            self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
        )
        self._length = 0

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write one line; if that fails, remove the part that was written.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        line = format_line(entry)
        try:
            written = os.write(self._descriptor, line)
            while written < len(line):
                # A short write does not say why; writing the rest raises the reason.
                written += os.write(self._descriptor, line[written:])
        except OSError:
            os.ftruncate(self._descriptor, self._length)
            raise
        self._length += len(line)

    def check(self) -> None:
        """Check that the file is still there: lines of a removed one are lost.

        Raises
        ------
        FileNotFoundError
            If it was removed.
        """
        self._path.stat()

    def flush(self) -> None:
        """Force the lines to the disk, so that they survive a power cut."""
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


def last_generation(folder: Path) -> int:
    """Return the generation of the last run into a folder, 0 if it is unknown."""
    try:
        last = int((folder / FOLDER / GENERATION).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return 0
    return last if 0 <= last < _MOST_GENERATIONS - 1 else 0


def begin_generation(folder: Path, *, stored: int = 0) -> None:
    """Record that a run begins: journals opened from now on are of a new generation.

    Parameters
    ----------
    folder : Path
        The run's folder; its journal folder must exist.
    stored : int
        Latest generation among the rows of the results, which may be known without
        their journals.
    """
    known = [generation_of(path) for path in journals(folder)]
    newest = max([last_generation(folder), stored, *known])
    write_text(folder / FOLDER / GENERATION, str(newest + 1))


def generation_of(journal: Path) -> int:
    """Return the generation of a journal's results, 0 for those of older versions."""
    found = _GENERATION.search(journal.name)
    return int(found[1]) if found else 0


def journals(folder: Path) -> list[Path]:
    """Return the paths of a run's journals, the oldest generation first."""
    paths = (folder / FOLDER).glob("*.jsonl")
    return sorted(paths, key=lambda path: (generation_of(path), path.name))


def read_journals(
    folder: Path, *, generation: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the results in a run's journals, by default of all generations."""
    for path in journals(folder):
        if generation not in {None, generation_of(path)}:
            continue
        with path.open("rb") as lines:
            for line in lines:
                row = parse_line(line)
                if row is not None and "key" in row:
                    yield row


def format_line(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as a line, which ends in a checksum of what is before it."""
    body = json.dumps(entry, separators=(",", ":")).encode().removesuffix(b"}")
    return body + _CHECK + f'{zlib.crc32(body):08x}"}}\n'.encode()


def parse_line(line: bytes) -> dict[str, Any] | None:
    """Return the entry of a line, or None if the line is incomplete or damaged."""
    body, check, rest = line.rpartition(_CHECK)
    if not check:
        return _without_checksum(line)
    if rest != f'{zlib.crc32(body):08x}"}}\n'.encode():
        return None
    return _entry(body + b"}")


def _without_checksum(line: bytes) -> dict[str, Any] | None:
    """Return the entry of a line of an older version, None if it cannot be one."""
    return _entry(line) if line.endswith(b"\n") else None


def _entry(text: bytes) -> dict[str, Any] | None:
    """Return an entry, or None if the text is not one or is of impossible types."""
    try:
        entry = json.loads(text)
        if not isinstance(entry, dict):
            return None
        # Half a surrogate pair cannot be written into the results.
        if "key" in entry:
            "".join(entry[name] for name in TEXTS).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return None if any(isinstance(v, list | dict) for v in entry.values()) else entry
