"""Measure duplicates, rows with both labels, ceilings, triviality and large integers.

Rows are compared as exact float64 vectors, with -0.0 taken as 0.0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray, LabelArray
from odbench.data.distinct import distinct_rows
from odbench.data.groups import group_rows
from odbench.data.trivial import trivial_share
from odbench.data.whole_numbers import large_integers


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


def audit_beyond_duplicates(
    train: FloatArray, test: FloatArray, labels: LabelArray | None
) -> dict[str, int | float]:
    """Measure the fields `odbench.data.dataset.BEYOND_DUPLICATES`.

    Parameters
    ----------
    train, test, labels
        As for `audit`.

    Returns
    -------
    dict
        Value by field; only ``large_integers`` without labels.
    """
    large = len(large_integers(train, test))
    found: dict[str, int | float] = {"large_integers": large}
    if labels is not None:
        found |= distinct_rows(test, labels).facts
        found["trivial_share"] = trivial_share(train, test, labels)
    return found
