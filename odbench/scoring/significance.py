"""Tests of the differences between methods, and of whether they are large enough.

With hundreds of data sets every difference is significant, so each p-value comes with
the size of the difference and the probability that it is too small to matter. Arrays
of values have shape (n_datasets, n_methods); higher is better.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from odbench.arrays import FloatArray
from odbench.scoring.aggregate import average_ranks

PERMUTATIONS = 10_000
# Half a point of AUROC, too little to change detectors for.
EQUIVALENT = 0.005
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


class Gaps(NamedTuple):
    """Gaps between each method and the best, each float64 of shape (n_methods,).

    Attributes
    ----------
    gap : array
        Mean of best minus method over the data sets; lower is better.
    low, high : arrays
        The central 95 % of the Bayesian bootstrap of the gap.
    p_equivalent : array
        Posterior probability that the gap lies within plus or minus `EQUIVALENT`.
    """

    gap: FloatArray
    low: FloatArray
    high: FloatArray
    p_equivalent: FloatArray


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
    differences : float64 array of shape (n_datasets, n_pairs)
        Differences between two methods on each data set.
    rng : numpy.random.Generator
        Source of the signs.
    permutations : int
        Number of sign assignments, B.

    Returns
    -------
    float64 array of shape (n_pairs,)
        Two-sided p-values in [1 / (B + 1), 1].
    """
    datasets, pairs = differences.shape
    total = differences.sum(axis=0)
    tolerance = _ROUNDING * np.abs(differences).sum(axis=0)
    bound = np.abs(total) - tolerance
    extreme = np.zeros(pairs)
    for start in range(0, permutations, _BLOCK):
        block = min(_BLOCK, permutations - start)
        # Flipping some signs changes the total by twice the sum of those values.
        flipped = _coins(block, datasets, rng) @ differences
        extreme += (np.abs(total - 2.0 * flipped) >= bound).sum(axis=0)
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


def against_best(
    values: FloatArray,
    *,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
) -> FloatArray:
    """Test each method against the one with the highest mean, with `sign_flip`.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_methods)
        Higher is better.
    rng : numpy.random.Generator
        Source of the signs.
    permutations : int
        Number of sign assignments to draw.

    Returns
    -------
    float64 array of shape (n_methods,)
        Holm-corrected p-values; 1 for the best itself.
    """
    p = np.ones(values.shape[1])
    others = _others(values)
    if len(others):
        raw = sign_flip(
            _behind(values)[:, others], rng=rng, permutations=permutations
        )  # fmt: skip
        p[others] = holm(raw)
    return p


def wilcoxon_against_best(values: FloatArray) -> FloatArray:
    """Test each method against the one with the highest mean, with `signed_rank`.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_methods)
        Higher is better.

    Returns
    -------
    float64 array of shape (n_methods,)
        Holm-corrected p-values; 1 for the best itself and for methods that equal
        it everywhere.
    """
    others = _others(values)
    p = np.ones(values.shape[1])
    p[others] = holm(signed_rank(np.round(_behind(values)[:, others], 12)))
    return p


def signed_rank(differences: FloatArray) -> FloatArray:
    """Test whether paired differences are symmetric around zero, by signed ranks.

    The Wilcoxon signed-rank test, two-sided, by the normal approximation with the
    correction for ties. Zeros are ranked and then dropped (Pratt, 1959).

    Parameters
    ----------
    differences : float64 array of shape (n_datasets, n_pairs)
        Differences between two methods on each data set.

    Returns
    -------
    float64 array of shape (n_pairs,)
        p-values in [0, 1]; 1 where all differences are zero.
    """
    from scipy.special import ndtr

    n = float(len(differences))
    ranked = average_ranks(np.abs(differences).T)
    real = differences.T != 0.0
    zeros = n - real.sum(axis=1)
    up = (ranked.rank * (differences.T > 0.0)).sum(axis=1)
    mean = (n * (n + 1.0) - zeros * (zeros + 1.0)) / 4.0
    squares = n * (n + 1.0) * (2.0 * n + 1.0)
    squares = squares - zeros * (zeros + 1.0) * (2.0 * zeros + 1.0)
    ties = ((ranked.size**2 - 1.0) * real).sum(axis=1)
    spread = np.sqrt(squares / 24.0 - ties / 48.0)
    z = np.divide(up - mean, spread, out=np.zeros_like(up), where=spread > 0.0)
    return np.asarray(2.0 * ndtr(-np.abs(z)))


def gaps_to_best(
    values: FloatArray,
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    equivalent: float = EQUIVALENT,
) -> Gaps:
    """Estimate how far each method is behind the best, and whether that matters.

    The data sets get random weights from the flat Dirichlet distribution (the
    Bayesian bootstrap: Rubin, Annals of Statistics 1981). The gaps under these
    weights are a posterior sample of the gap. The share of that sample inside the
    region of practical equivalence is the probability that the two methods are, for
    practical purposes, equally good (Benavoli et al., JMLR 2017).

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_methods)
        Higher is better.
    rng : numpy.random.Generator
        Source of the weights.
    draws : int
        Size of the posterior sample.
    equivalent : float
        Half width of the region of practical equivalence.

    Returns
    -------
    Gaps
    """
    behind = _behind(values)
    raw = rng.standard_exponential((draws, len(behind)))
    posterior = (raw / raw.sum(axis=1, keepdims=True)) @ behind
    low, high = np.quantile(posterior, [0.025, 0.975], axis=0)
    inside = (np.abs(posterior) <= equivalent).mean(axis=0)
    gap = behind.mean(axis=0)
    return Gaps(gap, np.minimum(low, gap), np.maximum(high, gap), inside)


def gap_to_best(values: FloatArray) -> FloatArray:
    """Return how far each method's mean is behind the best mean.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_methods)
        Higher is better.

    Returns
    -------
    float64 array of shape (n_methods,)
        0 for the best, lower is better.
    """
    gap: FloatArray = _behind(values).mean(axis=0)
    return gap


def friedman(rank: FloatArray, *, alpha: float = 0.05) -> Friedman:
    """Test whether the methods differ, and compute the critical difference.

    Friedman's chi-square with the correction for ties,
    ``(M - 1) sum_i (R_i - N (M + 1) / 2)^2 / (sum_ti r_ti^2 - N M (M + 1)^2 / 4)``
    with R_i the sum of a method's ranks (Conover, 1999, section 5.8), and the
    critical difference ``q_alpha sqrt(M (M + 1) / (6 N))`` with q_alpha the quantile
    of the studentised range over the square root of two (Nemenyi, 1963; Demsar,
    JMLR 2006, section 3.2.2).

    Parameters
    ----------
    rank : float64 array of shape (n_datasets, n_methods)
        Lower is better, ties averaged.
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
    between = float(((rank.sum(axis=0) - n * (m + 1) / 2.0) ** 2).sum())
    within = float((rank**2).sum() - n * m * (m + 1) ** 2 / 4.0)
    if within <= 0.0:
        return Friedman(np.nan, np.nan, distance)
    statistic = (m - 1) * between / within
    return Friedman(statistic, float(chdtrc(m - 1, statistic)), distance)


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


def best_of(values: FloatArray) -> int:
    """Return the index of the method with the highest mean, the first if tied."""
    return int(np.argmax(np.round(values.mean(axis=0), 12)))


def _behind(values: FloatArray) -> FloatArray:
    """Return how far each value is behind the best method's on the same data set."""
    best = values[:, [best_of(values)]]
    return best - values


def _others(values: FloatArray) -> np.ndarray:
    """Return the indices of all methods but the best."""
    return np.delete(np.arange(values.shape[1]), best_of(values))


def _coins(throws: int, datasets: int, rng: np.random.Generator) -> FloatArray:
    """Draw fair coins as float64 zeros and ones of shape (throws, datasets)."""
    size = throws * datasets
    packed = np.frombuffer(rng.bytes((size + 7) // 8), dtype=np.uint8)
    return np.unpackbits(packed, count=size).reshape(throws, datasets).astype(float)
