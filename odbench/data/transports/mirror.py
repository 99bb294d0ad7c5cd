"""Read a mirror: a folder with the layout of the hub's repositories."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from odbench.data.dataset import DatasetRecord
from odbench.data.notes import SourceFile
from odbench.data.stamps import Stamp, stamp_of
from odbench.data.transports.source import Listed, Obtained, Tick, name_of, read_file
from odbench.errors import DataError, TransportError
from odbench.files import at_home
from odbench.suites import Suite
from odbench.text import printable

# How often a file is read that changes while it is read.
_TRIES = 3


class Mirror:
    """A suite's files in a folder.

    Parameters
    ----------
    root : Path
        A folder that contains ``OWNER/NAME``, or the repository's folder itself, or any
        folder that directly contains the partitions' folders.
    suite : Suite
        The suite whose repository to look for.
    others : collection of str
        Names of the other suites' repositories; a folder so named is not this suite's.

    Raises
    ------
    TransportError
        If the folder is missing, or is none of these.
    """

    def __init__(self, root: Path, suite: Suite, others: Collection[str] = ()) -> None:
        self.suite = suite
        self.root = at_home(root)
        self.folder = self._find(others)

    @property
    def label(self) -> str:
        """The mirror's folder for this suite, for messages."""
        return f"mirror {str(self.folder)!r}"

    def _find(self, others: Collection[str]) -> Path:
        """Return the folder that corresponds to the repository's root."""
        if not self.root.is_dir():
            msg = (
                f"mirror {str(self.root)!r}: no such folder; give the one that "
                f"contains {self.suite.repository}"
            )
            raise TransportError(msg)
        repository = PurePosixPath(self.suite.repository)
        candidates = [self.root / repository, self.root / repository.name]
        taken = {PurePosixPath(other).name for other in others} - {repository.name}
        drawn = drawn_suite(self.root)
        if drawn not in ("", self.suite.name):
            msg = (
                f"mirror {str(self.root)!r}: is a private partition of {drawn!r}; use "
                f"--suite {drawn} --partition private"
            )
            raise TransportError(msg)
        if self.root.resolve().name not in taken:
            candidates.append(self.root)
        for folder in candidates:
            if any(_subfolder(folder, path) for path in self.suite.folders.values()):
                return folder
        wanted = " or ".join(sorted(self.suite.folders.values()))
        msg = (
            f"mirror {str(self.root)!r}: does not contain {self.suite.repository}/"
            f"{wanted}; give a folder laid out like the hub, the repository's own "
            f"folder, or one that contains {wanted}"
        )
        raise TransportError(msg)

    def listing(self, partition: str) -> dict[str, Listed]:
        """Return the archives of a partition by name; see `Source`."""
        path = self.suite.folders.get(partition, partition)
        folder = _subfolder(self.folder, path)
        if folder is None:
            return {}
        found = {}
        for file in sorted(folder.iterdir()):
            if file.suffix == ".npz" and not file.name.startswith("."):
                # A broken link must fail for its data set alone, not for the listing.
                size = file.stat().st_size if file.is_file() else None
                listed = Listed(f"{path}/{file.name}", size)
                found[name_of(self.suite, file.name)] = listed
        return found

    def file(self, record: DatasetRecord) -> Path:
        """Return the path of a data set's archive.

        Raises
        ------
        TransportError
            If it is missing.
        """
        path = PurePosixPath(record.path)
        folder = _subfolder(self.folder, str(path.parent))
        file = None if folder is None else folder / path.name
        if file is None or not file.is_file():
            raise self._missing(record)
        return file

    def _missing(self, record: DatasetRecord) -> TransportError:
        """Return the error for a file that is not in the mirror."""
        msg = (
            f"data set {record.id}: {record.path!r} is not in {self.label}; copy it "
            f"there, or use the hub"
        )
        return TransportError(msg)

    def obtain(self, record: DatasetRecord, *, tick: Tick) -> Obtained:
        """Read a data set from the mirror; see `Source`.

        A file that changes while it is read is read again, because its hash would not
        be that of the values.
        """
        for _ in range(_TRIES):
            before = self.stamp(record)
            tick(0)
            try:
                obtained = self._read(record)
            except DataError:
                if self.stamp(record) == before:
                    raise
                continue
            if self.stamp(record) == before:
                tick(before.size)
                return self._with_origin(obtained, record, before)
        msg = (
            f"data set {record.id}: {record.path!r} in {self.label} changes while it "
            f"is read; run again when it is complete"
        )
        raise TransportError(msg)

    def _with_origin(
        self, obtained: Obtained, record: DatasetRecord, stamp: Stamp
    ) -> Obtained:
        """Add the file, unless its content is pinned: then it need not be noticed."""
        if record.content_sha256:
            return obtained
        seen = SourceFile(str(self.file(record)), stamp, obtained.file_sha256)
        return dataclasses.replace(obtained, seen=seen)

    def stamp(self, record: DatasetRecord) -> Stamp:
        """Return the stamp of a data set's archive.

        Raises
        ------
        TransportError
            If the file is missing.
        """
        try:
            return stamp_of(self.file(record))
        except FileNotFoundError as error:
            raise self._missing(record) from error

    def _read(self, record: DatasetRecord) -> Obtained:
        """Read an archive; its hash may be that of a file that replaced it since."""
        file = self.file(record)
        try:
            return read_file(self.suite, record, file, {"mirror": str(self.folder)})
        except FileNotFoundError as error:
            raise self._missing(record) from error


def drawn_suite(folder: Path) -> str:
    """Return the suite whose private partition `odbench synbench private` drew there.

    Parameters
    ----------
    folder : Path
        The folder with ``about.json`` and ``private/``.

    Returns
    -------
    str
        The generated suite's name; empty for any other folder.
    """
    try:
        about = json.loads((at_home(folder) / "about.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return ""
    named = isinstance(about, dict) and (at_home(folder) / "private").is_dir()
    return printable(str(about.get("generator", ""))[:40]) if named else ""


def _subfolder(base: Path, path: str) -> Path | None:
    """Return ``base/path`` or ``base/LAST PART OF PATH``, whichever is a folder."""
    for candidate in (base / path, base / PurePosixPath(path).name):
        if candidate.is_dir():
            return candidate
    return None
