"""Elo ratings: Bradley-Terry by maximum likelihood, with intervals over families.

The probability that method i beats method j on a data set is modelled as
``1 / (1 + exp(beta_j - beta_i))`` (Bradley and Terry, Biometrika 1952). All pairs of
methods are compared on every data set, a tie is half a win for each, and every data
set weighs the same. Ratings are ``400 / ln(10) * beta + c`` with mean 1000, so that
400 points are odds of ten to one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from odbench.arrays import BoolArray, FloatArray
from odbench.scoring.aggregate import average_ranks
from odbench.scoring.clusters import Clusters, standard_error

SCALE = 400.0 / np.log(10.0)
MEAN = 1000.0
_CHUNK_BYTES = 16 << 20
_MAX_STEPS = 100
# With 3 families more in the numerator, coverage is 93 % or more from 5 families on
# (benchmarks/inference.py means); with 1, it was 92 % at 7 to 10.
_CURVED = 3.0
# Newton's method squares the error at each step, so after a step of this size the
# remaining error is about its square.
_TOLERANCE = 1e-7
# A standard error of strengths that is not above this is one of rounding.
_NO_SPREAD = 1e-9


class Ratings(NamedTuple):
    """Elo ratings with their intervals, each float64 of shape (n_methods,).

    Attributes
    ----------
    elo : array
        Higher is better, mean 1000.
    low, high : arrays
        Ends of the 95 % interval; NaN where there is none (see `rate`).
    """

    elo: FloatArray
    low: FloatArray
    high: FloatArray


def rate(
    rank: FloatArray, clusters: Clusters | None = None, *, level: float = 0.95
) -> Ratings:
    """Rate methods, with intervals from the jackknife over families.

    At the maximum of the likelihood, a data set moves the ratings by ``H^-1 u`` to
    first order, with u the wins of each method on it beyond those that the model
    expects, and H the matrix of second derivatives. The interval is that of Student's
    t with the standard error of these movements
    (`odbench.scoring.clusters.standard_error`), times ``sqrt((G + 3) / G)``: for few
    families G the first order falls short, most where few comparisons are close.

    Parameters
    ----------
    rank : float64 array of shape (n_datasets, n_methods)
        Lower is better, equal numbers are ties (`odbench.scoring.aggregate.ranks`).
    clusters : Clusters, optional
        Families of the data sets; without them there are no intervals.
    level : float
        Coverage of the interval.

    Returns
    -------
    Ratings
        Without intervals if there are too few families, or if a group of methods never
        loses to the others: the likelihood then has no maximum, and the ratings say
        only which group is ahead. A method that has its mean rank on every data set has
        no interval either.
    """
    count = wins(rank, np.ones((1, rank.shape[0])))
    elo = elo_from_wins(count)[0]
    missing = np.full(rank.shape[1], np.nan)
    if clusters is None or not clusters.enough or len(elo) < 2 or _separated(count)[0]:
        return Ratings(elo, missing, missing)
    places = average_ranks(rank).rank
    # A rank lower by one is one win more, so this is wins minus expected wins.
    beyond = places.mean(axis=0) - places
    strength = (elo - MEAN) / SCALE
    moved = np.linalg.solve(_curvature(count[0], strength), beyond.T).T
    error = standard_error(moved, clusters)
    error *= np.sqrt(1.0 + _CURVED / clusters.effective)
    # Without any variation nothing is known about the error.
    reach = (
        clusters.quantile(level) * SCALE * np.where(error > _NO_SPREAD, error, np.nan)
    )
    return Ratings(elo, elo - reach, elo + reach)


def _curvature(count: FloatArray, strength: FloatArray) -> FloatArray:
    """Return minus the second derivatives of one table's likelihood.

    The mean over all entries is added, which fixes the mean strength at 0.
    """
    p_win = 1.0 / (1.0 + np.exp(strength[None, :] - strength[:, None]))
    each = (count + count.T) * p_win * (1.0 - p_win)
    matrix = np.diag(each.sum(axis=1)) - each
    fixed: FloatArray = matrix + each.mean()
    return fixed


def wins(rank: FloatArray, weights: FloatArray) -> FloatArray:
    """Count how often each method beats each other method, for each weighting.

    Parameters
    ----------
    rank : float64 array of shape (n_datasets, n_methods)
        Lower is better, equal numbers are ties.
    weights : float64 array of shape (n_weightings, n_datasets)
        How often each data set counts in each weighting; whole numbers.

    Returns
    -------
    float64 array of shape (n_weightings, n_methods, n_methods)
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


def elo_from_wins(count: FloatArray) -> FloatArray:
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
    strength = _newton(count, np.zeros((tables, methods)), _TOLERANCE)
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
