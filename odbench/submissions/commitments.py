"""Published promises about hidden labels, which can be checked when they are revealed.

Each data set has a key of its own, derived from one secret salt; its commitment is the
HMAC-SHA256 of its labels under that key (FIPS 198-1). Nobody can learn labels from a
commitment without the key, not even by trying guesses; once the key is revealed,
everybody can check that the labels are those that were promised. Revealing the key of
one data set says nothing about the others.
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
from odbench.submissions.dataset_list import SetList
from odbench.submissions.labels import LabelFolder
from odbench.submissions.strict_json import parse_object

FORMAT = "odbench-commitments-1"
KEYS_FORMAT = "odbench-label-keys-1"
_HEX64 = re.compile(r"[0-9a-f]{64}")


def read_salt(path: Path, *, create: bool = False) -> bytes:
    """Read the maintainer's secret, or make one.

    Parameters
    ----------
    path : Path
        A file of 64 hexadecimal digits, readable by its owner only.
    create : bool
        Whether to make the file where there is none.

    Returns
    -------
    bytes
        32 of them.

    Raises
    ------
    SubmissionError
        If there is no such file, or it is no salt; what it holds is not repeated.
    """
    if create and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
    if not path.is_file():
        msg = (
            f"salt {str(path)!r}: no such file; name the one that `submission commit` "
            f"made"
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
        32 of them.
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


def commit(labels: LabelFolder, sets: SetList, salt: bytes) -> dict[str, Any]:
    """Return the commitments of all data sets of a list, to be published."""
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


def reveal(sets: SetList, salt: bytes, names: Iterable[str]) -> dict[str, Any]:
    """Return the keys of some data sets, to be published with their labels.

    Raises
    ------
    SubmissionError
        If a name is not in the list.
    """
    chosen = sorted(names)
    unknown = [name for name in chosen if name not in sets.by_name]
    if unknown:
        msg = f"data set {unknown[0][:80]!r}: not in the set list; name one that is"
        raise SubmissionError(msg)
    keys = {name: label_key(salt, _id(sets, name)).hex() for name in chosen}
    return {"format": KEYS_FORMAT, "suite": sets.suite, "keys": keys}


def verify(
    labels: LabelFolder,
    sets: SetList,
    published: Mapping[str, Any],
    keys: Mapping[str, bytes],
) -> list[str]:
    """Return what does not hold of the promises, nothing where all are kept.

    Parameters
    ----------
    labels : LabelFolder
        The labels that are claimed.
    sets : SetList
    published : mapping
        What `commit` returned, as it was published.
    keys : mapping of str to bytes
        By data set: the keys that were revealed; only these are checked.

    Returns
    -------
    list of str
        One line a data set whose labels are not those promised.
    """
    promised = published["commitments"]
    faults = []
    for name, key in sorted(keys.items()):
        if name not in sets.by_name or name not in promised:
            faults.append(f"data set {name[:80]!r}: nothing was promised about it")
            continue
        found = commitment(key, _id(sets, name), labels.read(sets.by_name[name]))
        if not hmac.compare_digest(found, promised[name]):
            faults.append(f"data set {name!r}: labels or key are not those promised")
    return faults


def read_commitments(path: Path, sets: SetList) -> dict[str, Any]:
    """Read published commitments; they must be about this set list.

    Raises
    ------
    SubmissionError
        If they are not.
    """
    content = _read(path, FORMAT, "commitments", sets)
    if content.get("sets_sha256") != sets.sha256:
        msg = f"commitments {str(path)!r}: made for another set list; use its own"
        raise SubmissionError(msg)
    return content


def read_keys(path: Path, sets: SetList) -> dict[str, bytes]:
    """Read revealed keys.

    Raises
    ------
    SubmissionError
        If the file is not what `reveal` returned for this suite.
    """
    keys = _read(path, KEYS_FORMAT, "keys", sets)["keys"]
    return {name: bytes.fromhex(key) for name, key in keys.items()}


def _read(path: Path, wanted: str, what: str, sets: SetList) -> dict[str, Any]:
    if not path.is_file():
        msg = f"{what} {str(path)!r}: no such file"
        raise SubmissionError(msg)
    content = parse_object(path.read_bytes(), where=f"{what} {str(path)!r}")
    values = content.get(what)
    if (
        content.get("format") != wanted
        or content.get("suite") != sets.suite
        or not isinstance(values, dict)
        or any(
            not isinstance(value, str) or not _HEX64.fullmatch(value)
            for value in values.values()
        )
    ):
        msg = f"{what} {str(path)!r}: wanted a {wanted} file about {sets.suite}"
        raise SubmissionError(msg)
    return content


def _id(sets: SetList, name: str) -> str:
    return f"{sets.suite}/{name}"
