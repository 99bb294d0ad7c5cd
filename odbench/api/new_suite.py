"""Make a suite from a folder of labelled tables."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple

from odbench.api.suite_tables import convert
from odbench.data.bar import Bar
from odbench.data.dataset import DatasetRecord, check_name
from odbench.data.family import table_of
from odbench.data.manifest import write_manifest
from odbench.data.own import (
    DATA,
    DESCRIPTION,
    MANIFEST,
    being_written,
    check_suite_name,
    label_of,
    manifest_of,
    open_suite,
)
from odbench.data.rebuild import rebuild
from odbench.data.transports.folder import Folder
from odbench.errors import ManifestError, OdbenchError, UsageError
from odbench.files import write_bytes, write_text

logger = logging.getLogger("odbench")

_TABLES = frozenset(
    (
        *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson"),
        *(".parquet", ".feather", ".arrow"),
    )
)
_PACKED = frozenset((".gz", ".zst", ".bz2", ".zip"))
# At most so many names in a remark of one line.
_NAMED = 5


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
        The column of labels; npz files need none. With `update`, the one in
        ``suite.toml`` by default.
    anomaly : str
        Its value in the rows that are anomalies; every other value is an inlier. With
        `update`, the one in ``suite.toml`` by default.
    out : Path, optional
        The suite's folder; ``./NAME`` by default.
    about : mapping, optional
        Texts of ``suite.toml``: title, citation, licence and so on.
    update : bool
        Make the tables of an existing suite again, and add those it does not have.
        Texts that were entered in its manifest by hand are kept.

    Returns
    -------
    Made

    Raises
    ------
    UsageError
        If the folder of tables is missing or has no usable table, or the suite's folder
        has files and `update` is false, or `update` is true and the folder is not that
        suite, or `about` has texts.
    ManifestError
        If the name cannot be that of a suite, or the manifest to update is broken.
    RunLockedError
        If another call is writing the same suite.
    """
    check_suite_name(name, where="suites new", step="choose another NAME")
    folder = Path(name) if out is None else out
    files, unnamed = _tables_in(tables)
    with contextlib.ExitStack() as held:
        before: list[DatasetRecord] = []
        if update:
            _check_there(folder)
            held.enter_context(being_written(folder))
            before = _present_rows(folder, name, about or {})
            known = label_of(folder)
            _tell_other_label(folder, (label, anomaly), known)
            label, anomaly = label or known[0], anomaly or known[1]
        else:
            _check_free(folder)
        made = _converted(files, name, label, anomaly)
        made.failed.extend(unnamed)
        if not made.contents:
            msg = f"suite {name}: no table of {str(tables)!r} can be used: "
            raise UsageError(msg + made.failed[0])
        _claim(folder, update=update)
        if not update:
            held.enter_context(being_written(folder))
        # Once it is there, `update` goes on where a full disk ended this.
        if not (folder / DESCRIPTION).exists():
            text = _description({"name": name, **(about or {})}, label, anomaly)
            write_text(folder / DESCRIPTION, text)
        for table, content in made.contents.items():
            write_bytes(folder / DATA / f"{table}.npz", content)
        records, unusable = _measure(folder, made.written, before)
    _tell_left([row.name for row in records if row.name not in files], tables)
    return Made(folder, records, (*made.failed, *unusable))


class _Converted(NamedTuple):
    """Tables as archives, how each was made, and a line per table that was not."""

    contents: dict[str, bytes]
    written: dict[str, str]
    failed: list[str]


def _converted(
    files: Mapping[str, Path], name: str, label: str, anomaly: str
) -> _Converted:
    made = _Converted({}, {}, [])
    bar = Bar(len(files), visible=sys.stderr.isatty(), action="read")
    with contextlib.closing(bar):
        for table, file in files.items():
            try:
                made.contents[table], made.written[table] = convert(
                    file, f"{name}/{table}", label, anomaly
                )
            except OdbenchError as error:
                made.failed.append(str(error))
            bar.step(failed=table not in made.contents)
    return made


def _tables_in(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the files of a folder by the names of their data sets.

    Also returns a line for each file whose name cannot be that of a data set.
    """
    if not folder.is_dir():
        msg = f"--from {str(folder)!r}: no such folder; name one that holds the tables"
        raise UsageError(msg)
    found: dict[str, Path] = {}
    others, unnamed = [], []
    for file in sorted(folder.iterdir()):
        # Names with a dot in front are those of systems, such as ._orders.csv.
        if file.name.startswith("."):
            continue
        stem = _stem(file.name)
        if stem is None or not file.is_file():
            others.append(f"{file.name}/" if file.is_dir() else file.name)
            continue
        try:
            name = check_name(stem, where=f"table {str(file)!r}")
        except ManifestError as error:
            unnamed.append(str(error))
            continue
        if name in found:
            msg = (
                f"table {str(file)!r}: gives the data set {name!r}, as "
                f"{found[name].name!r} does; rename one"
            )
            raise UsageError(msg)
        found[name] = file
    wanted = ", ".join(sorted(s[1:] for s in _TABLES | {".npz"}))
    wanted = f"wanted files of {wanted}; folders in it are not read"
    if not found and not unnamed:
        has = f"; it has {_some(others)}" if others else ""
        msg = f"--from {str(folder)!r}: holds no table{has}; {wanted}"
        raise UsageError(msg)
    if others:
        logger.warning("left out of %r: %s; %s", str(folder), _some(others), wanted)
    return found, unnamed


def _stem(file: str) -> str | None:
    """Return the name of a table without its endings, or None for any other file."""
    path = PurePath(file)
    if path.suffix.lower() in _PACKED:
        path = PurePath(path.stem)
        return path.stem if path.suffix.lower() in _TABLES else None
    return path.stem if path.suffix.lower() in _TABLES | {".npz"} else None


def _some(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    shown = list(names)
    more = len(shown) - _NAMED
    return ", ".join(shown[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _check_free(folder: Path) -> None:
    """Refuse a folder for a new suite that is a suite, or has other files."""
    if (folder / DESCRIPTION).is_file():
        msg = (
            f"suite {str(folder)!r}: exists; make its tables again with --update, or "
            f"choose another folder with --out"
        )
        raise UsageError(msg)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        is_folder = folder.is_dir()
        fault = f"has files, but no {DESCRIPTION}" if is_folder else "is a file"
        step = "empty it, or choose" if is_folder else "choose"
        msg = f"suite {str(folder)!r}: {fault}; {step} another folder with --out"
        raise UsageError(msg)


def _claim(folder: Path, *, update: bool) -> None:
    """Make the folder of the data, which only one of two calls can do."""
    try:
        (folder / DATA).mkdir(parents=True, exist_ok=update)
    except FileExistsError as error:
        msg = (
            f"suite {str(folder)!r}: another call has just made it; wait for its end, "
            f"then use --update, or choose another folder with --out"
        )
        raise UsageError(msg) from error


def _check_there(folder: Path) -> None:
    """Refuse to update a folder that is no suite."""
    if not (folder / DESCRIPTION).is_file():
        msg = (
            f"suite {str(folder)!r}: has no {DESCRIPTION}, so it cannot be updated; "
            f"make it without --update"
        )
        raise UsageError(msg)


def _present_rows(
    folder: Path, name: str, about: Mapping[str, str]
) -> list[DatasetRecord]:
    """Return the manifest of the suite to update, if the call is meant for it."""
    suite = open_suite(folder)
    if suite.name != name:
        msg = (
            f"suite {str(folder)!r}: its name is {suite.name!r}, not {name!r}; write "
            f"its NAME, which the splits depend on, or choose another folder with --out"
        )
        raise UsageError(msg)
    given = [f"--{key}" for key, value in about.items() if value]
    if given:
        msg = (
            f"suite {str(folder)!r}: {', '.join(given)} cannot be used with --update, "
            f"which keeps {DESCRIPTION} as it is; edit that file"
        )
        raise UsageError(msg)
    return manifest_of(suite)


def _tell_other_label(
    folder: Path, given: tuple[str, str], known: tuple[str, str]
) -> None:
    """Say that a label given for this update is not the one of the next."""
    for option, now, then in zip(("label", "anomaly"), given, known, strict=True):
        if now and then and now != then:
            logger.warning(
                "--%s %r: %s has %r, which the next --update takes; write %r there to "
                "keep it", option, now, folder / DESCRIPTION, then, now,
            )  # fmt: skip


def _tell_left(names: list[str], tables: Path) -> None:
    """Say which data sets were not made from this folder, in one line."""
    if names:
        logger.warning(
            "not in %r, so left in the suite as they were: %s; to take one out, remove "
            "its file in %s and update again", str(tables), _some(names), DATA,
        )  # fmt: skip


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
    folder: Path, written: Mapping[str, str], before: Iterable[DatasetRecord]
) -> tuple[tuple[DatasetRecord, ...], tuple[str, ...]]:
    """Measure the files of a suite's folder and write its manifest."""
    suite = open_suite(folder)
    rows = {(row.partition, row.name): row for row in before}
    for table, parameters in written.items():
        new = DatasetRecord(name=table, suite=suite.name, licence=suite.licence)
        row = rows.get(("public", table), new)
        rows["public", table] = dataclasses.replace(
            row, path=f"{DATA}/{table}.npz", parameters=parameters
        )
    found = rebuild(suite, Folder(suite), list(rows.values()), partitions=("public",))
    # A table whose file was removed is no longer in the suite.
    gone = {(row.partition, row.name) for row in found.kept}
    records = tuple(
        row for row in found.records if (row.partition, row.name) not in gone
    )
    write_manifest(records, folder / MANIFEST)
    _tell_leaks(found.leaks)
    _tell_copies(records)
    return records, tuple(reason for _, reason in found.failed)


def _tell_leaks(leaks: Mapping[str, tuple[str, ...]]) -> None:
    """Say which columns nearly are the labels, in one line."""
    named = [
        f"{', '.join(map(repr, columns))} in {name}"
        for name, columns in sorted(leaks.items())
        if columns
    ]
    if named:
        logger.warning(
            "columns that give the labels away: %s; remove those that follow from the "
            "label", _some(named),
        )  # fmt: skip


def _tell_copies(records: Iterable[DatasetRecord]) -> None:
    """Say which data sets were made from the same table, in one line."""
    names: dict[str, list[str]] = {}
    for row in records:
        if table := table_of(row):
            names.setdefault(table, []).append(row.name)
    copies = [" = ".join(same) for same in names.values() if len(same) > 1]
    if copies:
        logger.warning(
            "data sets made from the same table: %s; statistics count them as one "
            "family", _some(copies),
        )  # fmt: skip
