"""Make a suite from a folder of labelled tables."""

from __future__ import annotations

import hashlib
import io
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from odbench.arrays import LabelArray
from odbench.data.archive import read_archive
from odbench.data.dataset import DatasetRecord, check_name
from odbench.data.manifest import write_manifest
from odbench.data.own import (
    DATA,
    DESCRIPTION,
    MANIFEST,
    TEXTS,
    check_suite_name,
    open_suite,
)
from odbench.data.rebuild import rebuild
from odbench.data.split import one_class_split
from odbench.data.transports.folder import Folder
from odbench.errors import DataError, OdbenchError, UsageError
from odbench.files import write_bytes, write_text

_TABLES = frozenset(
    (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".parquet", ".feather", ".arrow")
)
_PACKED = frozenset((".gz", ".zst"))
# A longer list of columns would not fit into a field of a CSV file.
_MOST_PARAMETERS = 100_000


@dataclass(frozen=True)
class Made:
    """A suite that was made.

    Attributes
    ----------
    folder : Path
        The suite.
    records : tuple of DatasetRecord
        The manifest.
    failed : tuple of str
        A line for each table that could not be used.
    """

    folder: Path
    records: tuple[DatasetRecord, ...]
    failed: tuple[str, ...]


def new_suite(
    name: str,
    tables: Path,
    *,
    label: str,
    anomaly: str,
    out: Path | None = None,
    about: Mapping[str, str] | None = None,
    update: bool = False,
) -> Made:
    """Make a suite's folder from a folder of tables.

    Each table is split one-class as ADBench's are, with the seed of ``name/table``. The
    encoding of columns is learned from the training rows.

    Parameters
    ----------
    name : str
        The suite's name.
    tables : Path
        A folder of CSV, JSON lines, Parquet, Feather or npz files. An npz file has
        ``X`` and ``y``, or ``train``, ``test`` and ``test_labels``.
    label : str
        The column of labels.
    anomaly : str
        Its value in the rows that are anomalies; every other value is an inlier.
    out : Path, optional
        The suite's folder; ``./NAME`` by default.
    about : mapping, optional
        Texts of ``suite.toml``: title, citation, licence and so on.
    update : bool
        Make the tables of an existing suite again.

    Returns
    -------
    Made

    Raises
    ------
    UsageError
        If the folder of tables is missing or has no usable table, or the suite's folder
        exists and `update` is false.
    ManifestError
        If the name cannot be that of a suite.
    """
    check_suite_name(name, where="suites new")
    folder = Path(name) if out is None else out
    files = _tables_in(tables)
    _check_target(folder, update=update)
    written: dict[str, str] = {}
    failed = []
    contents = {}
    for table, file in files.items():
        try:
            contents[table], written[table] = _convert(
                file, f"{name}/{table}", label, anomaly
            )
        except OdbenchError as error:
            failed.append(str(error))
    if not contents:
        msg = f"suite {name}: no table of {str(tables)!r} can be used: {failed[0]}"
        raise UsageError(msg)
    (folder / DATA).mkdir(parents=True, exist_ok=True)
    for table, content in contents.items():
        write_bytes(folder / DATA / f"{table}.npz", content)
    if not (folder / DESCRIPTION).exists():
        text = _description({"name": name, **(about or {})}, label, anomaly)
        write_text(folder / DESCRIPTION, text)
    records, unusable = _measure(folder, written)
    return Made(folder, records, (*failed, *unusable))


def _tables_in(folder: Path) -> dict[str, Path]:
    """Return the files of a folder by the names of their data sets."""
    if not folder.is_dir():
        msg = f"--from {str(folder)!r}: no such folder; name one that holds the tables"
        raise UsageError(msg)
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        suffixes = [suffix.lower() for suffix in file.suffixes]
        ending = [s for s in suffixes[-2:] if s in _TABLES | _PACKED | {".npz"}]
        if set(ending) <= _PACKED or not file.is_file():
            continue
        stem = file.name[: len(file.name) - sum(map(len, ending))]
        name = check_name(stem, where=f"table {str(file)!r}")
        if name in found:
            msg = (
                f"table {str(file)!r}: gives the data set {name!r}, as "
                f"{found[name].name!r} does; rename one"
            )
            raise UsageError(msg)
        found[name] = file
    if not found:
        wanted = ", ".join(sorted(s[1:] for s in _TABLES | {".npz"}))
        msg = f"--from {str(folder)!r}: holds no table; wanted files of {wanted}"
        raise UsageError(msg)
    return found


def _check_target(folder: Path, *, update: bool) -> None:
    if update and not (folder / DESCRIPTION).is_file():
        msg = (
            f"suite {str(folder)!r}: has no {DESCRIPTION}, so it cannot be updated; "
            f"make it without --update"
        )
        raise UsageError(msg)
    if folder.exists() and not update:
        msg = (
            f"suite {str(folder)!r}: exists; make its tables again with --update, or "
            f"choose another folder with --out"
        )
        raise UsageError(msg)


def _convert(
    file: Path, dataset_id: str, label: str, anomaly: str
) -> tuple[bytes, str]:
    """Return a table as an archive, and how it was made, as JSON."""
    if file.suffix.lower() == ".npz":
        read_archive(file, dataset_id=dataset_id, layout="either")
        content = file.read_bytes()
        return content, _parameters(content, {"made_from": file.name})
    from odbench.tables.encode import Encoder
    from odbench.tables.read import read_source
    from odbench.tables.roles import infer_roles

    before = _sha256(file)
    table = read_source(file).table()
    y = _labels(table, label, anomaly, str(file))
    features = table.drop_columns([label])
    places = np.arange(len(y), dtype=np.float64)[:, None]
    train, test, labels = one_class_split(places, y, dataset_id=dataset_id)
    rows = [part[:, 0].astype(np.int64) for part in (train, test)]
    columns = infer_roles(features)
    encoder = Encoder.of(columns, features.take(rows[0]))
    if not encoder.names:
        msg = f"table {str(file)!r}: no column can be used; see docs/own-tables.md"
        raise DataError(msg)
    if _sha256(file) != before:
        msg = f"table {str(file)!r}: changes while it is read; run again"
        raise DataError(msg)
    content = _archive(
        train=encoder.encode(features.take(rows[0])),
        test=encoder.encode(features.take(rows[1])),
        test_labels=labels,
        feature_names=np.asarray(encoder.names, dtype=str),
    )
    said = {"made_from": file.name, "label": label, "anomaly": anomaly}
    parts = {
        one.name: list(learned.parts)
        for one, learned in zip(encoder.columns, encoder.learned, strict=True)
    }
    roles = [
        {"name": one.name, "role": one.role, "encoded": parts.get(one.name, [])}
        for one in columns
    ]
    return content, _parameters(before, {**said, "columns": roles})


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _parameters(source: bytes | str, said: dict[str, Any]) -> str:
    """Return how a data set was made, with the hash of its table."""
    if isinstance(source, bytes):
        source = hashlib.sha256(source).hexdigest()
    said = {**said, "table_sha256": source}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    if len(text) > _MOST_PARAMETERS:
        said["columns"] = f"{len(said['columns'])} columns"
        text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return text


def _labels(table: Any, label: str, anomaly: str, where: str) -> LabelArray:
    """Return 1 for the rows whose label is the anomalies', int8 of shape (n,)."""
    from odbench.tables.values import as_text

    if label not in table.column_names:
        names = ", ".join(table.column_names[:10])
        msg = f"table {where!r}: has no column {label!r}; it has {names}"
        raise DataError(msg)
    texts = as_text(table.column(label)).to_pylist()
    gone = sum(text is None or not text.strip() for text in texts)
    if gone:
        msg = f"table {where!r}: column {label!r} is empty in {gone} rows; fill it"
        raise DataError(msg)
    y = np.asarray([_same(text, anomaly) for text in texts], dtype=np.int8)
    if y.min() == y.max() or (y == 0).sum() < 4:
        some = ", ".join(repr(text[:20]) for text in sorted(set(texts))[:5])
        msg = (
            f"table {where!r}: {int(y.sum())} of {len(y)} rows have {anomaly!r} in "
            f"column {label!r}, which has {some}; wanted one anomaly and four others"
        )
        raise DataError(msg)
    return y


def _same(text: str, anomaly: str) -> bool:
    """Check whether two values are the same text, or the same number."""
    if text.strip() == anomaly.strip():
        return True
    try:
        return float(text) == float(anomaly)
    except ValueError:
        return False


def _archive(**members: Any) -> bytes:
    """Return an npz archive; the same members give the same bytes."""
    sink = io.BytesIO()
    np.savez_compressed(sink, **members)
    return sink.getvalue()


def _description(about: Mapping[str, str], label: str, anomaly: str) -> str:
    """Return the text of ``suite.toml``."""
    values = {key: "" for key in TEXTS if key not in ("protocol", "title")}
    values |= {"title": about["name"], "protocol": "one-class"}
    values |= {key: value for key, value in about.items() if value}
    values |= {"label": label, "anomaly": anomaly}
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in values.items()
    ]
    text = "\n".join([*lines, ""])
    tomllib.loads(text)
    return text


def _measure(
    folder: Path, written: Mapping[str, str]
) -> tuple[tuple[DatasetRecord, ...], tuple[str, ...]]:
    """Measure the files of a suite's folder and write its manifest."""
    suite = open_suite(folder)
    old = [
        DatasetRecord(
            name=table,
            suite=suite.name,
            path=f"{DATA}/{table}.npz",
            licence=suite.licence,
            parameters=parameters,
        )
        for table, parameters in written.items()
    ]
    found = rebuild(suite, Folder(suite), old, partitions=("public",))
    write_manifest(found.records, folder / MANIFEST)
    return found.records, tuple(reason for _, reason in found.failed)
