"""Files that a client may name: regular ones, in one folder that the user named."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from odbench.errors import UsageError

# Ends of the names of tables; each may be followed by one of `_PACKED`.
_FORMS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".parquet", ".feather", ".arrow")
_PACKED = ("", ".gz", ".zst")
TABLES = tuple(form + packed for form in _FORMS for packed in _PACKED)
# Entries of folders that a listing looks at, and files that it names.
_LOOKED_AT, _LISTED = 20_000, 200
_NEXT = "name a file that list_tables lists"


class Folder:
    """The folder that a client may read, and the names of files in it.

    Parameters
    ----------
    root : Path
        A folder that exists.
    most_bytes : int
        Size of the largest file that is opened.
    closed : sequence of Path
        Folders that stay closed although they may lie in `root`: those with labels.
    """

    def __init__(
        self, root: Path, *, most_bytes: int, closed: Sequence[Path] = ()
    ) -> None:
        self.root = root.resolve()
        self._most = most_bytes
        self._closed = tuple(path.resolve() for path in closed)
        self._shown: dict[str, str] = {}

    def open(
        self, name: str, ends: Sequence[str] = TABLES, *, step: str = _NEXT
    ) -> str:
        """Open a file for reading, once; every reader then gets that very file.

        Symbolic links are followed if they lead to a place in the folder. A hard link
        is a file like any other.

        Parameters
        ----------
        name : str
            Relative to the folder, or an absolute path in it.
        ends : sequence of str
            Ends of names that are accepted.
        step : str
            The next step where the file is refused.

        Returns
        -------
        str
            A path that opens the file, ``/dev/fd/N``.

        Raises
        ------
        UsageError
            If it is outside the folder, hidden, missing, no regular file, too large,
            or has another end.
        """
        parts = self._inside(name, step)
        try:
            descriptor = self._descend(parts)
        except OSError as error:
            # A link that took the place of a folder since then is not followed.
            why = f"cannot be opened ({error.strerror})"
            raise _refused(name, why, step) from error
        facts = os.fstat(descriptor)
        why = ""
        if not stat.S_ISREG(facts.st_mode):
            why = "is not a regular file"
        elif not parts[-1].lower().endswith(tuple(ends)):
            why = f"is not one of {' '.join(ends)}"
        elif facts.st_size > self._most:
            why = (
                f"has {facts.st_size >> 20} MiB, more than the {self._most >> 20} that "
                f"this server reads"
            )
        if why:
            os.close(descriptor)
            raise _refused(name, why, step)
        path = f"/dev/fd/{descriptor}"
        self._shown[path] = name
        return path

    def spell(self, message: str) -> str:
        """Replace the paths of opened files in a message by the names given."""
        for path in sorted(self._shown, key=len, reverse=True):
            message = message.replace(path, self._shown[path])
        return message

    def tables(self) -> list[dict[str, object]]:
        """List the tables in the folder by name, `_LISTED` at most; no links."""
        found = sorted(self._walk())[:_LISTED]
        return [{"table": name, "bytes": size} for name, size in found]

    def _inside(self, name: str, step: str) -> tuple[str, ...]:
        """Return the parts of the real path below the folder."""
        given = Path(name)
        if given.is_absolute() and given.is_relative_to(self.root):
            given = given.relative_to(self.root)
        if given.is_absolute() or ".." in given.parts:
            raise _refused(name, "is outside the folder of this server", step)
        try:
            real = (self.root / given).resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise _refused(name, "does not exist or cannot be reached", step) from error
        if not real.is_relative_to(self.root) or self._is_closed(real):
            raise _refused(name, "leads outside the folder of this server", step)
        parts = real.relative_to(self.root).parts
        if any(part.startswith(".") for part in (*given.parts, *parts)):
            raise _refused(name, "is hidden", step)
        if not stat.S_ISREG(real.lstat().st_mode):
            # Opening a device may already do something.
            raise _refused(name, "is not a regular file", step)
        return parts

    def _is_closed(self, path: Path) -> bool:
        return any(path.is_relative_to(closed) for closed in self._closed)

    def _descend(self, parts: Sequence[str]) -> int:
        """Open a file part by part, so that no link is followed on the way."""
        at = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in parts[:-1]:
                below = os.open(
                    part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at
                )
                os.close(at)
                at = below
            # A pipe would wait for its other end.
            how = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            return os.open(parts[-1], how, dir_fd=at)
        finally:
            os.close(at)

    def _walk(self) -> Iterator[tuple[str, int]]:
        looked_at = 0
        for folder, below, names in os.walk(self.root):
            here = Path(folder)
            below[:] = [
                name
                for name in sorted(below)
                if name[0] != "." and not self._is_closed(here / name)
            ]
            for name in names:
                looked_at += 1
                if looked_at > _LOOKED_AT:
                    return
                if name[0] == "." or not name.lower().endswith(TABLES):
                    continue
                facts = (here / name).lstat()
                if stat.S_ISREG(facts.st_mode) and facts.st_size <= self._most:
                    place = (here / name).relative_to(self.root).as_posix()
                    yield place, facts.st_size


def _refused(name: str, why: str, step: str) -> UsageError:
    return UsageError(f"file {name[:200]!r}: {why}; {step}")
