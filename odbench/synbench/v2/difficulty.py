"""The strength of anomalies at which the oracle has a wanted AUROC."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench.synbench import portable
from odbench.synbench.stream import Stream
from odbench.synbench.v2.law import Law, Rows, first

# The oracle's AUROC: equal numbers of sets in each stratum.
STRATA = ((0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.97), (0.97, 1.0))
# Targets keep this share of a stratum's width from its ends.
MARGIN = 0.1
# Targets are below this: at 1, any strength is strong enough.
HIGHEST_TARGET = 0.997
_ROUNDS = 20
# In log odds: 0.006 at an AUROC of 0.65, 0.0003 at 0.99.
_TOLERANCE = 0.03
# Log odds are taken of an AUROC at least this far from 0 and 1.
_END = 1e-6
# Rows of each kind in the first search.
_FEW_INLIERS, _FEW_ANOMALIES = 1200, 600
# Rows of each kind that show whether a law can reach a target, and how far they err.
_PILOT, _PILOT_ERROR = 300, 0.01


def target_range(stratum: int) -> tuple[float, float]:
    """Return the range of targets in a stratum, an index into `STRATA`."""
    low, high = STRATA[stratum]
    high = min(high, HIGHEST_TARGET)
    margin = MARGIN * (high - low)
    return low + margin, high - margin


def is_in(stratum: int, auroc: float) -> bool:
    """Tell whether an AUROC lies in a stratum; 1 lies in none."""
    low, high = STRATA[stratum]
    return low <= auroc < high


def separation(inlier_scores: FloatArray, anomaly_scores: FloatArray) -> float:
    """Return the AUROC, exact to the last division; ties count half.

    Parameters
    ----------
    inlier_scores, anomaly_scores : float64 arrays of shape (n_inliers,), (n_anomalies,)
        Higher is more anomalous.
    """
    ordered = np.sort(inlier_scores)
    below = np.searchsorted(ordered, anomaly_scores, side="left")
    not_above = np.searchsorted(ordered, anomaly_scores, side="right")
    pairs = int(below.sum()) + int(not_above.sum())
    return pairs / (2 * len(inlier_scores) * len(anomaly_scores))


def solve(
    law: Law, inliers: Rows, plan: Rows, stratum: int, target: float
) -> float | None:
    """Search for the strength at which the oracle's AUROC is the target.

    The random numbers of the anomalies stay the same, so that the AUROC rises
    steadily with the strength. A few rows are searched first; all of them only if the
    AUROC of all is outside the stratum.

    Parameters
    ----------
    law : Law
    inliers : Rows
        The inliers of the test.
    plan : Rows
        Of the anomalies.
    stratum : int
        Index into `STRATA`.
    target : float

    Returns
    -------
    float or None
        None if the law's strengths do not reach the target.
    """
    few = first(inliers, _FEW_INLIERS), first(plan, _FEW_ANOMALIES)
    strength = search(law, *few, target)
    if strength is None or is_in(stratum, oracle_auroc(law, inliers, plan, strength)):
        return strength
    strength = search(law, inliers, plan, target)
    if strength is None:
        return None
    reached = oracle_auroc(law, inliers, plan, strength)
    return strength if is_in(stratum, reached) else None


def search(law: Law, inliers: Rows, plan: Rows, target: float) -> float | None:
    """Search by the secant of the AUROC's log odds; None if it cannot be reached.

    The Illinois variant of the false position method, on the log of the strength.
    """
    aim = _log_odds(target)
    low, high = (float(end) for end in portable.log(list(law.strengths)))
    # At the smallest strength, anomalies and inliers are alike.
    below, above = -aim, _error(law, inliers, plan, high, aim)
    if above <= 0.0:
        return None
    for _ in range(_ROUNDS):
        share = min(max(-below / (above - below), 0.1), 0.9)
        middle = low + share * (high - low)
        error = _error(law, inliers, plan, middle, aim)
        if abs(error) < _TOLERANCE:
            break
        if error < 0.0:
            low, below, above = middle, error, 0.5 * above
        else:
            high, above, below = middle, error, 0.5 * below
    return float(portable.exp(middle))


def _error(
    law: Law, inliers: Rows, plan: Rows, log_strength: float, aim: float
) -> float:
    strength = float(portable.exp(log_strength))
    return _log_odds(oracle_auroc(law, inliers, plan, strength)) - aim


def _log_odds(auroc: float) -> float:
    auroc = min(max(auroc, _END), 1.0 - _END)
    return float(portable.log(auroc / (1.0 - auroc)))


def can_reach(law: Law, stream: Stream, target: float) -> bool:
    """Tell from a few rows whether the largest strength is about enough.

    It saves the time of drawing all rows for a law that cannot reach the target.
    """
    inliers = law.inliers(stream, _PILOT)
    plan = law.plan(stream, _PILOT)
    return oracle_auroc(law, inliers, plan, law.strengths[1]) > target - _PILOT_ERROR


def oracle_auroc(law: Law, inliers: Rows, plan: Rows, strength: float) -> float:
    """Return the AUROC of the law's own score at a strength."""
    return separation(
        law.score(inliers, strength),
        law.score(law.anomalies(plan, strength), strength),
    )
