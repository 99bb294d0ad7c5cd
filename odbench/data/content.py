"""The content hash of a data set: over its arrays, not over the archive's bytes."""

from __future__ import annotations

import hashlib

import numpy as np

from odbench.arrays import FloatArray, LabelArray
from odbench.data.dataset import DatasetRecord
from odbench.errors import HashMismatchError

_PREFIX = b"odbench-content-1"
# Rows are copied to C order block by block, so that a large table is not copied whole.
_BLOCK_BYTES = 1 << 22


def content_sha256(
    train: FloatArray,
    test: FloatArray,
    labels: LabelArray | None,
    severity: LabelArray | None = None,
) -> str:
    """Return the hash that identifies a data set's content.

    SHA-256 over ``b"odbench-content-1"``, then for train and test the shape as two
    little-endian int64 and the values as little-endian float64 in C order, then the
    test labels as int8 if they are public, then the levels of severity as int8 if
    anomalies have any.

    Parameters
    ----------
    train, test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
        In any memory order.
    labels : int8 array of shape (n_test,) or None
        1 = anomaly.
    severity : int8 array of shape (n_test,) or None
        Levels of severity.

    Returns
    -------
    str
        64 hex digits.
    """
    digest = hashlib.sha256(_PREFIX)
    for table in (train, test):
        digest.update(np.array(table.shape, dtype="<i8").tobytes())
        rows = max(1, _BLOCK_BYTES // (8 * max(1, table.shape[1])))
        for start in range(0, len(table), rows):
            block = np.ascontiguousarray(table[start : start + rows], dtype="<f8")
            digest.update(block.data)
    for column in (labels, severity):
        if column is not None:
            digest.update(np.ascontiguousarray(column, dtype=np.int8).data)
    return digest.hexdigest()


def check_content(found: str, record: DatasetRecord, *, place: str, step: str) -> None:
    """Compare a content hash with the record's.

    Raises
    ------
    HashMismatchError
        If they differ. A record without a hash matches any content.
    """
    if record.content_sha256 and found != record.content_sha256:
        msg = (
            f"data set {record.id}: content of {place} has sha256 {found[:16]}…, "
            f"wanted {record.content_sha256[:16]}…; {step}"
        )
        raise HashMismatchError(msg)
