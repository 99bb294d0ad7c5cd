"""Score a table that may hold anomalies by its distance from the table's core.

In the unsupervised setting up to half of the rows may be anomalies, and a detector that
looks close by takes a group of them for normal. A consensus of detectors that look at
whole columns or far around is less exact but not misled. Gaussians fitted on the rows
that it finds most normal sharpen the order, as the concentration steps of the minimum
covariance determinant [1]_ do, which start from random rows instead. The most normal
rows are then the core, and a detector that looks close by is fitted on the core alone.

References
----------
.. [1] Rousseeuw, Van Driessen, "A Fast Algorithm for the Minimum Covariance Determinant
   Estimator", Technometrics 41 (1999), https://doi.org/10.1080/00401706.1999.10485670
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.auto.pool import gaussian, global_members, near, own_scores

# Shares of the rows that Gaussians are fitted on, and the share that is the core.
SHARES, CORE = (0.5, 0.7), 0.6
# With fewer rows, or rows per column, no Gaussian is fitted.
_FEWEST, _PER_COLUMN = 20, 2


@dataclass(frozen=True)
class Trimmed:
    """A detector fitted on the core of a table.

    Attributes
    ----------
    detector : object
        Has ``decision_function``.
    own : float64 array of shape (n,)
        Scores of the table's rows, those of the core as if each were left out; higher
        is more anomalous.
    core : int64 array
        Places of the rows it was fitted on, ascending.
    """

    detector: Any
    own: FloatArray
    core: np.ndarray


def fit_trimmed(X: FloatArray, seed: int) -> Trimmed:
    """Score the rows of a table that may hold anomalies.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        Standardised, at least two rows.
    seed : int
        Of the isolation forest in the consensus.

    Returns
    -------
    Trimmed
    """
    order = consensus(X, seed)
    if len(X) * min(SHARES) >= max(_FEWEST, _PER_COLUMN * X.shape[1]):
        order = order + 2 * _sharpened(X, order)
    core = most_normal(order, CORE)
    detector = near(len(core))
    own = np.empty(len(X))
    own[core] = own_scores(detector, np.ascontiguousarray(X[core]))
    rest = np.setdiff1d(np.arange(len(X)), core)
    if len(rest):
        own[rest] = detector.decision_function(np.ascontiguousarray(X[rest]))
    return Trimmed(detector, own, core)


def consensus(X: FloatArray, seed: int) -> FloatArray:
    """Return the weighted mean surprise of detectors that tolerate many anomalies.

    Parameters
    ----------
    X, seed
        As for `fit_trimmed`.

    Returns
    -------
    float64 array of shape (n,)
        In nats; higher is more anomalous.
    """
    members = global_members(seed, len(X))
    total = sum(weight for weight, _ in members.values())
    parts = [weight * surprise(own_scores(d, X)) for weight, d in members.values()]
    return np.asarray(np.sum(parts, axis=0) / total)


def _sharpened(X: FloatArray, order: FloatArray) -> FloatArray:
    """Return the mean surprise of Gaussians of the most normal rows."""
    parts = []
    for share in SHARES:
        kept = np.ascontiguousarray(X[most_normal(order, share)])
        parts.append(surprise(gaussian().fit(kept).decision_function(X)))
    return np.asarray(np.mean(parts, axis=0))


def most_normal(order: FloatArray, share: float) -> np.ndarray:
    """Return the places of a share of the rows, those of the lowest order, ascending.

    At least two rows are returned.
    """
    count = max(int(share * len(order)), min(2, len(order)))
    return np.sort(np.argsort(order, kind="stable")[:count])


def surprise(scores: FloatArray) -> FloatArray:
    """Return -log of the share of the scores that are as high as each.

    Parameters
    ----------
    scores : float64 array of shape (n,)
        Higher is more anomalous; infinite ones count as very high or low.

    Returns
    -------
    float64 array of shape (n,)
        In nats, from 0.
    """
    finite = np.nan_to_num(np.asarray(scores, dtype=np.float64))
    above = len(finite) - np.searchsorted(np.sort(finite), finite, side="left")
    return np.asarray(-np.log(above / len(finite)))
