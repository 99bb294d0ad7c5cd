"""Published commitments to hidden labels, checkable once the labels are revealed.

Each data set has its own key, derived from one secret salt; its commitment is the
HMAC-SHA256 of its labels under that key (FIPS 198-1). Without the key, nobody can
learn labels from a commitment, not even by testing guesses; once the key is revealed,
anyone can check that the labels are those committed to. The key of one data set
reveals nothing about the others.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from odbench.arrays import LabelArray
from odbench.errors import SubmissionError
from odbench.submissions.dataset_list import DatasetList
from odbench.submissions.labels import LabelFolder
from odbench.submissions.strict_json import parse_object

FORMAT = "odbench-commitments-1"
KEYS_FORMAT = "odbench-label-keys-1"
_HEX64 = re.compile(r"[0-9a-f]{64}")


def read_salt(path: Path, *, create: bool = False) -> bytes:
    """Read the maintainer's secret salt, or create one.

    Parameters
    ----------
    path : Path
        A file of 64 hexadecimal digits, readable by its owner only.
    create : bool
        Whether to create the file if it is missing.

    Returns
    -------
    bytes
        The 32 bytes of the salt.

    Raises
    ------
    SubmissionError
        If the file is missing or is not a salt; the message omits its content.
    """
    if create and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
    if not path.is_file():
        msg = (
            f"salt {str(path)!r}: no such file; give the one that `submission commit` "
            f"wrote"
        )
        raise SubmissionError(msg)
    text = path.read_text(errors="replace").strip()
    if not _HEX64.fullmatch(text):
        msg = f"salt {str(path)!r}: wanted a file of 64 hexadecimal digits"
        raise SubmissionError(msg)
    return bytes.fromhex(text)


def label_key(salt: bytes, dataset_id: str) -> bytes:
    """Derive a data set's key: ``HMAC(salt, "odbench-label-key-1" || 0 || id)``.

    Parameters
    ----------
    salt : bytes
        The maintainer's secret.
    dataset_id : str
        ``suite/name``.

    Returns
    -------
    bytes
        The 32 bytes of the key.
    """
    message = b"odbench-label-key-1\0" + dataset_id.encode()
    return hmac.new(salt, message, hashlib.sha256).digest()


def commitment(key: bytes, dataset_id: str, labels: LabelArray) -> str:
    """Return ``HMAC(key, "odbench-labels-1" || 0 || id || 0 || n || labels)``.

    Parameters
    ----------
    key : bytes
        See `label_key`.
    dataset_id : str
        ``suite/name``.
    labels : int8 array of shape (n,)
        n enters as eight little-endian bytes, each label as one byte.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    size = len(labels).to_bytes(8, "little")
    head = b"odbench-labels-1\0" + dataset_id.encode() + b"\0" + size
    values = np.ascontiguousarray(labels, dtype=np.int8).tobytes()
    return hmac.new(key, head + values, hashlib.sha256).hexdigest()


def commit(labels: LabelFolder, sets: DatasetList, salt: bytes) -> dict[str, Any]:
    """Return the commitments for all data sets of a list, ready to publish.

    Parameters
    ----------
    labels : LabelFolder
        The hidden labels.
    sets : DatasetList
        The data sets.
    salt : bytes
        The maintainer's secret.

    Returns
    -------
    dict
        Ready for JSON; ``commitments`` maps each data set to 64 hexadecimal digits.

    Raises
    ------
    SubmissionError
        If a label file is malformed.
    """
    return {
        "format": FORMAT,
        "suite": sets.suite,
        "partition": sets.partition,
        "sets_sha256": sets.sha256,
        "commitments": {
            expected.dataset: commitment(
                label_key(salt, _id(sets, expected.dataset)),
                _id(sets, expected.dataset),
                labels.read(expected),
            )
            for expected in sets.sets
        },
    }


def reveal(sets: DatasetList, salt: bytes, names: Iterable[str]) -> dict[str, Any]:
    """Return the keys of some data sets, ready to publish with their labels.

    Parameters
    ----------
    sets : DatasetList
        The data sets.
    salt : bytes
        The maintainer's secret.
    names : iterable of str
        The data sets to reveal.

    Returns
    -------
    dict
        Ready for JSON; ``keys`` maps each name to 64 hexadecimal digits.

    Raises
    ------
    SubmissionError
        If a name is not in the list.
    """
    chosen = sorted(names)
    unknown = [name for name in chosen if name not in sets.by_name]
    if unknown:
        msg = f"data set {unknown[0][:80]!r}: not in the data set list; choose from it"
        raise SubmissionError(msg)
    keys = {name: label_key(salt, _id(sets, name)).hex() for name in chosen}
    return {"format": KEYS_FORMAT, "suite": sets.suite, "keys": keys}


def verify(
    labels: LabelFolder,
    sets: DatasetList,
    published: Mapping[str, Any],
    keys: Mapping[str, bytes],
) -> list[str]:
    """Return the data sets whose labels do not match their commitments.

    Parameters
    ----------
    labels : LabelFolder
        The labels to check.
    sets : DatasetList
        The data sets.
    published : mapping
        The published result of `commit`.
    keys : mapping of str to bytes
        The revealed keys by data set; only these data sets are checked.

    Returns
    -------
    list of str
        One line per data set whose labels do not match; empty if all match.
    """
    commitments = published["commitments"]
    faults = []
    for name, key in sorted(keys.items()):
        if name not in sets.by_name or name not in commitments:
            faults.append(f"data set {name[:80]!r}: has no commitment")
            continue
        found = commitment(key, _id(sets, name), labels.read(sets.by_name[name]))
        if not hmac.compare_digest(found, commitments[name]):
            faults.append(f"data set {name!r}: labels or key do not match")
    return faults


def read_commitments(path: Path, sets: DatasetList) -> dict[str, Any]:
    """Read published commitments.

    Parameters
    ----------
    path : Path
        The published file.
    sets : DatasetList
        The list that the commitments must have been made for.

    Returns
    -------
    dict
        The content of the file.

    Raises
    ------
    SubmissionError
        If the file is missing, malformed, or made for another list.
    """
    content = _read(path, FORMAT, "commitments", sets)
    if content.get("sets_sha256") != sets.sha256:
        msg = (
            f"commitments {str(path)!r}: made for another data set list; use the "
            f"list that they were made for"
        )
        raise SubmissionError(msg)
    return content


def read_keys(path: Path, sets: DatasetList) -> dict[str, bytes]:
    """Read revealed keys.

    Parameters
    ----------
    path : Path
        The published file.
    sets : DatasetList
        The data sets.

    Returns
    -------
    dict of str to bytes
        The keys by data set.

    Raises
    ------
    SubmissionError
        If the file is missing, malformed, or made for another suite.
    """
    keys = _read(path, KEYS_FORMAT, "keys", sets)["keys"]
    return {name: bytes.fromhex(key) for name, key in keys.items()}


def _read(path: Path, wanted: str, field: str, sets: DatasetList) -> dict[str, Any]:
    if not path.is_file():
        msg = f"{field} {str(path)!r}: no such file"
        raise SubmissionError(msg)
    content = parse_object(path.read_bytes(), where=f"{field} {str(path)!r}")
    values = content.get(field)
    if (
        content.get("format") != wanted
        or content.get("suite") != sets.suite
        or not isinstance(values, dict)
        or any(
            not isinstance(value, str) or not _HEX64.fullmatch(value)
            for value in values.values()
        )
    ):
        msg = f"{field} {str(path)!r}: wanted a file {wanted!r} for {sets.suite}"
        raise SubmissionError(msg)
    return content


def _id(sets: DatasetList, name: str) -> str:
    return f"{sets.suite}/{name}"
