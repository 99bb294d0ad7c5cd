"""Make a suite from a folder of labelled tables."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from odbench.api.suite_tables import convert
from odbench.data.dataset import DatasetRecord, check_name
from odbench.data.manifest import write_manifest
from odbench.data.own import (
    DATA,
    DESCRIPTION,
    MANIFEST,
    check_suite_name,
    open_suite,
)
from odbench.data.rebuild import rebuild
from odbench.data.transports.folder import Folder
from odbench.errors import OdbenchError, UsageError
from odbench.files import write_bytes, write_text

_TABLES = frozenset(
    (
        *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson"),
        *(".parquet", ".feather", ".arrow"),
    )
)
_PACKED = frozenset((".gz", ".zst", ".bz2"))


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
    label: str = "",
    anomaly: str = "",
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
        A folder of CSV, JSON, Parquet, Feather or npz files. An npz file has
        ``X`` and ``y``, or ``train``, ``test`` and ``test_labels``.
    label : str
        The column of labels; npz files need none.
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
    check_suite_name(name, where="suites new", step="choose another NAME")
    folder = Path(name) if out is None else out
    files = _tables_in(tables)
    _check_target(folder, update=update)
    written: dict[str, str] = {}
    failed = []
    contents = {}
    for table, file in files.items():
        try:
            contents[table], written[table] = convert(
                file, f"{name}/{table}", label, anomaly
            )
        except OdbenchError as error:
            failed.append(str(error))
    if not contents:
        msg = f"suite {name}: no table of {str(tables)!r} can be used: {failed[0]}"
        raise UsageError(msg)
    (folder / DATA).mkdir(parents=True, exist_ok=True)
    # Once it is there, `update` goes on where a full disk ended this.
    if not (folder / DESCRIPTION).exists():
        text = _description({"name": name, **(about or {})}, label, anomaly)
        write_text(folder / DESCRIPTION, text)
    for table, content in contents.items():
        write_bytes(folder / DATA / f"{table}.npz", content)
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
        # Names with a dot in front are those of systems, such as ._orders.csv.
        hidden = file.name.startswith(".")
        if hidden or set(ending) <= _PACKED or not file.is_file():
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


def _description(about: Mapping[str, str], label: str, anomaly: str) -> str:
    """Return the text of ``suite.toml``."""
    values = {"name": about["name"], "title": about["name"]}
    values |= dict.fromkeys(("summary", "citation", "licence", "homepage"), "")
    values |= {"protocol": "one-class"}
    values |= {key: value for key, value in about.items() if value}
    if label:
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
