"""Journals: results appended line by line as the trials end.

Each process appends to its own journal, so nothing is locked and a kill loses at most
the line being written. Incomplete lines are ignored.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

FOLDER = "journal"
# A file of this name in the journal folder asks workers to stop after their trial.
STOP = "stop"
# A file of this name in the journal folder holds the token of the sweep that runs.
OWNER = "token"
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
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self._path = folder / FOLDER / name
        self._descriptor = os.open(
            self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
        )
        self._length = 0

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write one line; if the disk is full, remove the part that was written.

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


def journals(folder: Path) -> list[Path]:
    """Return the paths of a run's journals, always in the same order."""
    return sorted((folder / FOLDER).glob("*.jsonl"))


def read_journals(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the results in a run's journals."""
    for path in journals(folder):
        with path.open("rb") as lines:
            for line in lines:
                row = parse_line(line)
                if row is not None and "key" in row:
                    yield row


def parse_line(line: bytes) -> dict[str, Any] | None:
    """Return the entry of a line, or None if the line is incomplete."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
