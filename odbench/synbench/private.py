"""Draw a partition that nobody has seen: features to publish, labels to keep."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.errors import RunBrokenError, UsageError
from odbench.files import is_disk_fault
from odbench.synbench import suite
from odbench.synbench.draw import DIMENSION_BINS
from odbench.synbench.stream import Stream, secret

MAX_COUNT = 1000
# The secret labels come before the published features: if the features are there, so
# are their labels.
_PARTS = ("labels", "features")
_HEX64 = re.compile(r"[0-9a-f]{64}")
# The first moment that a zip archive can name: every file and member carries it.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_FILE_DATE = 315_532_800


def read_seed(path: Path, *, create: bool = False) -> bytes:
    """Read the secret root seed, or make one.

    Parameters
    ----------
    path : Path
        A file of 64 hexadecimal digits, readable by its owner alone.
    create : bool
        Whether to create the file, with permissions 0600, if it does not exist.

    Returns
    -------
    bytes
        32 of them.

    Raises
    ------
    UsageError
        If the file is missing, readable by others, or holds something else;
        what it holds is never repeated.
    """
    if create and not path.exists():
        _make_seed(path)
    if not path.is_file():
        msg = f"seed file {str(path)!r}: no such file"
        raise UsageError(msg)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        msg = (
            f"seed file {str(path)!r}: others may read it, so it is no secret; draw a "
            f"new one, or `chmod 600` if you know that nobody did"
        )
        raise UsageError(msg)
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if not _HEX64.fullmatch(text):
        msg = f"seed file {str(path)!r}: wanted 64 hexadecimal digits and nothing else"
        raise UsageError(msg)
    return bytes.fromhex(text)


def _make_seed(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        msg = f"seed file {str(path)!r}: cannot be made ({error.strerror})"
        raise UsageError(msg) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())


def seed_commitment(root: bytes) -> str:
    """Return what may be published of a seed: it can be checked, not turned back.

    Parameters
    ----------
    root : bytes
        The secret, 32 random bytes.

    Returns
    -------
    str
        SHA-256 of ``b"odbench-synbench-seed-1"`` and the secret; 64 hex digits.
    """
    return hashlib.sha256(b"odbench-synbench-seed-1" + root).hexdigest()


def draw_private(root: bytes, i: int) -> suite.Generated:
    """Draw set number i of a secret partition.

    Every 25 sets hold each archetype in each dimension bin once, in a secret order.

    Parameters
    ----------
    root : bytes
        The secret.
    i : int
        From 0.

    Returns
    -------
    suite.Generated
        Its metadata is the maintainer's, not the public's.
    """
    n_bins = len(DIMENSION_BINS)
    cells = len(suite.ARCHETYPES) * n_bins
    deal, place = divmod(i, cells)
    cell = int(secret(root, (0, deal)).permutation(cells)[place])

    def stream(*attempt: int) -> Stream:
        return secret(root, (1, i, *attempt))

    archetype = suite.ARCHETYPES[cell // n_bins]
    return suite.build(private_name(i), archetype, cell % n_bins, stream)


def private_name(i: int) -> str:
    """Return the public name of set number i: it tells nothing but the number."""
    return f"synbench-private-{i:03d}"


def write_partition(root: bytes, *, count: int, out: Path) -> list[str]:
    """Draw a partition and write it, features apart from labels.

    Parameters
    ----------
    root : bytes
        The secret.
    count : int
        Number of sets, 1 to 1000.
    out : Path
        Folder for both parts, which are there whole or not at all. ``features/`` holds
        ``private/NAME.npz`` (members ``train``, ``train_labels``, ``test``,
        ``feature_names``) and ``about.json``, and may be published; ``labels/`` holds
        ``synbench/NAME.npy`` and ``facts.json``, and is readable by its owner alone.

    Returns
    -------
    list of str
        The names.

    Raises
    ------
    UsageError
        If the count is impossible, or the folder is there already or cannot be made.
    RunBrokenError
        If the disk is full.
    """
    if not 1 <= count <= MAX_COUNT:
        msg = f"--count: got {count}; wanted 1 to {MAX_COUNT}"
        raise UsageError(msg)
    if any((out / name).exists() for name in _PARTS):
        msg = f"--out {str(out)!r}: holds a partition already; name another folder"
        raise UsageError(msg)
    unfinished = out / f".unfinished.{os.getpid()}"
    try:
        facts = _write(unfinished, root, count)
        for name in _PARTS:
            (unfinished / name).rename(out / name)
    except OSError as error:
        msg = f"--out {str(out)!r}: cannot be made ({error.strerror}); name another"
        kind = RunBrokenError if is_disk_fault(error) else UsageError
        raise kind(msg) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        with contextlib.suppress(OSError):
            # Stays where it holds something.
            out.rmdir()
    return list(facts)


def _write(out: Path, root: bytes, count: int) -> dict[str, Any]:
    """Write both folders; return the facts of each set."""
    features, labels = out / "features", out / "labels"
    (features / "private").mkdir(parents=True)
    labels.mkdir(mode=0o700)
    (labels / "synbench").mkdir(mode=0o700)
    facts: dict[str, Any] = {}
    for i in range(count):
        made = draw_private(root, i)
        name = private_name(i)
        _write_features(features / "private" / f"{name}.npz", made)
        _write_secret(labels / "synbench" / f"{name}.npy", _npy(made.y_test))
        facts[name] = made.metadata
    about = {
        "generator": "synbench",
        "generator_version": suite.VERSION,
        "count": count,
        "seed_commitment": seed_commitment(root),
    }
    _write_public(
        features / "about.json", (json.dumps(about, indent=1) + "\n").encode()
    )
    _write_secret(labels / "facts.json", json.dumps(facts).encode())
    return facts


def _write_features(path: Path, made: suite.Generated) -> None:
    """Write an archive whose bytes depend on the features alone."""
    members = {
        "train": np.ascontiguousarray(made.X_train),
        "train_labels": np.zeros(len(made.X_train), dtype=np.int64),
        "test": np.ascontiguousarray(made.X_test),
        "feature_names": np.array(made.columns),
    }
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, values in members.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_ZIP_DATE)
            archive.writestr(entry, _npy(values))
    _write_public(path, sink.getvalue())


def _npy(values: NDArray[Any]) -> bytes:
    sink = io.BytesIO()
    np.lib.format.write_array(sink, values, allow_pickle=False)
    return sink.getvalue()


def _write_public(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, (_FILE_DATE, _FILE_DATE))


def _write_secret(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
