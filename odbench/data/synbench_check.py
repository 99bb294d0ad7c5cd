"""Look for scores that beat a set's oracle beyond chance, which means a faulty oracle.

An oracle is the likelihood ratio of the true law, or better informed. No score of the
table has a larger expected AUROC (Neyman and Pearson), so one that is clearly ahead
refutes the oracle, not the law of large numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from odbench.arrays import FloatArray, LabelArray
from odbench.synbench.suite import Generated

# Standard errors by which a score must be ahead. Of 2,400 probes on 800 sets, each as
# good as the oracle, about one in 13 suites would have one ahead of it by this much.
BEYOND_CHANCE = 4.0
# Rows that the neighbours are searched in, and neighbours.
_REFERENCE, _NEIGHBOURS = 1000, 5
# Smallest variance of a difference of AUROCs: that of one pair in a thousand rows.
_LEAST = 1e-8


def beaten(made: Generated, scores: Mapping[str, FloatArray]) -> list[str]:
    """Return a line for each score that beats the oracle beyond chance.

    Parameters
    ----------
    made : Generated
        The set, with its oracle's scores.
    scores : mapping of str to float64 array of shape (n_test,)
        By name; higher is more anomalous.
    """
    lines = []
    for name, values in scores.items():
        gap, error = auroc_gap(made.y_test, made.oracle_scores, values)
        if gap < -BEYOND_CHANCE * error:
            lines.append(
                f"oracle is beaten by {name}: {-gap:.4f} AUROC, "
                f"{-gap / error:.1f} standard errors; wanted at most {BEYOND_CHANCE:g}"
            )
    return lines


def auroc_gap(
    labels: LabelArray, first: FloatArray, second: FloatArray
) -> tuple[float, float]:
    """Return the difference of two scores' AUROCs on the same rows, and its error.

    Parameters
    ----------
    labels : int8 array of shape (n,)
        1 = anomaly; two or more of each label.
    first, second : float64 arrays of shape (n,)
        Higher is more anomalous.

    Returns
    -------
    tuple of float
        The first's AUROC less the second's, and the standard error of the paired
        difference (DeLong et al., Biometrics 1988).
    """
    anomalies, inliers = _placements(labels, first)
    other_anomalies, other_inliers = _placements(labels, second)
    over_anomalies, over_inliers = anomalies - other_anomalies, inliers - other_inliers
    variance = over_anomalies.var(ddof=1) / len(over_anomalies)
    variance += over_inliers.var(ddof=1) / len(over_inliers)
    return float(over_anomalies.mean()), float(np.sqrt(max(variance, _LEAST)))


def _placements(
    labels: LabelArray, scores: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return anomalies' shares of inliers below, inliers' of anomalies above."""
    anomalies, inliers = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
    above = _share_below(inliers, scores[labels == 1])
    return above, 1.0 - _share_below(anomalies, scores[labels == 0])


def _share_below(ordered: FloatArray, values: FloatArray) -> FloatArray:
    """Return the share of ordered numbers below each value; ties count half."""
    left = np.searchsorted(ordered, values, side="left")
    right = np.searchsorted(ordered, values, side="right")
    share: FloatArray = (left + right) / (2 * len(ordered))
    return share


def probes(made: Generated) -> dict[str, FloatArray]:
    """Score a set by three simple detectors that need no label.

    Returns
    -------
    dict of str to float64 array of shape (n_test,)
        ``deviation``: largest distance from a column's mean, in standard deviations;
        ``mahalanobis``: distance under the columns' covariance; ``neighbours``:
        distance to the fifth neighbour among 1,000 training rows.
    """
    from scipy.spatial import cKDTree

    centre, width = made.X_train.mean(axis=0), made.X_train.std(axis=0)
    width[width == 0.0] = 1.0
    train, test = ((X - centre) / width for X in (made.X_train, made.X_test))
    covariance = np.cov(train, rowvar=False) + 1e-6 * np.eye(train.shape[1])
    nearest = np.asarray(cKDTree(train[:_REFERENCE]).query(test, k=_NEIGHBOURS)[0])
    return {
        "deviation": np.abs(test).max(axis=1),
        "mahalanobis": (test * np.linalg.solve(covariance, test.T).T).sum(axis=1),
        "neighbours": nearest[:, -1],
    }
