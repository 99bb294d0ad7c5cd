"""Suites of one's own: a folder with `suite.toml`, `manifest.csv` and `data/`."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from odbench.data.dataset import DatasetRecord
from odbench.data.manifest import parse_manifest
from odbench.data.stamps import Stamp, file_sha256, stamp_of
from odbench.errors import ManifestError, RunLockedError, UsageError
from odbench.files import at_home, lock
from odbench.scoring.settings import Protocol
from odbench.suites import Suite, load_suites, register, shipped_names

DESCRIPTION = "suite.toml"
MANIFEST = "manifest.csv"
DATA = "data"
TEXTS = ("title", "summary", "citation", "licence", "homepage", "protocol")
_LOCK = ".suite.lock"
_KEYS = ("name", *TEXTS, "label", "anomaly")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_MOST_BYTES = {DESCRIPTION: 1 << 16, MANIFEST: 1 << 26}


def is_place(suite: str) -> bool:
    """Check whether a suite is given as a folder or file, not as a name."""
    looks = suite.startswith((".", "~")) or suite.endswith(".toml")
    return looks or bool(set(suite) & {"/", "\\"})


def has_description(place: str) -> bool:
    """Check whether a place is a folder with a ``suite.toml``, or that file."""
    path = at_home(Path(place))
    file = path if path.name == DESCRIPTION else path / DESCRIPTION
    try:
        return file.is_file()
    except (OSError, ValueError):
        return False


def typed(name: str) -> str:
    """Return what to type for a known suite in a shell: its name, or its folder."""
    suite = load_suites().get(name)
    if suite is None or not suite.root:
        return shlex.quote(name)
    root, here = Path(suite.root), Path.cwd().resolve()
    near = f"./{root.relative_to(here)}" if root.is_relative_to(here) else suite.root
    return shlex.quote(near)


def content_step(suite: str) -> str:
    """Return the next step where a file has other content than the manifest says.

    A file of one's own was not damaged on its way: its split has the id as its seed, so
    another name of the suite gives other content.
    """
    described = load_suites().get(suite)
    if described is None or described.transport != "folder":
        return "fetch the file again"
    return (
        f"measure it anew with `odbench datasets audit --suite {typed(suite)} --write`"
    )


def short_name(suite: str) -> str:
    """Return a name for files that are about a suite, given by name or place."""
    if not is_place(suite):
        return suite
    path = at_home(Path(suite))
    return (path.parent if path.name == DESCRIPTION else path).resolve().name


def as_text(given: object, what: str, wanted: str) -> str:
    """Return a name or a place that a caller gave, as text.

    Raises
    ------
    UsageError
        If it is neither a text nor a path; `what` is the parameter.

    Examples
    --------
    >>> as_text(Path("fraud") / "cards", "id", "SUITE/NAME")
    'fraud/cards'
    """
    if isinstance(given, (str, Path)):
        return str(given)
    msg = f"{what}: got {repr(given)[:80]}, wanted {wanted}"
    raise UsageError(msg)


def split_id(dataset_id: str) -> tuple[str, str]:
    """Split a data set's id into suite and name; the suite may be a folder.

    Examples
    --------
    >>> split_id("oddbench/ALLPatientData")
    ('oddbench', 'ALLPatientData')
    >>> split_id("./fraud/cards")
    ('./fraud', 'cards')
    >>> split_id("fraud")
    ('fraud', '')
    """
    suite, slash, name = dataset_id.rpartition("/")
    if not slash or (name and has_description(dataset_id)):
        # The place of a suite alone.
        return dataset_id, ""
    return suite, name


def check_suite_name(name: str, *, where: str, step: str = "") -> str:
    """Return a suite's name if it is well formed and no shipped suite has it.

    Raises
    ------
    ManifestError
        If it is neither; `where` names its source, `step` says how to mend it.
    """
    step = step or f"set another `name` in {DESCRIPTION}"
    if not _NAME.fullmatch(name):
        msg = (
            f"{where}: suite name {name[:80]!r}; wanted 1 to 40 of a-z, 0-9, - and _; "
            f"{step}"
        )
        raise ManifestError(msg)
    for other in shipped_names():
        if name == other or name.startswith(f"{other}-"):
            msg = f"{where}: suite name {name!r} is that of the suite {other}; {step}"
            raise ManifestError(msg)
    return name


def open_suite(place: str | Path, *, name: str = "") -> Suite:
    """Read a suite's folder, and make the suite known under its name.

    Parameters
    ----------
    place : str or Path
        The folder, or the ``suite.toml`` in it.
    name : str, optional
        Its name; by default the one in the file, else the folder's.

    Raises
    ------
    UsageError
        If there is no such folder or file.
    ManifestError
        If the description is too large, not TOML, or has an unknown field.
    """
    folder = _folder(place)
    file = folder / DESCRIPTION
    values = _description(file)
    given = name or values.pop("name", "") or folder.resolve().name
    texts: dict[str, Any] = {key: values[key] for key in TEXTS if key in values}
    suite = Suite(
        name=check_suite_name(given, where=str(file)),
        **{"title": given, **texts},
        transport="folder",
        layout="either",
        folders={"public": DATA},
        root=str(folder.resolve()),
    )
    register(suite)
    return suite


def _folder(place: str | Path) -> Path:
    path = at_home(Path(place))
    folder = path.parent if path.name == DESCRIPTION else path
    if not (folder / DESCRIPTION).is_file():
        fault = f"has no {DESCRIPTION}" if folder.is_dir() else "no such folder"
        msg = (
            f"suite {str(place)!r}: {fault}; wanted a folder that `odbench suites new` "
            f"made, or its {DESCRIPTION}"
        )
        raise UsageError(msg)
    return folder


def _description(file: Path) -> dict[str, str]:
    """Read a description; every value is a text."""
    try:
        values: dict[str, Any] = tomllib.loads(_text(file))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        msg = f"{file}: is not TOML ({str(error)[:100]}); correct it"
        raise ManifestError(msg) from error
    for key, value in values.items():
        if key not in _KEYS:
            msg = f"{file}: {key[:80]!r} is unknown; wanted some of {', '.join(_KEYS)}"
            raise ManifestError(msg)
        if not isinstance(value, str):
            msg = f"{file}: {key} is {str(value)[:80]}; wanted a text in quotes"
            raise ManifestError(msg)
    if "protocol" in values:
        try:
            Protocol.parse(values["protocol"])
        except UsageError as error:
            msg = f"{file}: {error}"
            raise ManifestError(msg) from error
    return values


def label_of(folder: Path) -> tuple[str, str]:
    """Return the column of labels and the value of anomalies that made a suite.

    Raises
    ------
    ManifestError
        If the description is too large, not TOML, or has an unknown field.
    """
    values = _description(folder / DESCRIPTION)
    return values.get("label", ""), values.get("anomaly", "")


def _text(file: Path) -> str:
    """Read a file of UTF-8 of a bounded size."""
    most = _MOST_BYTES[file.name]
    try:
        with file.open("rb") as stream:
            content = stream.read(most + 1)
        if len(content) > most:
            msg = f"{file}: more than {most} bytes; make it smaller"
            raise ManifestError(msg)
        return content.decode("utf-8")
    except OSError as error:
        msg = f"{file}: cannot be read ({error.strerror})"
        raise ManifestError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{file}: is not UTF-8 (byte {error.start}); save it as UTF-8"
        raise ManifestError(msg) from error


@contextlib.contextmanager
def being_written(folder: str | Path) -> Iterator[None]:
    """Hold the lock of a suite's folder, so that only one call at a time changes it.

    Raises
    ------
    RunLockedError
        If another call holds it.
    """
    with (Path(folder) / _LOCK).open("a") as file:
        try:
            lock(file)
        except BlockingIOError:
            msg = (
                f"suite {str(folder)!r}: another call is writing it; wait for its end, "
                f"then call again"
            )
            raise RunLockedError(msg) from None
        yield


def manifest_of(suite: Suite) -> list[DatasetRecord]:
    """Return the rows of an own suite's manifest, in its present name.

    Raises
    ------
    ManifestError
        If the manifest is broken.
    """
    file = Path(suite.root) / MANIFEST
    if not file.is_file():
        return []
    rows = parse_manifest(_text(file), where=str(file))
    return [dataclasses.replace(row, suite=suite.name) for row in rows]


def own_rows(suite: Suite) -> list[DatasetRecord]:
    """Return a row for every file of an own suite, and every row without a file.

    A row of the manifest holds for the file that was measured. A file with another hash
    has a row without measurements, so that it is measured when it is pulled.
    """
    rows = {row.name: row for row in manifest_of(suite) if row.partition == "public"}
    found = dict(rows)
    for file in _files(suite):
        # A name that cannot be stored fails when it is, for its data set alone.
        name = file.stem
        bare = DatasetRecord(name=name, suite=suite.name, licence=suite.licence)
        found[name] = _as_file(rows.get(name, bare), file, suite)
    return [found[name] for name in sorted(found)]


def _files(suite: Suite) -> Iterator[Path]:
    folder = Path(suite.root) / DATA
    if folder.is_dir():
        for file in sorted(folder.iterdir()):
            if file.suffix == ".npz" and not file.name.startswith("."):
                yield file


def _as_file(row: DatasetRecord, file: Path, suite: Suite) -> DatasetRecord:
    """Return a row if it was measured on this file, else one without measurements."""
    row = dataclasses.replace(row, path=f"{DATA}/{file.name}")
    try:
        inside = is_inside(file, Path(suite.root))
        stamp = stamp_of(file) if inside and file.is_file() else None
        sha256 = "" if stamp is None else _sha256(file, stamp)
    except OSError:
        # Reading it gives the error, for this data set alone.
        return unmeasured(row)
    if sha256 and sha256 == row.file_sha256 and row.content_sha256:
        return row
    size = None if stamp is None else stamp.size
    return dataclasses.replace(unmeasured(row), file_bytes=size, file_sha256=sha256)


def unmeasured(row: DatasetRecord) -> DatasetRecord:
    """Return a row with only those fields that do not follow from the file."""
    return DatasetRecord(
        name=row.name,
        suite=row.suite,
        partition=row.partition,
        path=row.path,
        domain=row.domain,
        source=row.source,
        source_url=row.source_url,
        licence=row.licence,
        parameters=row.parameters,
    )


@functools.lru_cache(maxsize=4096)
def _sha256(file: Path, stamp: Stamp) -> str:  # noqa: ARG001 - the cache's key
    return file_sha256(file)


def is_inside(file: Path, root: Path) -> bool:
    """Check whether a file, with all links followed, is inside a folder."""
    return file.resolve().is_relative_to(root.resolve())
