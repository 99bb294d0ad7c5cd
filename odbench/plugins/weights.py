"""Trained weights of a configuration: obtained, hashed, and kept under their hash.

The driver of a run pins them before the first trial. A detector's process sees the
copy in the store alone, by a path that ends in the file's sha256, and can write to
neither. The hash is part of the configuration's version, and so of every trial's key.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from odbench.detector import Weights
from odbench.errors import HashMismatchError, MissingWeightsError, StoreError
from odbench.files import whole_file
from odbench.plugins.configuration import Configuration
from odbench.plugins.objects import is_frozen
from odbench.plugins.specs import join_spec, split_spec

FOLDER = "weights"
_HASH = re.compile(r"[0-9a-f]{64}")
_SHOWN = 12


def pin_all(
    configurations: Iterable[Configuration], *, fetch: bool
) -> list[Configuration]:
    """Pin the weights of several configurations; see `pin_weights`."""
    return [pin_weights(one, fetch=fetch) for one in configurations]


def pin_weights(configuration: Configuration, *, fetch: bool) -> Configuration:
    """Obtain a configuration's weights and make their hashes part of its version.

    Parameters
    ----------
    configuration : Configuration
        From `odbench.plugins.find.find_detector`.
    fetch : bool
        Download files that are not on this machine. Without it, they count as missing
        in the version.

    Returns
    -------
    Configuration
        With the version and the spec that name the files; the same object if the
        detector has no weights.

    Raises
    ------
    OdbenchError
        If a file cannot be obtained, read or kept, or has another hash than its pin;
        with `fetch` also if the detector cannot use it.
    """
    if configuration.info.weights is None or is_frozen(configuration.spec):
        return configuration
    marks, paths = [], {}
    for one in configuration.info.weights(**configuration.params):
        path = one.find() or (one.fetch() if fetch else None)
        if path is None:
            marks.append(f"{one.parameter} missing")
            continue
        kept = _keep(path, one)
        if fetch and one.check is not None:
            # Of the file that the user knows, because messages name it.
            one.check(path)
        marks.append(_mark(one, kept.name))
        paths[one.parameter] = str(kept)
    target = split_spec(configuration.spec)[0]
    return replace(
        configuration,
        version=" + ".join([configuration.version, *marks]),
        spec=join_spec(target, {**configuration.overrides, **paths}),
    )


def restored(configuration: Configuration) -> Configuration:
    """Return a configuration in a detector's process, with the version of its weights.

    Parameters
    ----------
    configuration : Configuration
        From the spec of a configuration that `pin_weights` returned.

    Raises
    ------
    MissingWeightsError
        If a file is not where the driver of the run put it.
    HashMismatchError
        If it was changed there.
    """
    if configuration.info.weights is None or is_frozen(configuration.spec):
        return configuration
    marks = []
    for one in configuration.info.weights(**configuration.params):
        path = Path(str(configuration.params.get(one.parameter) or ""))
        if not path.is_file():
            msg = (
                f"detector {configuration.info.name!r}: no file {str(path)!r} of "
                f"weights on this machine; workers need the driver's ODBENCH_CACHE"
            )
            raise MissingWeightsError(msg)
        digest = file_sha256(path)
        _check(path, digest, path.name if _HASH.fullmatch(path.name) else one.sha256)
        marks.append(_mark(one, digest))
    return replace(configuration, version=" + ".join([configuration.version, *marks]))


def missing(configuration: Configuration) -> list[Weights]:
    """Return the weights of a configuration that are not on this machine."""
    if configuration.info.weights is None:
        return []
    wanted = configuration.info.weights(**configuration.params)
    return [one for one in wanted if one.find() is None]


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file as 64 hex digits.

    Raises
    ------
    StoreError
        If it cannot be read.
    """
    try:
        with path.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as error:
        msg = f"weights {str(path)!r}: cannot be read ({error.strerror or error})"
        raise StoreError(msg) from error


def _mark(one: Weights, digest: str) -> str:
    return f"{one.parameter} {digest[:_SHOWN]}"


def _keep(path: Path, one: Weights) -> Path:
    """Return the copy of a file in the store, named after its hash; make it if needed.

    The hash is that of the copy's bytes, so that a file that changes meanwhile cannot
    come under the hash of another.
    """
    from odbench.data.store import Store

    folder = Store.default().root / FOLDER
    if path.exists() and not path.is_file():
        # A device or a pipe may never end.
        msg = f"weights {str(path)!r}: is not a file; wanted the path of one"
        raise StoreError(msg)
    digest = file_sha256(path)
    _check(path, digest, one.sha256)
    kept = folder / digest
    with contextlib.suppress(StoreError):
        if kept.is_file() and file_sha256(kept) == digest:
            return kept
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as source, whole_file(kept) as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
    except OSError as error:
        msg = (
            f"weights {one.name}: cannot be kept in {str(folder)!r} "
            f"({error.strerror or error}); make room, or set ODBENCH_CACHE"
        )
        raise StoreError(msg) from error
    _check(path, file_sha256(kept), digest)
    return kept


def _check(path: Path, found: str, wanted: str) -> None:
    if wanted and found != wanted:
        msg = (
            f"weights {str(path)!r}: sha256 is {found[:_SHOWN]}…, wanted "
            f"{wanted[:_SHOWN]}…; remove the file and get it again"
        )
        raise HashMismatchError(msg)
