"""What a data set is: its manifest row, its raw contents, its arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from odbench.arrays import FloatArray, LabelArray
from odbench.errors import ManifestError

_NOTHING: Mapping[str, Any] = MappingProxyType({})
# Names become file names, and with a suffix they must fit into 255 bytes.
_MAX_NAME_BYTES = 200


def check_name(name: str, *, where: str) -> str:
    """Return a data set's name when it is safe as a file name.

    Parameters
    ----------
    name : str
        From a manifest, a listing or a user.
    where : str
        Where it stands, for the message.

    Raises
    ------
    ManifestError
        If it is empty or too long, or has a path separator, a character that cannot
        be printed, a dot or a space at its beginning or its end.
    """
    plain = name.isprintable() and not set(name) & {"/", "\\"}
    if not plain or name != name.strip(" .") or not 0 < _bytes(name) <= _MAX_NAME_BYTES:
        msg = (
            f"{where}: {name[:80]!r} is not a data set's name; wanted 1 to "
            f"{_MAX_NAME_BYTES} bytes that print, no slash, no dot or space at either "
            f"end; rename it"
        )
        raise ManifestError(msg)
    return name


def _bytes(name: str) -> int:
    """Return how long a name is on a disk."""
    return len(name.encode(errors="surrogateescape"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRecord:
    """A manifest row: what is known of a data set without reading it.

    Attributes
    ----------
    name, suite, partition : str
        `partition` is one of `odbench.suites.PARTITIONS`.
    path : str
        The file within the suite's repository, with ``/``; empty for a generated set.
    n_train, n_test, n_columns : int
        Sizes as published, before any row limit; 0 while not measured.
    n_anomalies : int or None
        Test rows with label 1; None where labels are not public.
    domain, archetype : str
        What the table is about; which kind of anomaly a synthetic one has.
    tags : tuple of str
        As published.
    source, source_url : str
        The collection it came from, and the page of the original file.
    licence : str
        SPDX identifier, or empty where none is known.
    family : str
        Sets of one family come from one source and are not independent.
    content_sha256 : str
        See `odbench.data.content`; empty while not measured.
    duplicate_train, test_in_train, anomalies_in_train : float or None
        Shares, see `odbench.data.audit`; None where labels are needed and not public.
    label_conflict : int or None
        1 where one feature vector carries both labels.
    file_bytes : int or None
        Size of the published file.
    file_sha256 : str
        Its digest, or empty.
    parameters : str
        Canonical JSON, for what only one suite has (a generator's parameters).
    """

    name: str
    suite: str
    partition: str = "public"
    path: str = ""
    n_train: int = 0
    n_test: int = 0
    n_columns: int = 0
    n_anomalies: int | None = None
    domain: str = ""
    archetype: str = ""
    tags: tuple[str, ...] = ()
    source: str = ""
    source_url: str = ""
    licence: str = ""
    family: str = ""
    content_sha256: str = ""
    duplicate_train: float | None = None
    test_in_train: float | None = None
    anomalies_in_train: float | None = None
    label_conflict: int | None = None
    file_bytes: int | None = None
    file_sha256: str = ""
    parameters: str = ""

    @property
    def id(self) -> str:
        """The name that is unique over all suites: ``suite/name``."""
        return f"{self.suite}/{self.name}"


@dataclass(frozen=True, eq=False, kw_only=True)
class RawDataset:
    """What an archive or a generator holds, checked, not yet stored.

    Attributes
    ----------
    train, test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
        Finite, in any memory order.
    labels : int8 array of shape (n_test,) or None
        1 = anomaly; None where they are not public.
    columns : tuple of str
        Their names, in order.
    facts : mapping
        What else the archive says, as JSON-ready values.
    skipped : tuple of str
        Members that were not read because they hold pickled or structured values.
    """

    train: FloatArray
    test: FloatArray
    labels: LabelArray | None
    columns: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, read.

    Attributes
    ----------
    X_train, X_test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
        Read-only views of the memory-mapped file, in Fortran order; nothing is
        copied, nothing is scaled.
    y_test : int8 array of shape (n_test,) or None
        1 = anomaly; None where labels are not public.
    columns : tuple of str
        Column names.
    record : DatasetRecord
        Its manifest row, measured.
    """

    X_train: FloatArray
    X_test: FloatArray
    y_test: LabelArray | None
    columns: tuple[str, ...]
    record: DatasetRecord
