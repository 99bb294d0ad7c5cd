"""Manifests: one CSV of data sets and one TOML description a suite."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from odbench.data.dataset import PARTITIONS, DatasetRecord, check_name
from odbench.errors import ManifestError

TRANSPORTS = ("hub", "url", "generated")
COLUMNS = tuple(f.name for f in fields(DatasetRecord))
_INTEGERS = ("n_train", "n_test", "n_columns")
_OPTIONAL_INTEGERS = ("n_anomalies", "label_conflict", "file_bytes")
_SHARES = ("duplicate_train", "test_in_train", "anomalies_in_train")
_SHARE_DECIMALS = 4
_NO_SUBSETS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A suite's description.

    Attributes
    ----------
    name, title, summary, citation, licence, homepage : str
        For people.
    transport : str
        One of `TRANSPORTS`: a data set repository of a hub, files under a base URL, or
        made here.
    repository : str
        ``owner/name`` on the hub; for "url" the folder that a mirror has for it.
    revision : str
        The commit that is used: 40 hex digits, or "main", which is resolved once a
        run.
    collection : str
        What a data set's source is called where its archive does not say.
    base_url : str
        Where the files of a "url" suite are.
    layout : str
        "split" for archives that hold train and test, "whole" for X and y.
    folders : mapping
        Partition -> folder within the repository.
    protocol : str
        What a leaderboard of the suite uses.
    published_size : int
        How many data sets its authors name.
    subsets : mapping
        Name -> names of data sets; ``suite-subset`` on the command line.
    """

    name: str
    title: str
    transport: str
    summary: str = ""
    citation: str = ""
    licence: str = ""
    homepage: str = ""
    repository: str = ""
    revision: str = "main"
    collection: str = ""
    base_url: str = ""
    layout: str = "split"
    folders: Mapping[str, str] = field(
        default_factory=lambda: {"public": "public", "private": "private"}
    )
    protocol: str = "one-class"
    published_size: int = 0
    subsets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_SUBSETS)


def manifest_folder() -> Traversable:
    """Return the folder of the installed manifests."""
    return resources.files("odbench_manifest")


def read_suites(folder: Traversable | None = None) -> dict[str, Suite]:
    """Read every suite's description.

    Parameters
    ----------
    folder : Traversable, optional
        Where the TOML files are; the installed ones by default.

    Returns
    -------
    dict of str to Suite
        By name, in alphabetical order.

    Raises
    ------
    ManifestError
        If a description is not TOML, lacks a field, or has one that is not known.
    """
    place = manifest_folder() if folder is None else folder
    suites = {}
    for file in sorted(place.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml") and file.name != "families.toml":
            suite = _suite(file)
            suites[suite.name] = suite
    return suites


def _suite(file: Traversable) -> Suite:
    """Read one description."""
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        values["subsets"] = {
            name: tuple(members) for name, members in values.get("subsets", {}).items()
        }
        suite = Suite(**values)
    except (tomllib.TOMLDecodeError, TypeError, AttributeError) as error:
        msg = f"suite description {file.name}: {error}; see docs/data.md"
        raise ManifestError(msg) from error
    if suite.transport not in TRANSPORTS:
        msg = (
            f"suite description {file.name}: transport is {suite.transport!r}; "
            f"wanted one of {', '.join(TRANSPORTS)}"
        )
        raise ManifestError(msg)
    return suite


def read_manifest(suite: str, folder: Traversable | None = None) -> list[DatasetRecord]:
    """Read a suite's manifest.

    Parameters
    ----------
    suite : str
        Its name.
    folder : Traversable, optional
        Where the CSV files are; the installed ones by default.

    Returns
    -------
    list of DatasetRecord
        In the file's order; empty where the suite has no manifest yet.

    Raises
    ------
    ManifestError
        If a row has an unknown column, a bad value, or a name that stands twice.
    """
    file = (manifest_folder() if folder is None else folder) / f"{suite}.csv"
    if not file.is_file():
        return []
    return parse_manifest(file.read_text(encoding="utf-8"), where=file.name)


def parse_manifest(text: str, *, where: str) -> list[DatasetRecord]:
    """Read a manifest's text; `where` names it in messages."""
    rows = csv.DictReader(io.StringIO(text))
    unknown = set(rows.fieldnames or ()) ^ set(COLUMNS)
    if unknown:
        msg = (
            f"manifest {where}: columns {', '.join(sorted(unknown))} are missing or "
            f"not known; wanted {','.join(COLUMNS)}"
        )
        raise ManifestError(msg)
    records: dict[tuple[str, str], DatasetRecord] = {}
    for number, row in enumerate(rows, start=2):
        record = _record(row, f"manifest {where}, line {number}")
        if (record.partition, record.name) in records:
            msg = f"manifest {where}, line {number}: {record.name!r} stands twice"
            raise ManifestError(msg)
        records[record.partition, record.name] = record
    return list(records.values())


def _record(row: Mapping[str, str], where: str) -> DatasetRecord:
    """Turn one row of strings into a record."""
    values: dict[str, Any] = dict(row)
    check_name(row["name"], where=where)
    if row["partition"] not in PARTITIONS:
        msg = f"{where}: partition is {row['partition']!r}; wanted public or private"
        raise ManifestError(msg)
    try:
        for name in _INTEGERS:
            values[name] = int(row[name] or 0)
        for name in _OPTIONAL_INTEGERS:
            values[name] = int(row[name]) if row[name] else None
        for name in _SHARES:
            values[name] = float(row[name]) if row[name] else None
    except (ValueError, TypeError) as error:
        msg = f"{where}, column {name}: {error}"
        raise ManifestError(msg) from error
    values["tags"] = tuple((row["tags"] or "").split())
    return DatasetRecord(**values)


def format_manifest(records: Iterable[DatasetRecord]) -> str:
    """Return a manifest's text: rows by partition (public first) and name.

    The same records give the same bytes, whatever their order.
    """
    sink = io.StringIO()
    out = csv.writer(sink, lineterminator="\n")
    out.writerow(COLUMNS)
    for record in sorted(records, key=_place):
        out.writerow([_cell(name, getattr(record, name)) for name in COLUMNS])
    return sink.getvalue()


def write_manifest(records: Iterable[DatasetRecord], file: Path) -> None:
    """Write a manifest whole or not at all."""
    from odbench.data.atomic import write_text

    write_text(file, format_manifest(records))


def _place(record: DatasetRecord) -> tuple[int, str]:
    """Where a record stands in its manifest."""
    return PARTITIONS.index(record.partition), record.name


def _cell(name: str, value: Any) -> str:
    """Return a value as the manifest writes it."""
    if value is None or (name in _INTEGERS and value == 0):
        return ""
    if name in _SHARES:
        return str(round(value, _SHARE_DECIMALS))
    if name == "tags":
        return " ".join(value)
    return str(value)
