"""The types of a data set: its manifest row, its raw contents, its arrays."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from odbench.arrays import FloatArray, LabelArray
from odbench.errors import ManifestError

_NOTHING: Mapping[str, Any] = MappingProxyType({})
# Fields that manifests of earlier versions do not have. Where a manifest leaves them
# empty, they are measured when the data set is pulled.
BEYOND_DUPLICATES = (
    "n_distinct_test", "n_distinct_anomalies", "ceiling_auroc", "ceiling_ap",
    "trivial_share", "large_integers",
)  # fmt: skip
# Names become file names, and with a suffix they must fit into 255 bytes.
_MAX_NAME_BYTES = 200
# Rows and columns of a data set in a notebook.
_SHOWN = 6


def check_name(name: str, *, where: str) -> str:
    """Return a data set's name if it is safe as a file name.

    Parameters
    ----------
    name : str
        A name from a manifest, a listing or a user.
    where : str
        Where the name comes from, for the message.

    Raises
    ------
    ManifestError
        If it is empty or too long, or has a path separator, an unprintable character,
        or a dot or a space at either end.
    """
    safe = name.isprintable() and not set(name) & {"/", "\\"}
    if not safe or name != name.strip(" .") or not 0 < _bytes(name) <= _MAX_NAME_BYTES:
        msg = (
            f"{where}: {name[:80]!r} is not a valid data set name; wanted 1 to "
            f"{_MAX_NAME_BYTES} printable bytes, no slash, no dot or space at either "
            f"end; rename it"
        )
        raise ManifestError(msg)
    return name


def _bytes(name: str) -> int:
    """Return a name's length in bytes on disk."""
    return len(name.encode(errors="surrogateescape"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRecord:
    """A manifest row: the facts about a data set that need no arrays.

    Attributes
    ----------
    name, suite, partition : str
        `partition` is one of `odbench.suites.PARTITIONS`.
    path : str
        The file within the suite's repository, with ``/``; empty if generated.
    n_train, n_test, n_columns : int
        Sizes as published, before any row limit; 0 if not measured yet.
    n_anomalies : int or None
        Test rows with label 1; None if labels are not public.
    domain, archetype : str
        The table's subject; the kind of anomaly in a synthetic one.
    tags : tuple of str
        As published.
    source, source_url : str
        The collection it came from, and the page of the original file.
    licence : str
        SPDX identifier, or empty if unknown.
    family : str
        Data sets of one family share a source and are not independent.
    content_sha256 : str
        See `odbench.data.content`; empty if not measured yet.
    duplicate_train, test_in_train, anomalies_in_train : float or None
        Shares, see `odbench.data.audit`; None if they need labels that are not public.
    label_conflict : int or None
        1 if an anomaly's vector also occurs among the inliers, else 0; None if labels
        are not public.
    n_distinct_test, n_distinct_anomalies : int or None
        Distinct pairs of a vector and its label in test, and those with label 1; see
        `odbench.data.distinct`.
    ceiling_auroc, ceiling_ap : float or None
        The best that any score of the vectors can reach; see `odbench.data.ceiling`.
    trivial_share : float or None
        Share of the anomalies that one rule on one direction finds; see
        `odbench.data.trivial`.
    large_integers : int or None
        Columns of whole numbers with values beyond 2**53, which float64 rounds. Of
        these six, all but the last are None if labels are not public; all are None if
        they have not been measured.
    file_bytes : int or None
        Size of the published file.
    file_sha256 : str
        The file's SHA-256, or empty.
    parameters : str
        Canonical JSON of facts that only one suite has, such as a generator's
        parameters.
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
    n_distinct_test: int | None = None
    n_distinct_anomalies: int | None = None
    ceiling_auroc: float | None = None
    ceiling_ap: float | None = None
    trivial_share: float | None = None
    large_integers: int | None = None
    file_bytes: int | None = None
    file_sha256: str = ""
    parameters: str = ""

    @property
    def id(self) -> str:
        """The name that is unique over all suites: ``suite/name``."""
        return f"{self.suite}/{self.name}"


@dataclass(frozen=True, eq=False, kw_only=True)
class RawDataset:
    """The checked contents of an archive or a generated set, before it is stored.

    Attributes
    ----------
    train, test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
        Finite, in any memory order.
    labels : int8 array of shape (n_test,) or None
        1 = anomaly; None if labels are not public.
    columns : tuple of str
        Column names, in order.
    facts : mapping
        The archive's other members, as JSON-ready values.
    skipped : tuple of str
        Members that were not read because they are not arrays of numbers or text:
        pickled objects, records, dates.
    severity : int8 array of shape (n_test,) or None
        0 = inlier, 1 and up = level of an anomaly, higher departs further; None if
        anomalies have no levels.
    """

    train: FloatArray
    test: FloatArray
    labels: LabelArray | None
    columns: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    skipped: tuple[str, ...] = ()
    severity: LabelArray | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A data set in memory.

    Attributes
    ----------
    X_train, X_test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
        Read-only views of the memory-mapped file, in Fortran order; neither copied
        nor scaled.
    y_test : int8 array of shape (n_test,) or None
        1 = anomaly; None if labels are not public.
    columns : tuple of str
        Column names.
    record : DatasetRecord
        Its manifest row, with measurements.
    """

    X_train: FloatArray
    X_test: FloatArray
    y_test: LabelArray | None
    columns: tuple[str, ...]
    record: DatasetRecord

    def __repr__(self) -> str:
        return f"<Dataset {self.record.id}: {self._sizes()}>"

    def _repr_html_(self) -> str:
        names = (html.escape(name) for name in self.columns[:_SHOWN])
        heads = "".join(f"<th>{name}</th>" for name in names)
        rows = "".join(
            "<tr>"
            + "".join(f"<td>{value:.6g}</td>" for value in row[:_SHOWN])
            + "</tr>"
            for row in self.X_train[:_SHOWN]
        )
        more = len(self.columns) - _SHOWN
        rest = f"; {more} more columns" if more > 0 else ""
        title = html.escape(f"{self.record.id}: {self._sizes()}")
        return (
            f"<p>{title}. First rows of train{rest}:</p>"
            f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def _sizes(self) -> str:
        """Count rows, columns and anomalies."""
        labels = self.y_test
        anomalies = (
            "labels not public" if labels is None else f"{labels.sum()} anomalies"
        )
        return (
            f"{len(self.X_train)} train and {len(self.X_test)} test rows x "
            f"{len(self.columns)} columns, {anomalies}"
        )
