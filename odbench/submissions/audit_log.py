"""The log of evaluations: append-only, each line chained to the one before by a hash.

Each line is a JSON object that holds the hash of the previous line. Anyone who has
noted one hash can later tell whether any line up to it was changed or removed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from odbench.errors import SubmissionError
from odbench.submissions.strict_json import canonical, digest, parse_object

FIRST = "0" * 64


class AuditLog:
    """An append-only file of hash-chained JSON lines.

    Parameters
    ----------
    path : Path
        The log file; it need not exist yet.

    Attributes
    ----------
    entries : list of dict
        The log's lines, oldest first.

    Raises
    ------
    SubmissionError
        If a line was changed, removed, moved or only partly written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.entries: list[dict[str, Any]] = []
        content = path.read_bytes() if path.is_file() else b""
        if content and not content.endswith(b"\n"):
            msg = (
                f"audit log {str(path)!r}: the last line is incomplete, so its "
                f"evaluation was never answered; remove that line and evaluate again"
            )
            raise SubmissionError(msg)
        for number, line in enumerate(content.splitlines(), start=1):
            entry = parse_object(line, where=f"audit log {str(path)!r} line {number}")
            claimed = entry.pop("hash", None)
            if entry.get("previous") != self.head or claimed != digest(entry):
                msg = (
                    f"audit log {str(path)!r}: line {number} does not match the hash "
                    f"chain, so the log was changed; restore it from a copy"
                )
                raise SubmissionError(msg)
            self.entries.append({**entry, "hash": claimed})

    @property
    def head(self) -> str:
        """Hash of the last line; publishing it elsewhere secures all lines up to it."""
        return self.entries[-1]["hash"] if self.entries else FIRST

    def append(self, facts: dict[str, Any]) -> None:
        """Add one line; it is on disk when this returns.

        Parameters
        ----------
        facts : dict
            JSON values; must not hold ``index``, ``previous`` or ``hash``.
        """
        entry = {"index": len(self.entries), "previous": self.head, **facts}
        entry["hash"] = digest(entry)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(canonical(entry) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.entries.append(entry)
