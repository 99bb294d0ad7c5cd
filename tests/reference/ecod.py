"""ECOD, COPOD and HBOS the slow way: count, divide, take logs."""

import functools
import math
from fractions import Fraction


@functools.cache
def skewness_sign(column):
    """Sign of the third central moment, exactly; 0 where it is next to nothing."""
    values = [Fraction(v) for v in column]
    mean = sum(values) / len(values)
    m2 = sum((v - mean) ** 2 for v in values) / len(values)
    m3 = sum((v - mean) ** 3 for v in values) / len(values)
    if m3**2 <= m2**3 * Fraction(10) ** -18:
        return 0
    return -1 if m3 < 0 else 1


def surprises(train, row):
    """Per column (left, right, by skewness): -log((1 + count) / (n + 1))."""
    terms = []
    for j, value in enumerate(row):
        column = [r[j] for r in train]
        at_most = sum(v <= value for v in column)
        at_least = sum(v >= value for v in column)
        left = -math.log((1 + at_most) / (len(column) + 1))
        right = -math.log((1 + at_least) / (len(column) + 1))
        terms.append((left, right, left if skewness_sign(tuple(column)) < 0 else right))
    return terms


def ecod(train, rows, aggregate="sums"):
    """Maximum of three sums (TKDE 2022, section 3.3), or sum of maxima."""
    scores = []
    for row in rows:
        terms = surprises(train, row)
        if aggregate == "sums":
            scores.append(max(math.fsum(t[k] for t in terms) for k in range(3)))
        else:
            scores.append(math.fsum(max(left, right) for left, right, _ in terms))
    return scores


def copod(train, rows):
    """Sum over columns of the tail by skewness or the mean of both, if larger."""
    return [
        math.fsum(
            max(a, (left + right) / 2) for left, right, a in surprises(train, row)
        )
        for row in rows
    ]


def hbos(train, rows, n_bins=10, alpha=0.1, tol=0.5):
    """Histograms with equal bins; minus the sum of log2(density + alpha)."""
    scores = [0.0] * len(rows)
    for j in range(len(train[0])):
        column = [r[j] for r in train]
        low, high = min(column), max(column)
        if low == high:
            low, high = low - 0.5, high + 0.5
        width = (high - low) / n_bins
        edges = [low + k * width for k in range(n_bins)] + [high]
        terms = []
        for k in range(n_bins):
            last = k == n_bins - 1
            inside = sum(
                edges[k] <= v and (v < edges[k + 1] or (last and v == high))
                for v in column
            )
            terms.append(-math.log2(inside / len(column) / width + alpha))
        for i, row in enumerate(rows):
            value = row[j]
            if value <= low:
                near = low - value <= width * tol
                scores[i] += terms[0] if near else max(terms)
            elif value > high:
                near = value - high <= width * tol
                scores[i] += terms[-1] if near else max(terms)
            else:
                k = next(k for k in range(n_bins) if value <= edges[k + 1])
                scores[i] += terms[k]
    return scores
