"""Elo ratings: Bradley-Terry by maximum likelihood, with bootstrap intervals.

The probability that method i beats method j on a data set is modelled as
``1 / (1 + exp(beta_j - beta_i))`` (Bradley and Terry, Biometrika 1952). All pairs of
methods are compared on every data set, a tie is half a win for each, and every data
set weighs the same. Ratings are ``400 / ln(10) * beta + c`` with mean 1000, so that
400 points are odds of ten to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.scoring.aggregate import average_ranks

SCALE = 400.0 / np.log(10.0)
MEAN = 1000.0
_CHUNK_BYTES = 16 << 20
_BLOCK_BYTES = 16 << 20
_MAX_STEPS = 100
# Newton's method squares the error at each step, so after a step of this size the
# remaining error is about its square.
_TOLERANCE = 1e-7
_TOLERANCE_OF_RESAMPLES = 1e-4


class Ratings(NamedTuple):
    """Elo ratings with their intervals, each float64 of shape (n_methods,).

    Attributes
    ----------
    elo : array
        Higher is better, mean 1000.
    low, high : arrays
        Ends of the percentile bootstrap interval, widened to contain the rating; NaN
        without resamples.
    """

    elo: FloatArray
    low: FloatArray
    high: FloatArray


def rate(
    rank: FloatArray, weights: FloatArray | None = None, *, level: float = 0.95
) -> Ratings:
    """Rate methods and bootstrap the ratings.

    Parameters
    ----------
    rank : float64 array of shape (n_datasets, n_methods)
        Lower is better, equal numbers are ties (`odbench.scoring.aggregate.ranks`).
    weights : float64 array of shape (n_resamples, n_datasets), optional
        How often each data set occurs in each resample (`bootstrap_weights`).
    level : float
        Coverage of the interval.

    Returns
    -------
    Ratings
    """
    once_each = np.ones((1, rank.shape[0]))
    if weights is None or not len(weights):
        missing = np.full(rank.shape[1], np.nan)
        return Ratings(elo_from_wins(wins(rank, once_each))[0], missing, missing)
    block = max(1, _BLOCK_BYTES // (8 * rank.shape[1] ** 2))
    count = wins(rank, np.vstack([once_each, weights[:block]]))
    elo = elo_from_wins(count[:1])[0]
    drawn = [elo_from_wins(count[1:], near=elo)]
    for start in range(block, len(weights), block):
        count = wins(rank, weights[start : start + block])
        drawn.append(elo_from_wins(count, near=elo))
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(np.concatenate(drawn), [tail, 1.0 - tail], axis=0)
    # A few resamples may all lie on one side of the rating, so widen to contain it.
    return Ratings(elo, np.minimum(low, elo), np.maximum(high, elo))


def bootstrap_weights(
    n_datasets: int,
    *,
    resamples: int,
    rng: np.random.Generator,
    families: Sequence[str | None] | None = None,
) -> FloatArray:
    """Draw data sets with replacement and count how often each was drawn.

    Parameters
    ----------
    n_datasets : int
        Data sets to draw from.
    resamples : int
        Number of samples.
    rng : numpy.random.Generator
        Source of the draws.
    families : sequence of length n_datasets, optional
        Family of each data set. If given, families are drawn, each with all its
        data sets (the cluster bootstrap), because data sets of one source are not
        independent. A data set without a family is a family by itself.

    Returns
    -------
    float64 array of shape (resamples, n_datasets)
        Whole numbers; without families each row sums to n_datasets.
    """
    cluster = np.arange(n_datasets) if families is None else _clusters(families)
    n = int(cluster.max()) + 1 if n_datasets else 0
    if not n:
        return np.zeros((resamples, 0))
    drawn = rng.integers(0, n, size=(resamples, n))
    place = drawn + n * np.arange(resamples)[:, None]
    times = np.bincount(place.ravel(), minlength=resamples * n)
    return times.reshape(resamples, n).astype(np.float64)[:, cluster]


def wins(rank: FloatArray, weights: FloatArray) -> FloatArray:
    """Count how often each method beats each other method, in each resample.

    Parameters
    ----------
    rank : float64 array of shape (n_datasets, n_methods)
        Lower is better, equal numbers are ties.
    weights : float64 array of shape (n_resamples, n_datasets)
        How often each data set occurs in each resample; whole numbers.

    Returns
    -------
    float64 array of shape (n_resamples, n_methods, n_methods)
        Wins of the row's method over the column's; a tie counts half for each. The
        diagonal is 0.
    """
    datasets, methods = rank.shape
    row, column = np.triu_indices(methods, 1)
    # Twice a rank is a whole number, so the difference clipped to [-1, 1] is the
    # outcome. Whole numbers are exact in float32, which costs half as much.
    places = (2.0 * average_ranks(rank).rank.T).astype(np.float32)
    drawn = weights.astype(np.float32)
    total = np.zeros((len(weights), len(row)))
    step = max(1, _CHUNK_BYTES // (4 * max(1, len(row))))
    for start in range(0, datasets, step):
        part = places[:, start : start + step]
        outcome = part[column]
        outcome -= part[row]
        np.clip(outcome, -1.0, 1.0, out=outcome)
        total += drawn[:, start : start + step] @ outcome.T
    # Turn wins minus losses into wins.
    played = weights.sum(axis=1, keepdims=True)
    total = (total + played) / 2.0
    square = np.zeros((len(weights), methods, methods))
    square[:, row, column] = total
    square[:, column, row] = played - total
    return square


def elo_from_wins(count: FloatArray, near: FloatArray | None = None) -> FloatArray:
    """Fit the Bradley-Terry model to many tables of wins at once.

    Newton's method on the log-likelihood
    ``sum_ij w_ij log(1 / (1 + exp(beta_j - beta_i)))``, which is concave. It has a
    maximum only if no group of methods always beats all others (Ford, American
    Mathematical Monthly 1957). If one does, a data set on which all methods tie is
    added to that table, which keeps the ratings finite and their order right.

    Parameters
    ----------
    count : float64 array of shape (n_tables, n_methods, n_methods)
        Wins of the row's method over the column's; each data set adds 1 per pair.
    near : float64 array of shape (n_methods,), optional
        Ratings to start from, for tables that are resamples of one. The search then
        stops at a thousandth of a point, far inside the spread of resamples.

    Returns
    -------
    float64 array of shape (n_tables, n_methods)
        Ratings with mean 1000 in each table; higher is better.
    """
    tables, methods, _ = count.shape
    if methods < 2 or not tables:
        return np.full((tables, methods), MEAN)
    separated = _separated(count)
    everyone_ties = 0.5 * (1.0 - np.eye(methods))
    count = count + separated[:, None, None] * everyone_ties
    if near is None:
        strength = _newton(count, np.zeros((tables, methods)), _TOLERANCE)
    else:
        start = np.repeat((near[None, :] - MEAN) / SCALE, tables, axis=0)
        strength = _newton(count, start, _TOLERANCE_OF_RESAMPLES)
    ratings: FloatArray = MEAN + SCALE * strength
    return ratings


def _newton(count: FloatArray, start: FloatArray, tolerance: float) -> FloatArray:
    """Maximise the likelihood of each table; the strengths of each table sum to 0."""
    played = count + count.transpose(0, 2, 1)
    total = np.maximum(played.sum(axis=(1, 2)), 1.0)
    won = count.sum(axis=2)
    beta = start
    for _ in range(_MAX_STEPS):
        p_win = 1.0 / (1.0 + np.exp(beta[:, None, :] - beta[:, :, None]))
        gradient = won - (played * p_win).sum(axis=2)
        curvature = played * p_win * (1.0 - p_win)
        hessian = -curvature
        diagonal = np.arange(beta.shape[1])
        hessian[:, diagonal, diagonal] = curvature.sum(axis=2)
        # Adding a constant to all strengths does not change the likelihood, so the
        # Hessian is singular. This term fixes the sum without moving the maximum.
        hessian += (total / beta.shape[1] ** 2)[:, None, None]
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        # A full step can overshoot far from the maximum, so damp large steps.
        beta = beta + step / np.maximum(
            1.0, np.abs(step).max(axis=1, keepdims=True) / 2.0
        )
        if np.abs(step).max(initial=0.0) < tolerance:
            break
    centred: FloatArray = beta - beta.mean(axis=1, keepdims=True)
    return centred


def _separated(count: FloatArray) -> BoolArray:
    """Find the tables in which a group of methods never loses to the others."""
    methods = count.shape[1]
    unbeaten: BoolArray = np.asarray((count == 0).sum(axis=(1, 2)) > methods)
    reachable = (count[unbeaten] > 0).astype(np.float32) + np.eye(
        methods, dtype=np.float32
    )
    for _ in range(max(1, int(np.ceil(np.log2(methods))))):
        reachable = np.minimum(reachable @ reachable, 1.0)
    unbeaten[unbeaten] = (reachable == 0).any(axis=(1, 2))
    return unbeaten


def _clusters(families: Sequence[str | None]) -> IntArray:
    """Assign a number to each family and to each data set without one."""
    numbers: dict[object, int] = {}
    keys = [
        name if isinstance(name, str) and name else ("alone", place)
        for place, name in enumerate(families)
    ]
    return np.array(
        [numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64
    )
