"""Notes beside a stored data set: the hashes of its files, and of its source's file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from odbench.data.disk import as_store_error
from odbench.data.stamps import Stamp
from odbench.files import write_text

# A data set may be read from several mirrors in turn; the latest are remembered.
_MOST_SOURCES = 8


@dataclass(frozen=True)
class SourceFile:
    """The file that a data set was read from.

    Attributes
    ----------
    path : str
        The file in a mirror.
    stamp : Stamp
        Its stamp when it was hashed.
    sha256 : str
        Its SHA-256.
    """

    path: str
    stamp: Stamp
    sha256: str


@dataclass(frozen=True)
class Notes:
    """The notes on one stored data set.

    Attributes
    ----------
    files : mapping
        SHA-256 of the stored files: of "features", and of "labels" if there are any.
        Empty if an earlier version of odbench stored them.
    sources : mapping
        The files of mirrors that were compared with the stored data set, by path.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, SourceFile] = field(default_factory=dict)

    def with_source(self, seen: SourceFile) -> Notes:
        """Return the notes with one more source's file, or with its newer stamp."""
        others = [one for one in self.sources.values() if one.path != seen.path]
        kept = [*others[-(_MOST_SOURCES - 1) :], seen]
        return Notes(self.files, {one.path: one for one in kept})


def read_notes(path: Path) -> Notes:
    """Read notes; empty ones if the file is missing or damaged."""
    try:
        values = json.loads(path.read_bytes())
        files = {str(kind): str(digest) for kind, digest in values["files"].items()}
        sources = {
            str(one["path"]): SourceFile(
                str(one["path"]), Stamp(*map(int, one["stamp"])), str(one["sha256"])
            )
            for one in values["sources"]
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Notes()
    return Notes(files, sources)


def write_notes(path: Path, notes: Notes) -> None:
    """Write notes into a folder that exists.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    sources = [asdict(one) for one in notes.sources.values()]
    values = {"files": dict(notes.files), "sources": sources}
    try:
        # Escapes keep a path that is not UTF-8.
        write_text(path, json.dumps(values, sort_keys=True), durable=False)
    except OSError as error:
        raise as_store_error(error, path) from error


def remove_notes(path: Path) -> None:
    """Remove notes before the files they describe are replaced.

    Raises
    ------
    StoreError
        If the file cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise as_store_error(error, path) from error
