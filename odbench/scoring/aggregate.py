"""Aggregate one value per data set and method to one value per method.

Arrays are of shape (n_datasets, n_methods); values lie in [0, 1] and higher is
better. Where a function takes `last`, the marked cells rank behind all others of
their data set regardless of their value, tied among themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from odbench.arrays import BoolArray, FloatArray

# Values that agree to this many decimals are ties.
TIE_DECIMALS = 5
TOP = 3


class Ranked(NamedTuple):
    """Ranks of the numbers in each row, each float64 of shape (n_rows, n_items).

    Attributes
    ----------
    rank : array
        1 for the lowest number; equal numbers share the mean of their places.
    size : array
        Number of values in the row that share that rank.
    """

    rank: FloatArray
    size: FloatArray


def ranking_keys(values: FloatArray, last: BoolArray | None = None) -> FloatArray:
    """Return the keys that ranks compare: rounded values, minus infinity for `last`.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_methods)
        Higher is better.
    last : bool array of the same shape, optional
        Cells that rank last.

    Returns
    -------
    float64 array of shape (n_datasets, n_methods)
        Rounded to `TIE_DECIMALS`; equal numbers are ties.
    """
    keys = np.round(values, TIE_DECIMALS)
    return keys if last is None else np.where(last, -np.inf, keys)


def ranks(values: FloatArray, last: BoolArray | None = None) -> FloatArray:
    """Rank the methods on each data set, ties averaged.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_methods)
        Higher is better.
    last : bool array of the same shape, optional
        Cells that rank last.

    Returns
    -------
    float64 array of shape (n_datasets, n_methods)
        1 is best; each row sums to M (M + 1) / 2.
    """
    return average_ranks(-ranking_keys(values, last)).rank


def average_ranks(keys: FloatArray) -> Ranked:
    """Rank the numbers of each row upwards, ties averaged.

    Parameters
    ----------
    keys : float64 array of shape (n_rows, n_items)
        No NaN.

    Returns
    -------
    Ranked
    """
    order = np.argsort(keys, axis=1, kind="stable")
    ordered = np.take_along_axis(keys, order, axis=1)
    place = np.broadcast_to(np.arange(keys.shape[1]), keys.shape)
    starts = np.ones(keys.shape, dtype=bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends = np.ones(keys.shape, dtype=bool)
    ends[:, :-1] = starts[:, 1:]
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
    backwards = np.where(ends, place, keys.shape[1])[:, ::-1]
    final = np.minimum.accumulate(backwards, axis=1)[:, ::-1]
    rank, size = np.empty(keys.shape), np.empty(keys.shape)
    np.put_along_axis(rank, order, (first + final) / 2.0 + 1.0, axis=1)
    np.put_along_axis(size, order, final - first + 1.0, axis=1)
    return Ranked(rank, size)


def win_rate(rank: FloatArray) -> FloatArray:
    """Return the share of comparisons that a method wins, a tie counting half.

    ``mean_t (1 - (r_ti - 1) / (M - 1))``.

    Parameters
    ----------
    rank : float64 array of shape (n_datasets, n_methods)
        From `ranks`.

    Returns
    -------
    float64 array of shape (n_methods,)
        In [0, 1], higher is better; NaN if there is only one method.
    """
    methods = rank.shape[1]
    if methods < 2:
        return np.full(methods, np.nan)
    share: FloatArray = np.mean(1.0 - (rank - 1.0) / (methods - 1), axis=0)
    return share


def champion_delta(values: FloatArray) -> FloatArray:
    """Return the share of a method's error that the best method on each set avoids.

    ``mean_t (1 - e_t* / e_ti)`` with the error ``e = 1 - value`` and e_t* the least
    error on t; 0 / 0 counts as 1, so that a perfect method has gap 0.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_methods)
        Higher is better.

    Returns
    -------
    float64 array of shape (n_methods,)
        In [0, 1]; 0 means best everywhere, lower is better.
    """
    error = 1.0 - values
    best = error.min(axis=1, keepdims=True)
    ratio = np.divide(best, error, out=np.ones_like(error), where=error > 0)
    saved: FloatArray = np.mean(1.0 - ratio, axis=0)
    return saved


def relative_to_best(values: FloatArray) -> FloatArray:
    """Return the mean of the value over the best value: rAUC in its ratio form.

    ``mean_t a_ti / max_j a_tj``, 0 / 0 counting as 1.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_methods)
        Higher is better.

    Returns
    -------
    float64 array of shape (n_methods,)
        In [0, 1]; 1 means best everywhere, higher is better.
    """
    best = np.broadcast_to(values.max(axis=1, keepdims=True), values.shape)
    ratio = np.divide(values, best, out=np.ones_like(values), where=best > 0)
    mean: FloatArray = ratio.mean(axis=0)
    return mean


def relative_in_range(values: FloatArray) -> FloatArray:
    """Return the mean position between the worst and the best: rAUC, min-max form.

    ``mean_t (a_ti - min_j a_tj) / (max_j a_tj - min_j a_tj)``; where all methods are
    equal, each counts 1.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_methods)
        Higher is better.

    Returns
    -------
    float64 array of shape (n_methods,)
        In [0, 1]; 1 means best everywhere, higher is better.
    """
    low = values.min(axis=1, keepdims=True)
    width = np.broadcast_to(values.max(axis=1, keepdims=True) - low, values.shape)
    place = np.divide(values - low, width, out=np.ones_like(values), where=width > 0)
    mean: FloatArray = place.mean(axis=0)
    return mean


def top_share(
    rank: FloatArray, last: BoolArray | None = None, *, top: int = TOP
) -> FloatArray:
    """Return the share of data sets on which a method's rank is at most `top`.

    Ranks are those of `ranks`: if ten methods tie for the best place, their rank is
    5.5 and none of them counts. A cell that ranks last never counts.

    Parameters
    ----------
    rank : float64 array of shape (n_datasets, n_methods)
        From `ranks`.
    last : bool array of the same shape, optional
        Cells that rank last.
    top : int
        The largest rank that counts.

    Returns
    -------
    float64 array of shape (n_methods,)
        In [0, 1]; higher is better.
    """
    among = rank <= top
    if last is not None:
        among = among & ~last
    share: FloatArray = among.mean(axis=0)
    return share


def total_rank(higher: Sequence[FloatArray], lower: Sequence[FloatArray]) -> FloatArray:
    """Return the mean of a method's places under several criteria, ties averaged.

    Parameters
    ----------
    higher, lower : sequences of float64 arrays of shape (n_methods,)
        Criteria of which higher, respectively lower, is better. Values that agree
        to nine decimals are ties, so that rounding errors do not decide.

    Returns
    -------
    float64 array of shape (n_methods,)
        1 means first under every criterion; lower is better.
    """
    signed = [*(-np.asarray(h) for h in higher), *(np.asarray(v) for v in lower)]
    criteria: FloatArray = np.stack(signed)
    mean: FloatArray = average_ranks(np.round(criteria, 9)).rank.mean(axis=0)
    return mean


def places(means: FloatArray) -> FloatArray:
    """Return the place of each method: one more than the number of better methods.

    Parameters
    ----------
    means : float64 array of shape (n_methods,)
        Higher is better. Values that agree to nine decimals are ties, so that rounding
        errors do not decide.

    Returns
    -------
    float64 array of shape (n_methods,)
        Whole numbers from 1; methods that tie share the smaller number.
    """
    rounded = np.round(means, 9)
    better: FloatArray = (rounded[None, :] > rounded[:, None]).sum(axis=1).astype(float)
    return better + 1.0


def share_of_ceiling(values: FloatArray, ceilings: FloatArray) -> FloatArray:
    """Divide each value by the best that its data set allows.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_methods)
        Not negative; higher is better.
    ceilings : float64 array of shape (n_datasets,)
        Positive; NaN where unknown.

    Returns
    -------
    float64 array of shape (n_datasets, n_methods)
        At most 1: ceilings are rounded, and a value may exceed one by that. NaN where
        the ceiling is unknown.
    """
    return np.minimum(values / ceilings[:, None], 1.0)
