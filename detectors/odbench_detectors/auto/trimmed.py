"""Score a table that may hold anomalies: a consensus, then Gaussians of its core.

In the unsupervised setting up to half of the rows may be anomalies, and a detector that
looks close by takes a cluster of them for normal. A consensus of detectors that look at
whole columns or far around is less exact but not misled; the rows that it finds most
normal are then a train table for a detector that is exact. The concentration steps of
the minimum covariance determinant [1]_ repeat the same with one Gaussian; here they
start from the consensus instead of from random rows.

References
----------
.. [1] Rousseeuw, Van Driessen, "A Fast Algorithm for the Minimum Covariance Determinant
   Estimator", Technometrics 41 (1999), https://doi.org/10.1080/00401706.1999.10485670
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.auto.pool import gaussian, global_members, own_scores

# Shares of the rows that the Gaussians of the first step are fitted on, and of the
# second step, which starts from the first.
FIRST, SECOND = (0.5, 0.7), (0.5, 0.6)
# Fewer rows than this, and per column, do not make a Gaussian.
_FEWEST, _PER_COLUMN = 20, 2


@dataclass(frozen=True)
class Calibrated:
    """A fitted detector whose scores become surprises in nats.

    Attributes
    ----------
    detector : object
        Has ``decision_function``.
    known : float64 array of shape (n,)
        Its scores of the table's rows, ascending.
    """

    detector: Any
    known: FloatArray

    def score(self, X: FloatArray) -> FloatArray:
        """Return the surprise of rows, float64 of shape (m,)."""
        return surprise(self.known, _finite(self.detector.decision_function(X)))


@dataclass(frozen=True)
class Trimmed:
    """Calibrated detectors, and the surprises of the rows they were fitted on.

    Attributes
    ----------
    members : mapping of str to (float, Calibrated)
        Weight and detector.
    own : float64 array of shape (n,)
        Higher is more anomalous.
    """

    members: Mapping[str, tuple[float, Calibrated]]
    own: FloatArray

    def score(self, X: FloatArray) -> FloatArray:
        """Return the weighted mean surprise of rows, float64 of shape (m,)."""
        total = sum(weight for weight, _ in self.members.values())
        parts = [weight * one.score(X) for weight, one in self.members.values()]
        return np.asarray(np.sum(parts, axis=0) / total)


def fit_trimmed(X: FloatArray, seed: int) -> Trimmed:
    """Score the rows of a table that may hold anomalies.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        Standardised.
    seed : int

    Returns
    -------
    Trimmed
    """
    consensus = _consensus(X, seed)
    if len(X) * min(FIRST) < max(_FEWEST, _PER_COLUMN * X.shape[1]):
        return consensus
    first = _refitted(X, consensus.own, FIRST)
    return _refitted(X, consensus.own + 2 * first.own, SECOND)


def _consensus(X: FloatArray, seed: int) -> Trimmed:
    members = {}
    own = np.zeros(len(X))
    for name, (weight, detector) in global_members(seed, len(X)).items():
        scores = _finite(own_scores(detector, X))
        members[name] = (weight, Calibrated(detector, np.sort(scores)))
        own += weight * surprise(np.sort(scores), scores)
    return Trimmed(members, own / sum(weight for weight, _ in members.values()))


def _refitted(X: FloatArray, order: FloatArray, shares: tuple[float, ...]) -> Trimmed:
    """Fit a Gaussian on each share of the rows, the most normal ones by `order`."""
    places = np.argsort(order, kind="stable")
    members, own = {}, np.zeros(len(X))
    for share in shares:
        kept = np.sort(places[: int(share * len(X))])
        detector = gaussian().fit(np.ascontiguousarray(X[kept]))
        scores = _finite(detector.decision_function(X))
        members[f"gmm of {share:.0%}"] = (1.0, Calibrated(detector, np.sort(scores)))
        own += surprise(np.sort(scores), scores) / len(shares)
    return Trimmed(members, own)


def surprise(known: FloatArray, scores: FloatArray) -> FloatArray:
    """Return -log of the share of known scores that are as high.

    Parameters
    ----------
    known : float64 array of shape (n,)
        Ascending.
    scores : float64 array of shape (m,)

    Returns
    -------
    float64 array of shape (m,)
        In nats, from 0. Scores beyond the largest known one keep their order by a
        further term below 1.
    """
    n = len(known)
    above = n - np.searchsorted(known, scores, side="left")
    spread = max(known[-1] - known[n // 2], 1e-12 * max(abs(known[-1]), 1.0))
    excess = np.maximum(scores - known[-1], 0.0) / spread
    share = (np.maximum(above, 0) + 1.0) / (n + 1.0)
    return np.asarray(-np.log(share) + excess / (1.0 + excess))


def _finite(scores: FloatArray) -> FloatArray:
    return np.nan_to_num(
        np.asarray(scores, dtype=np.float64), posinf=1e300, neginf=-1e300
    )
