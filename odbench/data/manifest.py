"""Manifests: one CSV file of data sets per suite."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from odbench.data.dataset import BEYOND_DUPLICATES, DatasetRecord, check_name
from odbench.errors import ManifestError
from odbench.suites import PARTITIONS, manifest_folder

N = TypeVar("N", int, float)

COLUMNS = tuple(f.name for f in fields(DatasetRecord))
_INTEGERS = ("n_train", "n_test", "n_columns")
_OPTIONAL_INTEGERS = (
    "n_anomalies", "label_conflict", "n_distinct_test", "n_distinct_anomalies",
    "large_integers", "file_bytes",
)  # fmt: skip
_SHARES = (
    "duplicate_train", "test_in_train", "anomalies_in_train", "ceiling_auroc",
    "ceiling_ap", "trivial_share",
)  # fmt: skip
# Manifests of earlier versions do not have these columns.
_ADDED = BEYOND_DUPLICATES
_SHARE_DECIMALS = 4
# Sizes beyond this are not those of a table, and would not fit into results.
_LARGEST = 2**53


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
        If it is not UTF-8 or not CSV, a column is unknown or missing (those that
        earlier versions did not have may be), a row has another number of fields, a
        value is bad, or a name is given twice.
    """
    file = (manifest_folder() if folder is None else folder) / f"{suite}.csv"
    if not file.is_file():
        return []
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        msg = (
            f"manifest {file.name}: is not UTF-8 (byte {error.start}); restore it or "
            f"save it as UTF-8"
        )
        raise ManifestError(msg) from error
    return parse_manifest(text, where=file.name)


def parse_manifest(text: str, *, where: str) -> list[DatasetRecord]:
    """Read a manifest's text; `where` names it in messages."""
    records: dict[tuple[str, str], DatasetRecord] = {}
    for number, row in _rows(text, where):
        record = _record(row, f"manifest {where}, line {number}")
        if (record.partition, record.name) in records:
            msg = f"manifest {where}, line {number}: {record.name!r} is given twice"
            raise ManifestError(msg)
        records[record.partition, record.name] = record
    return list(records.values())


def _rows(text: str, where: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each line and its fields by column."""
    lines = csv.reader(io.StringIO(text))
    try:
        header = next(lines, [])
        absent = [name for name in _ADDED if name not in header]
        if sorted([*header, *absent]) != sorted(COLUMNS):
            odd = ", ".join(sorted((set(header) ^ set(COLUMNS)) - set(absent)))
            fault = f"columns {odd} are missing or unknown" if odd else "a column twice"
            msg = f"manifest {where}: {fault}; wanted {','.join(COLUMNS)}"
            raise ManifestError(msg)
        for fields_ in lines:
            if not fields_:
                continue
            if len(fields_) != len(header):
                msg = (
                    f"manifest {where}, line {lines.line_num}: {len(fields_)} fields; "
                    f"wanted {len(header)}, one per column"
                )
                raise ManifestError(msg)
            row = dict(zip(header, fields_, strict=True))
            yield lines.line_num, dict.fromkeys(absent, "") | row
    except csv.Error as error:
        msg = f"manifest {where}, line {lines.line_num}: not CSV ({error}); restore it"
        raise ManifestError(msg) from error


def _record(row: Mapping[str, str], where: str) -> DatasetRecord:
    """Convert a CSV row to a record."""
    values: dict[str, Any] = dict(row)
    check_name(row["name"], where=where)
    if row["partition"] not in PARTITIONS:
        msg = f"{where}: partition is {row['partition']!r}; wanted public or private"
        raise ManifestError(msg)
    for name in (*_INTEGERS, *_OPTIONAL_INTEGERS):
        values[name] = _number(int, row[name], _LARGEST, f"{where}, column {name}")
    for name in _INTEGERS:
        values[name] = values[name] or 0
    for name in _SHARES:
        values[name] = _number(float, row[name], 1, f"{where}, column {name}")
    values["tags"] = tuple(row["tags"].split())
    return DatasetRecord(**values)


def _number(kind: Callable[[str], N], text: str, most: int, where: str) -> N | None:
    """Convert a field to a number from 0 to `most`; an empty one is None."""
    if not text:
        return None
    try:
        number = kind(text)
    except ValueError:
        number = None
    # False for NaN, too.
    if number is None or not 0 <= number <= most:
        wanted = "a share from 0 to 1" if most == 1 else f"a whole number up to {most}"
        msg = f"{where}: got {text[:80]!r}, wanted {wanted}, or nothing"
        raise ManifestError(msg)
    return number


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
