"""Places with simultaneous confidence intervals, from tests of all pairs of methods.

The best method of a table was chosen on the data that it is tested with, so a test
against it alone calls equal methods different far too often. Here every pair is tested,
and all conclusions of a table hold together: the probability that any place interval,
or the set of methods that may be best, is wrong is at most 5 %. The intervals are those
of Mogstad, Romano, Shaikh and Wilhelm (Review of Economic Studies 2024), from the
step-down maximum statistic of Romano and Wolf (Econometrica 2005). The distribution of
the maximum comes from flipping the signs of whole families.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.scoring.aggregate import TIE_DECIMALS
from odbench.scoring.clusters import Clusters
from odbench.scoring.means import allowance
from odbench.scoring.significance import signs

ALPHA = 0.05
_BLOCK = 100
# Number of pairs that are computed at once: 100 kB of statistics per block of signs,
# which a processor's cache holds. 500 methods have 124,750 pairs.
_PART = 125
# Relative difference between two sums of the same numbers in a different order.
_ROUNDING = 1e-9
# Largest number of families times pairs that is computed at once.
_CHUNK = 4_000_000


class PairTests(NamedTuple):
    """Tests of whether the row's method has a higher mean than the column's.

    Attributes
    ----------
    p : float64 array of shape (n_methods, n_methods)
        Adjusted p-values; 1 where the mean of the row is not higher. The probability
        that any true hypothesis "not higher" has p <= alpha is at most alpha, whichever
        hypotheses are true.
    error : float64 array of shape (n_methods, n_methods)
        Standard error of the mean difference over families.
    families : float
        Effective number of families behind the tests.
    critical : float
        Number of standard errors that the largest of all differences exceeds with
        probability `ALPHA` if all methods are equal; infinite if there are too few
        families.
    """

    p: FloatArray
    error: FloatArray
    families: float
    critical: float


class Places(NamedTuple):
    """The places of methods, each array of shape (n_methods,).

    Attributes
    ----------
    low, high : int64 arrays
        Simultaneous 95 % interval of the place, 1 is best.
    p_best : float64 array
        Largest level at which the method is in the set of methods that may be best, 1
        for the one with the highest mean; above `ALPHA` exactly if `low` is 1.
    """

    low: IntArray
    high: IntArray
    p_best: FloatArray


def pair_tests(
    values: FloatArray,
    clusters: Clusters,
    *,
    rng: np.random.Generator,
    permutations: int,
) -> PairTests:
    """Test all ordered pairs of methods at once.

    The statistic of a pair is ``sum_g d_g / sqrt(sum_g d_g^2)``, d_g the sum of the
    differences within family g; it grows with Student's t. All pairs get the same
    random signs. Hypotheses are rejected in steps, the most extreme first, each
    compared with the maximum over those that are left.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_methods)
        Higher is better; rounded as for ranks, so that ties stay ties.
    clusters : Clusters
        Families of the data sets.
    rng : numpy.random.Generator
        Source of the signs.
    permutations : int
        Number of random signs per family, B; p-values are at least 1 / (B + 1).

    Returns
    -------
    PairTests
    """
    totals = clusters.totals(np.round(values, TIE_DECIMALS))
    methods = totals.shape[1]
    first, second = np.triu_indices(methods, 1)
    norm = _norms(totals, first, second)
    scale = np.divide(1.0, norm, out=np.zeros_like(norm), where=norm > 0.0)
    p, largest = _step_down(totals, (first, second, scale), permutations, rng)
    square = np.ones((methods, methods))
    square[first, second], square[second, first] = np.split(p, 2)
    critical = _critical(largest, clusters.effective) if clusters.enough else math.inf
    error = _errors(totals, clusters, first, second)
    return PairTests(square, error, clusters.effective, critical)


def places(tests: PairTests, *, alpha: float = ALPHA) -> Places:
    """Return the simultaneous intervals of the places.

    Parameters
    ----------
    tests : PairTests
        From `pair_tests`.
    alpha : float
        Probability that any interval misses its method's true place.

    Returns
    -------
    Places
    """
    higher = tests.p <= alpha
    methods = len(higher)
    low = (1 + higher.sum(axis=0)).astype(np.int64)
    high = (methods - higher.sum(axis=1)).astype(np.int64)
    return Places(low, high, tests.p.min(axis=0, initial=1.0))


def gap_ends(mean: FloatArray, tests: PairTests) -> tuple[FloatArray, FloatArray]:
    """Return simultaneous 95 % limits of each method's gap to the truly best one.

    All differences lie within `PairTests.critical` standard errors of their estimates
    at once, so the gap of method i, ``max_k (mean_k - mean_i)``, lies between the
    largest of the lower and the largest of the upper ends. The standard errors have an
    allowance for few families (`odbench.scoring.means.allowance`).

    Parameters
    ----------
    mean : float64 array of shape (n_methods,)
        In [0, 1], higher is better.
    tests : PairTests
        Of the values behind the means.

    Returns
    -------
    low, high : float64 arrays of shape (n_methods,)
        In [0, 1]; lower is better. NaN if there are too few families.
    """
    if not math.isfinite(tests.critical):
        return np.full(len(mean), np.nan), np.full(len(mean), np.nan)
    ahead = mean[:, None] - mean[None, :]
    reach = tests.critical * np.hypot(tests.error, allowance(tests.families))
    np.fill_diagonal(reach, 0.0)
    low = (ahead - reach).max(axis=0)
    return np.maximum(low, 0.0), np.minimum((ahead + reach).max(axis=0), 1.0)


def detectable(tests: PairTests, *, power: float = 0.8) -> float:
    """Return the difference of two means that the table shows with a given power.

    ``(c + z_power) * s`` with c the critical number of standard errors and s the median
    standard error of a difference.

    Parameters
    ----------
    tests : PairTests
        From `pair_tests`.
    power : float
        Probability that a difference of this size is found.

    Returns
    -------
    float
        In (0, 1]; NaN with one method, if the families are too few to show any, or if
        most methods are equal everywhere, which tells nothing of their spread.
    """
    from scipy.special import ndtri

    above = tests.error[np.triu_indices(len(tests.error), 1)]
    if not len(above) or not math.isfinite(tests.critical):
        return math.nan
    size = float((tests.critical + ndtri(power)) * np.median(above))
    return size if 0.0 < size <= 1.0 else math.nan


def _step_down(
    totals: FloatArray,
    pairs: tuple[IntArray, IntArray, FloatArray],
    permutations: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return p-values of ordered pairs, and the maximum over them of each assignment.

    Pairs come as first method, second method and one over the norm of their difference;
    with them, each pair is tested the other way round.
    """
    first, second, scale = pairs
    sums = totals.sum(axis=0)
    statistic = (sums[first] - sums[second]) * scale
    higher, lower = np.where(statistic < 0.0, (second, first), (first, second))
    # The least extreme first, so that maxima over what is left accumulate downwards.
    order = np.argsort(np.abs(statistic), kind="stable")
    ordered = (higher[order], lower[order], scale[order][:, None])
    bound = np.abs(statistic)[order] - _ROUNDING * math.sqrt(len(totals))
    exceeded = np.zeros(len(order))
    largest = [np.zeros(0)]
    columns = np.ascontiguousarray(totals.T)
    for start in range(0, permutations, _BLOCK):
        block = min(_BLOCK, permutations - start)
        drawn = columns @ signs(block, len(totals), rng).T
        largest.append(_count(drawn, ordered, bound[:, None], exceeded))
    raw = (1.0 + exceeded) / (permutations + 1.0)
    stepped = np.empty(len(order))
    stepped[order] = np.maximum.accumulate(raw[::-1])[::-1]
    p = np.where(np.stack([statistic, -statistic]) > 0.0, stepped, 1.0)
    return p.ravel(), np.concatenate(largest)


def _count(
    drawn: FloatArray,
    pairs: tuple[IntArray, IntArray, FloatArray],
    bound: FloatArray,
    exceeded: FloatArray,
) -> FloatArray:
    """Count the assignments whose maximum reaches the bound of each pair.

    `drawn` has the methods' sums, one column per assignment; counts are added to
    `exceeded`. Returns the maximum over all pairs, both ways round.
    """
    if not len(exceeded):
        return np.zeros(drawn.shape[1])
    parts = [slice(i, i + _PART) for i in range(0, len(exceeded), _PART)]
    # The pairs the other way round are the less extreme half.
    lowest = [_flipped(drawn, pairs, part).min(axis=0) for part in parts]
    top: FloatArray = -np.min(lowest, axis=0)
    for part in parts:
        left, bounds = _flipped(drawn, pairs, part), bound[part]
        before, top = top, np.maximum(top, left.max(axis=0))
        # Most assignments reach all of these bounds before, or none of them at all.
        exceeded[part] += np.count_nonzero(before >= bounds[-1])
        some = (before < bounds[-1]) & (top >= bounds[0])
        if some.any():
            left = np.maximum(left[:, some], before[some])
            reached = np.maximum.accumulate(left, axis=0) >= bounds
            exceeded[part] += np.count_nonzero(reached, axis=1)
    return top


def _flipped(
    drawn: FloatArray, pairs: tuple[IntArray, IntArray, FloatArray], part: slice
) -> FloatArray:
    """Return the statistics of some pairs, one column per assignment of signs."""
    higher, lower, scale = pairs
    apart: FloatArray = drawn.take(higher[part], axis=0)
    apart -= drawn.take(lower[part], axis=0)
    apart *= scale[part]
    return apart


def _critical(largest: FloatArray, families: float) -> float:
    """Turn the 95 % quantile of the maximum into a number of standard errors.

    `families` is their effective number: where some are larger than others, standard
    errors vary more.
    """
    top = float(np.quantile(largest, 1.0 - ALPHA, method="higher"))
    rest = families - top * top
    # With five families even agreeing signs have probability 2 / 32.
    if 2.0 ** (1 - families) > ALPHA or rest <= _ROUNDING * families:
        return math.inf
    return top * math.sqrt((families - 1.0) / rest)


def _norms(totals: FloatArray, first: IntArray, second: IntArray) -> FloatArray:
    """Return the root of the sum of squared family differences of each pair."""
    norm = np.empty(len(first))
    step = max(1, _CHUNK // max(1, len(totals)))
    for start in range(0, len(first), step):
        part = slice(start, start + step)
        apart = totals[:, first[part]] - totals[:, second[part]]
        norm[part] = np.sqrt((apart**2).sum(axis=0))
    # Rounding leaves sums of many equal values that are not quite equal.
    norm[norm < 0.5 * 10.0**-TIE_DECIMALS] = 0.0
    return norm


def _errors(
    totals: FloatArray, clusters: Clusters, first: IntArray, second: IntArray
) -> FloatArray:
    """Return the jackknife standard error of each mean difference over families.

    As `odbench.scoring.clusters.standard_error` of ``(x_t - mean) / N``.
    """
    methods, families = totals.shape[1], len(totals)
    square = np.zeros((methods, methods))
    if families < 2:
        return square
    n = float(clusters.sizes.sum())
    mean = totals.sum(axis=0) / n
    moved = clusters.moved(totals - clusters.sizes[:, None] * mean)
    spread = _norms(moved, first, second) / n
    square[first, second] = square[second, first] = spread
    return square * math.sqrt((families - 1.0) / families)
