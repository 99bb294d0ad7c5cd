"""Draw a private partition: features to publish, labels to keep."""

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
# The secret labels are written before the published features, so that features never
# exist without their labels.
_PARTS = ("labels", "features")
_HEX64 = re.compile(r"[0-9a-f]{64}")
# The earliest time that a zip archive can store, given to every file and member.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_FILE_DATE = 315_532_800


def read_seed(path: Path, *, create: bool = False) -> bytes:
    """Read the secret root seed, or create one.

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
        If the file is missing, readable by others, or has another content. The
        message never repeats the content.
    """
    if create and not path.exists():
        _make_seed(path)
    if not path.is_file():
        msg = f"seed file {str(path)!r}: no such file"
        raise UsageError(msg)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        msg = (
            f"seed file {str(path)!r}: others may read it, so it is not a secret; draw "
            f"a new one, or `chmod 600` if you know that nobody did"
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
    """Return a commitment to a seed: it can be published without revealing the seed.

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

    Each 25 consecutive sets have every archetype in every dimension bin once, in a
    secret order.

    Parameters
    ----------
    root : bytes
        The secret.
    i : int
        From 0.

    Returns
    -------
    suite.Generated
        Its metadata must not be published.
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
    """Return the public name of set number i, which reveals only the number."""
    return f"synbench-private-{i:03d}"


def check_request(*, count: int, out: Path) -> None:
    """Check what `write_partition` is asked for, before a seed is made for it.

    Raises
    ------
    UsageError
        If the count is out of range, or the folder holds a partition.
    """
    if not 1 <= count <= MAX_COUNT:
        msg = f"--count: got {count}; wanted 1 to {MAX_COUNT}"
        raise UsageError(msg)
    if any((out / name).exists() for name in _PARTS):
        msg = f"--out {str(out)!r}: holds a partition already; name another folder"
        raise UsageError(msg)


def write_partition(root: bytes, *, count: int, out: Path) -> list[str]:
    """Draw a partition and write it, features apart from labels.

    Parameters
    ----------
    root : bytes
        The secret.
    count : int
        Number of sets, 1 to 1000.
    out : Path
        Folder for both parts, which are written completely or not at all.
        ``features/`` has ``private/NAME.npz`` (members ``train``, ``train_labels``,
        ``test``, ``feature_names``) and ``about.json``, and may be published;
        ``labels/`` has ``synbench/NAME.npy`` and ``facts.json``, and only its owner
        can read it.

    Returns
    -------
    list of str
        The names.

    Raises
    ------
    UsageError
        If the count is out of range, or the folder exists or cannot be created.
    RunBrokenError
        If the disk is full.
    """
    check_request(count=count, out=out)
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
            # Kept if it is not empty.
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
    """Write an archive whose bytes depend only on the features."""
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
