"""Rank rows of a table that may hold anomalies, by views that these hardly move."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.cats.rounding import rounded
from odbench_detectors.iforest.kernels import grow, total_lengths
from odbench_detectors.shared.neighbours.graph import NeighbourIndex

# One neighbour per 50 rows within these bounds, so that a small group of anomalies does
# not count as a neighbourhood of its own.
_ROWS_PER_NEIGHBOUR, _FEWEST, _MOST = 50, 20, 100
_TREES, _SAMPLES, _SEED = 100, 256, np.uint64(5)
_STEPS, _RIDGE, _FULL_COLUMNS, _LIMIT = 10, 1e-3, 100, 1e6


def robust_surprise(Z: FloatArray) -> FloatArray:
    """Return how unusual each row of a table is among the others.

    Three members rank the rows: the depth at which random splits isolate a row, the
    distance to a far neighbour, and the distance from the denser half of the table.
    Each rank r of n, 1 for the most unusual, becomes a surprise -log(r / n), and the
    squares are added.

    Parameters
    ----------
    Z : float64 array of shape (n, d)
        Standardised rows in the order of `content_order`; at least two.

    Returns
    -------
    float64 array of shape (n,)
        Length of the vector of surprises; higher is more anomalous.
    """
    Z = np.clip(Z, -_LIMIT, _LIMIT)
    members = (_isolation(Z), _far_neighbour(Z), _distance_from_half(Z))
    return np.sqrt(sum(_surprise_of_rank(scores) ** 2 for scores in members))


def on_scale_of(scores: FloatArray, scale: FloatArray) -> FloatArray:
    """Return the values of `scale` in the order of `scores`, ties the lowest of theirs.

    Parameters
    ----------
    scores, scale : float64 arrays of shape (n,)
    """
    below = np.searchsorted(np.sort(scores), scores)
    return np.asarray(np.sort(scale)[below], dtype=np.float64)


def _isolation(Z: FloatArray) -> FloatArray:
    samples = min(_SAMPLES, len(Z))
    lengths = total_lengths(Z, grow(Z, _TREES, samples, _SEED))
    return np.asarray(-lengths, dtype=np.float64)


def _far_neighbour(Z: FloatArray) -> FloatArray:
    k = min(max(len(Z) // _ROWS_PER_NEIGHBOUR, _FEWEST), _MOST)
    return NeighbourIndex(Z).search_self(k).distances[:, -1]


def _distance_from_half(Z: FloatArray) -> FloatArray:
    """Return squared distances by mean and covariance of the nearest half.

    The half is first the one nearest to the medians, then the one of smallest distance
    in the step before: the concentration steps of Rousseeuw and Van Driessen
    (Technometrics 41, 1999), from one start.
    """
    n, d = Z.shape
    off = np.abs(Z - np.median(Z, axis=0))
    middle = np.median(off, axis=0)
    scale = np.where(middle > 0.0, 1.4826 * middle, 1.0)
    distance = (np.minimum(off / scale, 10.0) ** 2).sum(axis=1)
    half = max(n // 2, min(n, d + 2))
    for _ in range(_STEPS):
        kept = Z[np.argsort(distance, kind="stable")[:half]]
        centred = Z - kept.mean(axis=0)
        if d > _FULL_COLUMNS:
            axes, variances = None, kept.var(axis=0)
        else:
            variances, axes = np.linalg.eigh(np.cov(kept.T).reshape(d, d))
        variances = np.maximum(variances, _RIDGE * max(variances.max(), 1e-12))
        on_axes = centred if axes is None else centred @ axes
        distance = (on_axes**2 / variances).sum(axis=1)
    return np.asarray(distance, dtype=np.float64)


def _surprise_of_rank(scores: FloatArray) -> FloatArray:
    scores = rounded(scores)
    n = len(scores)
    at_least = n - np.searchsorted(np.sort(scores), scores)
    surprise: FloatArray = -np.log(at_least / n)
    return surprise
