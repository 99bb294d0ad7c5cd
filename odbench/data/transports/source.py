"""Where data sets come from: what every transport can do."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Protocol

from odbench.data.archive import read_archive
from odbench.data.dataset import DatasetRecord, RawDataset
from odbench.suites import Suite

_NOTHING: Mapping[str, Any] = MappingProxyType({})
Tick = Callable[[int], None]


@dataclass(frozen=True)
class Listed:
    """A file that a source has.

    Attributes
    ----------
    path : str
        Within the suite's repository, with ``/``.
    size : int or None
        Bytes, where the listing says.
    sha256 : str
        Digest of the file, where the listing says.
    """

    path: str
    size: int | None = None
    sha256: str = ""


@dataclass(frozen=True, eq=False)
class Obtained:
    """A data set as a source delivered it.

    Attributes
    ----------
    raw : RawDataset
        Checked contents.
    file_bytes : int or None
        Size of the file, None for a generated set.
    file_sha256 : str
        Its digest, or empty.
    provenance : mapping
        Where it came from, for the store.
    """

    raw: RawDataset
    file_bytes: int | None = None
    file_sha256: str = ""
    provenance: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


class Source(Protocol):
    """A suite's transport, opened."""

    @property
    def label(self) -> str:
        """Where it is, for messages: a folder, a repository with its commit."""

    def listing(self, partition: str) -> dict[str, Listed]:
        """Return the files of a partition by data set name.

        Raises
        ------
        TransportError
            If the source cannot be reached.
        """

    def obtain(self, record: DatasetRecord, *, tick: Tick) -> Obtained:
        """Fetch and read a data set.

        Parameters
        ----------
        record : DatasetRecord
            With the path of the listing.
        tick : callable
            Called with every number of bytes that arrived; what it raises ends the
            transfer.

        Raises
        ------
        TransportError
            If it was not delivered.
        DataError
            If what was delivered is broken.
        """


def name_of(suite: Suite, path: str) -> str:
    """Return the data set's name for a file: its stem.

    Files of suites that come whole are numbered (``10_cover.npz``); the number is
    not part of the name.
    """
    stem = PurePosixPath(path).name.removesuffix(".npz")
    if suite.layout == "whole":
        number, _, rest = stem.partition("_")
        return rest if number.isdigit() and rest else stem
    return stem


def read_file(
    suite: Suite, record: DatasetRecord, file: Path, provenance: Mapping[str, Any]
) -> Obtained:
    """Read a fetched archive, checked against the record's sizes."""
    shapes = None
    if record.content_sha256 and record.n_train:
        columns = record.n_columns
        shapes = ((record.n_train, columns), (record.n_test, columns))
    raw = read_archive(
        file,
        dataset_id=record.id,
        layout=suite.layout,
        labelled=record.partition == "public",
        shapes=shapes,
    )
    size = file.stat().st_size
    if record.content_sha256 and record.file_bytes == size:
        return Obtained(raw, size, record.file_sha256, provenance)
    return Obtained(raw, size, file_sha256(file), provenance)


def file_sha256(file: Path) -> str:
    """Return a file's digest, 64 hex digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def listed_record(suite: Suite, name: str, partition: str) -> DatasetRecord:
    """Return the record of a file that no manifest row names."""
    return DatasetRecord(
        name=name,
        suite=suite.name,
        partition=partition,
        source=suite.collection,
        licence=suite.licence,
    )


def with_listing(record: DatasetRecord, listed: Listed) -> DatasetRecord:
    """Return a record with the path, and for an unmeasured one the digest, listed."""
    if record.content_sha256:
        return dataclasses.replace(record, path=listed.path)
    return dataclasses.replace(
        record,
        path=listed.path,
        file_bytes=listed.size,
        file_sha256=listed.sha256,
    )
