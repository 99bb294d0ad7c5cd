"""The interface of every transport, and the reading of a fetched archive."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Protocol

from odbench.data.archive import read_archive
from odbench.data.dataset import DatasetRecord, RawDataset
from odbench.data.notes import SourceFile
from odbench.data.stamps import file_sha256
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
        Size in bytes, if the listing has it.
    sha256 : str
        Digest of the file; empty if the listing has none.
    """

    path: str
    size: int | None = None
    sha256: str = ""


@dataclass(frozen=True, eq=False)
class Obtained:
    """A data set that a source delivered.

    Attributes
    ----------
    raw : RawDataset
        Checked contents.
    file_bytes : int or None
        Size of the file; None for a generated set.
    file_sha256 : str
        The file's SHA-256; empty for a generated set.
    provenance : mapping
        The data set's source, for the store.
    seen : SourceFile or None
        The file of a mirror, to notice later that it was changed.
    """

    raw: RawDataset
    file_bytes: int | None = None
    file_sha256: str = ""
    provenance: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    seen: SourceFile | None = None


class Source(Protocol):
    """A suite's transport, opened."""

    @property
    def label(self) -> str:
        """A name for messages, such as a folder, or a repository with its commit."""

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
            A record with the path from the listing.
        tick : callable
            Called with the number of bytes in each chunk; if it raises, the transfer
            ends.

        Raises
        ------
        TransportError
            If the file was not delivered.
        DataError
            If the delivered file is broken.
        """


def name_of(suite: Suite, path: str) -> str:
    """Return the data set's name for a file: its stem.

    Files of suites with the layout "whole" are numbered (``10_cover.npz``); the number
    is not part of the name.
    """
    stem = PurePosixPath(path).name.removesuffix(".npz")
    if suite.layout == "whole":
        number, _, rest = stem.partition("_")
        return rest if number.isdigit() and rest else stem
    return stem


def read_file(
    suite: Suite, record: DatasetRecord, file: Path, provenance: Mapping[str, Any]
) -> Obtained:
    """Read a fetched archive, and compare its shapes with the record's."""
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


def listed_record(
    suite: Suite, name: str, partition: str, *, own: bool = False
) -> DatasetRecord:
    """Return the record of a file without a manifest row.

    Parameters
    ----------
    suite : Suite
        Its suite.
    name, partition : str
        As in the listing.
    own : bool
        It may be a user's own file: nothing is known of its source and licence.
    """
    if own:
        return DatasetRecord(name=name, suite=suite.name, partition=partition)
    return DatasetRecord(
        name=name,
        suite=suite.name,
        partition=partition,
        source=suite.collection,
        licence=suite.licence,
    )


def with_listing(record: DatasetRecord, listed: Listed) -> DatasetRecord:
    """Return a record with the listed path, and if unmeasured the size and digest."""
    if record.content_sha256:
        return dataclasses.replace(record, path=listed.path)
    return dataclasses.replace(
        record,
        path=listed.path,
        file_bytes=listed.size,
        file_sha256=listed.sha256,
    )
