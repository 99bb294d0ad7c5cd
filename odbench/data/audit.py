"""Measure duplicate rows, rows in both train and test, and rows with both labels.

Rows are compared as exact float64 vectors, with -0.0 taken as 0.0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray, LabelArray

# Odd 64-bit constants that mix bits well; the result does not depend on them.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)


@dataclass(frozen=True)
class Audit:
    """The audit fields of a manifest row.

    Attributes
    ----------
    duplicate_train : float
        1 - distinct training rows / training rows.
    test_in_train : float
        Share of the test rows that also occur in train.
    anomalies_in_train : float or None
        Share of the test anomalies that also occur in train; None without labels.
    label_conflict : int or None
        1 if an anomaly's vector also occurs among the inliers of train or test, else
        0; None without labels.
    """

    duplicate_train: float
    test_in_train: float
    anomalies_in_train: float | None
    label_conflict: int | None


def audit(train: FloatArray, test: FloatArray, labels: LabelArray | None) -> Audit:
    """Measure the audit fields of a data set.

    Parameters
    ----------
    train, test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
        Finite.
    labels : int8 array of shape (n_test,) or None
        1 = anomaly.

    Returns
    -------
    Audit
        Shares are not rounded.
    """
    groups = group_rows(np.concatenate([train, test]))
    in_train, in_test = groups[: len(train)], groups[len(train) :]
    count = int(groups.max()) + 1
    has_train = _members(in_train, count)
    shared = has_train[in_test]
    duplicates = 1 - int(has_train.sum()) / len(train)
    if labels is None:
        return Audit(duplicates, float(shared.mean()), None, None)
    is_anomaly = labels == 1
    has_inlier = has_train | _members(in_test[~is_anomaly], count)
    return Audit(
        duplicate_train=duplicates,
        test_in_train=float(shared.mean()),
        anomalies_in_train=float(shared[is_anomaly].mean()),
        label_conflict=int(has_inlier[in_test[is_anomaly]].any()),
    )


def _members(groups: IntArray, count: int) -> NDArray[np.bool_]:
    """Return which of `count` groups occur."""
    present = np.zeros(count, dtype=np.bool_)
    present[groups] = True
    return present


def group_rows(X: FloatArray) -> IntArray:
    """Return each row's number among the distinct rows.

    Rows are grouped by a 64-bit hash, and every row is then compared with the first
    of its group, so the result is exact even if hashes collide.

    Parameters
    ----------
    X : float64 array of shape (n, n_columns)
        Finite.

    Returns
    -------
    int64 array of shape (n,)
        Numbers from 0 without gaps; the same for two rows if and only if equal.
    """
    # -0.0 + 0.0 is 0.0; every other value is unchanged.
    X = X + 0.0
    _, first, groups = np.unique(_hash(X), return_index=True, return_inverse=True)
    if all(np.array_equal(x, x[first[groups]]) for x in X.T):
        return groups.astype(np.int64, copy=False)
    # Two rows share a hash: sort the rows themselves.
    as_bytes = np.ascontiguousarray(X).view(f"V{8 * X.shape[1]}").ravel()
    _, groups = np.unique(as_bytes, return_inverse=True)
    return groups.astype(np.int64, copy=False)


def _hash(X: FloatArray) -> NDArray[np.uint64]:
    """Return a 64-bit hash of every row's bytes."""
    state = np.full(len(X), _STEP, dtype=np.uint64)
    for column in X.T:
        state ^= np.ascontiguousarray(column).view(np.uint64)
        state *= _MULTIPLIER
        state ^= state >> _HALF
        state += _STEP
    return state
