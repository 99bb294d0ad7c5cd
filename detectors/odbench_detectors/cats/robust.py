"""Find the core of a table that may hold anomalies, and rank rows by views of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.cats.far import far_distances
from odbench_detectors.cats.rounding import rounded
from odbench_detectors.cats.search import look_up
from odbench_detectors.iforest.kernels import grow, total_lengths
from odbench_detectors.shared.search import below_each
from odbench_detectors.shared.sort import sorted_rows

# The share of the rows that a CATS learns from, and the views that then rank all rows;
# chosen on OvRBench, ADBench and SynBench, see docs/cats-evidence.md.
CORE = 0.6
DENSITY, MIDDLE = "density", "distance"
RANKING = ("whitened", DENSITY, "copula", MIDDLE)
# One neighbour per 50 rows within these bounds, so that a small group of anomalies does
# not count as a neighbourhood of its own.
_ROWS_PER_NEIGHBOUR, _FEWEST, _MOST = 50, 20, 100
_TREES, _SAMPLES, _SEED = 100, 256, np.uint64(5)
_STEPS, _RIDGE, _FULL_COLUMNS, _LIMIT = 10, 1e-3, 100, 1e6
# Rows that are looked up at once, which bounds the memory.
_CHUNK = 8_192


@dataclass(frozen=True)
class OwnRows:
    """The scores of the rows of one table, and what they are made of.

    Attributes
    ----------
    scores : float64 array of shape (n,)
        In nats, from 0; higher is more anomalous.
    amounts : dict of str to float64 array of shape (n,)
        See `robust_amounts`.
    learned : int64 array
        The places of the rows of the core, in the order of the train rows.
    """

    scores: FloatArray
    amounts: dict[str, FloatArray]
    learned: IntArray


def core(Z: FloatArray) -> IntArray:
    """Select the rows of a table that look most normal, which may serve as inliers.

    Four members that groups of anomalies hardly mislead rank the rows: the depth at
    which random splits isolate a row, the distance to a far neighbour, the distance
    from the denser half of the table, and how far out the values lie in their columns.
    Each rank r of n, 1 for the most unusual, becomes a surprise -log(r / n), and the
    squares are added. The core is the `CORE` of the rows with the smallest sums, with
    all rows that tie with the last of them.

    Parameters
    ----------
    Z : float64 array of shape (n, d)
        Standardised rows in the order of `content_order`; at least two.

    Returns
    -------
    int64 array
        Places of the rows in the core, ascending; at least two.
    """
    Z = clipped(Z)
    members = (_isolation(Z), _far_neighbour(Z), _distance_from_half(Z), _columns(Z))
    squares = (surprise_of_rank(scores) ** 2 for scores in members)
    total = np.asarray(sum(squares), dtype=np.float64)
    last = max(math.ceil(CORE * len(Z)), 2) - 1
    return np.flatnonzero(total <= np.partition(total, last)[last])


@dataclass(frozen=True)
class Middle:
    """Mean and covariance of rows, with the least variance bounded.

    Attributes
    ----------
    mean : float64 array of shape (d,)
    axes : float64 array of shape (d, d) or None
        Principal axes, one per column; None for the columns themselves, which more
        than 100 columns have.
    variances : float64 array of shape (d,)
        Along the axes.
    """

    mean: FloatArray
    axes: FloatArray | None
    variances: FloatArray

    @classmethod
    def of(cls, rows: FloatArray) -> Middle:
        """Measure at least two rows, float64 of shape (n, d)."""
        d = rows.shape[1]
        if d > _FULL_COLUMNS:
            axes, variances = None, rows.var(axis=0)
        else:
            variances, axes = np.linalg.eigh(np.cov(rows.T).reshape(d, d))
        least = _RIDGE * max(variances.max(), 1e-12)
        return cls(rows.mean(axis=0), axes, np.maximum(variances, least))

    def distances(self, Z: FloatArray) -> FloatArray:
        """Return squared Mahalanobis distances, float64 of shape (m,)."""
        centred = Z - self.mean
        on_axes = centred if self.axes is None else centred @ self.axes
        return np.asarray((on_axes**2 / self.variances).sum(axis=1), dtype=np.float64)

    def by_column(self, Z: FloatArray) -> FloatArray:
        """Return how far each value is off given the others, of shape (m, d).

        Squares of the differences from the mean times the precision of the column.
        """
        precision: FloatArray = 1.0 / self.variances
        if self.axes is not None:
            precision = (self.axes**2 / self.variances).sum(axis=1)
        return np.asarray((Z - self.mean) ** 2 * precision, dtype=np.float64)


def clipped(Z: FloatArray) -> FloatArray:
    """Bound standardised values, so that no distance overflows."""
    return np.clip(Z, -_LIMIT, _LIMIT)


def robust_amounts(raw: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Rank rows by the views that tell most when only the core was learned from.

    Parameters
    ----------
    raw : mapping of str to float64 array of shape (n,)
        Each row's number in each view, by a CATS that was fitted on the core, and its
        distance from the core's `Middle`; higher is more anomalous.

    Returns
    -------
    dict of str to float64 array of shape (n,)
        What each of `RANKING` adds: the squared surprise of the rank. By their sum,
        higher is more anomalous.
    """
    return {view: surprise_of_rank(raw[view]) ** 2 for view in RANKING}


def total_of(amounts: Mapping[str, FloatArray]) -> FloatArray:
    """Return the sum of the views' amounts, float64 of shape (n,)."""
    return np.asarray(sum(amounts.values()), dtype=np.float64)


def on_scale_of(scores: FloatArray, scale: FloatArray) -> FloatArray:
    """Return the values of `scale` in the order of `scores`, ties the lowest of theirs.

    Where different scores would get one value, the higher ones get the next larger
    numbers, so that no order is lost.

    Parameters
    ----------
    scores : float64 array of shape (n,)
    scale : float64 array of shape (n,)
        From 0.
    """
    values, place = np.unique(scores, return_inverse=True)
    below = np.searchsorted(np.sort(scores), values)
    # Floats from 0 have the order of their bits, read as whole numbers.
    bits = np.sort(scale)[below].view(np.int64)
    steps = np.arange(len(bits))
    increasing = np.maximum.accumulate(bits - steps) + steps
    return np.asarray(increasing.view(np.float64)[place], dtype=np.float64)


def _isolation(Z: FloatArray) -> FloatArray:
    samples = min(_SAMPLES, len(Z))
    lengths = total_lengths(Z, grow(Z, _TREES, samples, _SEED))
    return np.asarray(-lengths, dtype=np.float64)


def _far_neighbour(Z: FloatArray) -> FloatArray:
    k = min(max(len(Z) // _ROWS_PER_NEIGHBOUR, _FEWEST), _MOST)
    return far_distances(Z, k)


def _columns(Z: FloatArray) -> FloatArray:
    """Add over columns -log of the share of values that lie as far out or further.

    This is ECOD with its larger tail per column (Li, Zhao, Hu, Botta, Ionescu, Chen,
    IEEE TKDE 2022, https://doi.org/10.1109/TKDE.2022.3159580).
    """
    n = len(Z)
    columns, surprise = sorted_rows(Z.T), _surprise_of_share(n)
    total = np.zeros(n)
    for start in range(0, n, _CHUNK):
        part = slice(start, start + _CHUNK)
        _, _, surprises, _ = look_up(Z[part], columns, 0, np.zeros(2 * n + 1), surprise)
        for surprise_in_column in surprises.T:
            total[part] += surprise_in_column
    return total


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
    before = np.empty(0, dtype=np.int64)
    for _ in range(_STEPS):
        nearest = _lowest(distance, half)
        # The same half in the same order has the same moments.
        if np.array_equal(nearest, before):
            break
        before = nearest
        distance = Middle.of(Z[nearest]).distances(Z)
    return np.asarray(distance, dtype=np.float64)


def _lowest(values: FloatArray, number: int) -> IntArray:
    """Return the places of the lowest values, ascending; of equal ones the first."""
    low = np.flatnonzero(values <= np.partition(values, number - 1)[number - 1])
    order = np.argsort(values[low], kind="stable")[:number]
    return np.asarray(low[order], dtype=np.int64)


def surprise_of_rank(scores: FloatArray) -> FloatArray:
    """Return -log of the share of the scores that are as high as each, rounded."""
    scores = rounded(scores)
    n = len(scores)
    at_least = n - below_each(sorted_rows(scores[None])[0], scores)
    surprise: FloatArray = _surprise_of_share(n)[at_least]
    return surprise


def _surprise_of_share(n: int) -> FloatArray:
    """Return -log(a / n) for a = 0 ... n; the first, which no row has, as if a = 1."""
    surprise: FloatArray = -np.log(np.maximum(np.arange(n + 1), 1) / n)
    return surprise
