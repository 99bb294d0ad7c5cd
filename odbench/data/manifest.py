"""Manifests: one CSV file of data sets per suite."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import fields
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from odbench.data.dataset import DatasetRecord, check_name
from odbench.errors import ManifestError
from odbench.suites import PARTITIONS, manifest_folder

COLUMNS = tuple(f.name for f in fields(DatasetRecord))
_INTEGERS = ("n_train", "n_test", "n_columns")
_OPTIONAL_INTEGERS = ("n_anomalies", "label_conflict", "file_bytes")
_SHARES = ("duplicate_train", "test_in_train", "anomalies_in_train")
_SHARE_DECIMALS = 4


def read_manifest(suite: str, folder: Traversable | None = None) -> list[DatasetRecord]:
    """Read a suite's manifest.

    Parameters
    ----------
    suite : str
        Its name.
    folder : Traversable, optional
        The folder of the CSV files; the installed one by default.

    Returns
    -------
    list of DatasetRecord
        In the file's order; empty if the suite has no manifest yet.

    Raises
    ------
    ManifestError
        If a column is unknown or missing, a value is bad, or a name is given twice.
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
            f"unknown; wanted {','.join(COLUMNS)}"
        )
        raise ManifestError(msg)
    records: dict[tuple[str, str], DatasetRecord] = {}
    for number, row in enumerate(rows, start=2):
        record = _record(row, f"manifest {where}, line {number}")
        if (record.partition, record.name) in records:
            msg = f"manifest {where}, line {number}: {record.name!r} is given twice"
            raise ManifestError(msg)
        records[record.partition, record.name] = record
    return list(records.values())


def _record(row: Mapping[str, str], where: str) -> DatasetRecord:
    """Convert a CSV row to a record."""
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

    The text does not depend on the order of `records`.
    """
    sink = io.StringIO()
    out = csv.writer(sink, lineterminator="\n")
    out.writerow(COLUMNS)
    for record in sorted(records, key=_sort_key):
        out.writerow([_cell(name, getattr(record, name)) for name in COLUMNS])
    return sink.getvalue()


def write_manifest(records: Iterable[DatasetRecord], file: Path) -> None:
    """Write a manifest whole or not at all."""
    from odbench.files import write_text

    write_text(file, format_manifest(records))


def _sort_key(record: DatasetRecord) -> tuple[int, str]:
    """Return the sort key of a record in its manifest."""
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
