"""Tests of paired differences, and of the average ranks of all methods at once.

Tests that know that the best method was chosen on the same data are in
`odbench.scoring.places`.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from odbench.arrays import FloatArray
from odbench.scoring.aggregate import average_ranks
from odbench.scoring.clusters import Clusters

PERMUTATIONS = 10_000
# Up to this many differences the exact distribution of signed ranks is counted.
EXACT = 50
_BLOCK = 500
# Relative difference between two sums of the same numbers in a different order.
_ROUNDING = 1e-9


class Friedman(NamedTuple):
    """The Friedman test with the Nemenyi critical difference.

    Attributes
    ----------
    statistic : float
        Chi-square with M - 1 degrees of freedom, corrected for ties; NaN if it does
        not exist (fewer than two methods, or all methods tied everywhere).
    p : float
        Probability of at least that statistic if all methods were equal.
    critical_difference : float
        Methods whose average ranks differ by less are not significantly different.
    """

    statistic: float
    p: float
    critical_difference: float


def sign_flip(
    differences: FloatArray,
    *,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
) -> FloatArray:
    """Test whether paired differences have mean zero, by random sign flips.

    ``p = (1 + #{|m*| >= |m|}) / (B + 1)`` with m the mean difference and m* the mean
    under each of B random sign assignments (Phipson and Smyth, 2010). All columns
    are tested with the same signs.

    Parameters
    ----------
    differences : float64 array of shape (n_families, n_pairs)
        Differences between two methods, added up within each family.
    rng : numpy.random.Generator
        Source of the signs.
    permutations : int
        Number of sign assignments, B.

    Returns
    -------
    float64 array of shape (n_pairs,)
        Two-sided p-values in [1 / (B + 1), 1].
    """
    families, pairs = differences.shape
    tolerance = _ROUNDING * np.abs(differences).sum(axis=0)
    bound = np.abs(differences.sum(axis=0)) - tolerance
    extreme = np.zeros(pairs)
    for start in range(0, permutations, _BLOCK):
        block = min(_BLOCK, permutations - start)
        flipped = signs(block, families, rng) @ differences
        extreme += (np.abs(flipped) >= bound).sum(axis=0)
    p: FloatArray = (1.0 + extreme) / (permutations + 1.0)
    return p


def holm(p: FloatArray) -> FloatArray:
    """Correct p-values for multiple testing, step-down (Holm, 1979).

    Parameters
    ----------
    p : float64 array of shape (n_tests,)
        Raw p-values.

    Returns
    -------
    float64 array of shape (n_tests,)
        Corrected p-values in the same order. If those below alpha are called
        significant, the probability of any false positive is at most alpha.
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected


def signed_rank(differences: FloatArray) -> float:
    """Test whether paired differences are symmetric around zero, by signed ranks.

    The Wilcoxon signed-rank test, two-sided. Zeros are ranked and then dropped (Pratt,
    1959). Up to `EXACT` differences the distribution under random signs is counted
    exactly, ties included; beyond, it is the normal approximation with the correction
    for ties.

    Parameters
    ----------
    differences : float64 array of shape (n_families,)
        Mean difference between two methods within each family.

    Returns
    -------
    float
        p-value in [0, 1]; 1 if all differences are zero.
    """
    rank = average_ranks(np.abs(differences)[None, :]).rank[0]
    real = differences != 0.0
    if not real.any():
        return 1.0
    up = float(rank[differences > 0.0].sum())
    if len(differences) <= EXACT:
        return _exact_signed_rank(rank[real], up)
    return _normal_signed_rank(rank[real], up)


def _exact_signed_rank(rank: FloatArray, up: float) -> float:
    """Count the sign assignments whose sum is at least as far from the middle."""
    # Twice a rank is a whole number. Entry k is the share of assignments with sum k.
    share = np.ones(1)
    for doubled in np.rint(2.0 * rank).astype(np.int64):
        longer = np.zeros(len(share) + doubled)
        longer[: len(share)] += 0.5 * share
        longer[doubled:] += 0.5 * share
        share = longer
    middle = (len(share) - 1) / 2.0
    away = np.abs(np.arange(len(share)) - middle)
    return min(1.0, float(share[away >= abs(2.0 * up - middle) - 1e-9].sum()))


def _normal_signed_rank(rank: FloatArray, up: float) -> float:
    from scipy.special import ndtr

    # Under random signs the sum has this mean and variance, with or without ties.
    z = (up - rank.sum() / 2.0) / math.sqrt(float((rank**2).sum()) / 4.0)
    return float(2.0 * ndtr(-abs(z)))


def friedman(
    rank: FloatArray, clusters: Clusters | None = None, *, alpha: float = 0.05
) -> Friedman:
    """Test whether the methods differ, and compute the critical difference.

    Friedman's chi-square with the correction for ties (Conover, 1999, section 5.8),
    with families instead of data sets as independent:
    ``(M - 1) sum_i (sum_g u_gi)^2 / sum_gi u_gi^2``, u_gi the sum of
    ``r_ti - (M + 1) / 2`` over the data sets of family g. The critical difference is
    ``q_alpha sqrt(M (M + 1) / (6 N))`` with q_alpha the quantile of the studentised
    range over the square root of two (Nemenyi, 1963; Demsar, JMLR 2006, section
    3.2.2), times the root of the design effect (Kish, 1965)
    ``sum_gi u_gi^2 / sum_ti (r_ti - (M + 1) / 2)^2``, 1 without families.

    Parameters
    ----------
    rank : float64 array of shape (n_datasets, n_methods)
        Lower is better, ties averaged.
    clusters : Clusters, optional
        Families of the data sets. Without them each data set is a family by itself.
    alpha : float
        Level of the critical difference.

    Returns
    -------
    Friedman
    """
    from scipy.special import chdtrc

    n, m = rank.shape
    if m < 2 or n < 1:
        return Friedman(np.nan, np.nan, np.nan)
    q = range_quantile(1.0 - alpha, m) / math.sqrt(2.0)
    distance = q * math.sqrt(m * (m + 1) / (6.0 * n))
    away = rank - (m + 1) / 2.0
    sums = away if clusters is None else clusters.totals(away)
    within, between = float((sums**2).sum()), float((sums.sum(axis=0) ** 2).sum())
    if within <= _ROUNDING:
        return Friedman(np.nan, np.nan, distance)
    statistic = (m - 1) * between / within
    distance *= math.sqrt(within / float((away**2).sum()))
    return Friedman(statistic, float(chdtrc(m - 1, statistic)), distance)


# A page asks for the same one per slice and metric.
@lru_cache(maxsize=256)
def range_quantile(probability: float, m: int) -> float:
    """Return a quantile of the range of m standard normal variables.

    The studentised range with infinitely many degrees of freedom, whose
    distribution is ``F(q) = m int phi(z) (Phi(z) - Phi(z - q))^(m - 1) dz``.

    Parameters
    ----------
    probability : float
        In (0, 1).
    m : int
        Number of variables, 2 or more.

    Returns
    -------
    float
        q with F(q) = probability.
    """
    from scipy.special import ndtr

    # The integrand is smooth and vanishes beyond nine standard deviations, so equally
    # spaced points converge faster than any power of their distance.
    z = np.linspace(-9.0, 9.0, 601)
    density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi) * (z[1] - z[0])
    low, high = 0.0, 20.0
    while high - low > 1e-12:
        q = (low + high) / 2.0
        below = m * float((density * (ndtr(z) - ndtr(z - q)) ** (m - 1)).sum())
        low, high = (q, high) if below < probability else (low, q)
    return (low + high) / 2.0


def cliques(average_rank: FloatArray, distance: float) -> list[list[int]]:
    """Group methods whose average ranks are not significantly different.

    These are the bars of a critical-difference diagram: the longest runs of methods,
    ordered by average rank, whose first and last differ by less than `distance`.

    Parameters
    ----------
    average_rank : float64 array of shape (n_methods,)
        Lower is better.
    distance : float
        The critical difference.

    Returns
    -------
    list of list of int
        Indices of the methods of each bar, best first; bars of one method are
        left out.
    """
    order = np.argsort(average_rank, kind="stable")
    ordered = average_rank[order]
    bars: list[list[int]] = []
    reached = 0
    for first in range(len(ordered)):
        end = int(np.searchsorted(ordered, ordered[first] + distance, side="left"))
        if end - first > 1 and end > reached:
            bars.append([int(i) for i in order[first:end]])
        reached = max(reached, end)
    return bars


def signs(throws: int, families: int, rng: np.random.Generator) -> FloatArray:
    """Draw random signs.

    Parameters
    ----------
    throws, families : int
        Number of assignments and of signs in each.
    rng : numpy.random.Generator
        Source of the signs.

    Returns
    -------
    float64 array of shape (throws, families)
        -1 and 1 with equal probability.
    """
    size = throws * families
    packed = np.frombuffer(rng.bytes((size + 7) // 8), dtype=np.uint8)
    coins = np.unpackbits(packed, count=size).reshape(throws, families)
    drawn: FloatArray = 2.0 * coins.astype(np.float64) - 1.0
    return drawn
