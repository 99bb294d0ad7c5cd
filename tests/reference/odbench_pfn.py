"""Slow, obvious versions of what odbench_pfn tells its network."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np


def place(others, value):
    """Return (below, equal, gap, beyond) of a value among the others of its column."""
    below = sum(1 for other in others if other < value)
    equal = sum(1 for other in others if other == value)
    gap = min(abs(other - value) for other in others)
    beyond = 0.0
    if value > max(others):
        beyond = value - max(others)
    if value < min(others):
        beyond = value - min(others)
    return below, equal, gap, beyond


def tail(others, value):
    """Return -log of the two-sided tail probability, larger beyond the range."""
    at_or_below = sum(1 for other in others if other <= value)
    at_or_above = sum(1 for other in others if other >= value)
    share = (min(at_or_below, at_or_above) + 1) / (len(others) + 1)
    return -math.log(min(2 * share, 1)) + math.log1p(abs(place(others, value)[3]))


def normal_score(others, value):
    """Return the normal quantile of the middle rank, longer beyond the range."""
    below, equal, _, beyond = place(others, value)
    rank = (below + (equal + 1) / 2) / (len(others) + 1)
    return NormalDist().inv_cdf(rank) + math.copysign(math.log1p(abs(beyond)), beyond)


def surprise(calibrating, value, *, own):
    """Return -log of the share of values as large, the value's own included."""
    as_large = sum(1 for other in calibrating if other >= value)
    count = len(calibrating)
    share = as_large / count if own else (as_large + 1) / (count + 1)
    largest, middle = max(calibrating), sorted(calibrating)[count // 2]
    excess = max(value - largest, 0.0) / (largest - middle)
    return -math.log(share) + math.log1p(excess)


def residuals(context, row, ridge):
    """Return a row's standardised residuals, each column regressed on the others.

    Columns count as centred. The rows' second moments have the weight 1 - ridge, the
    identity has the weight ridge.
    """
    d = context.shape[1]
    moments = (1 - ridge) * context.T @ context / len(context) + ridge * np.eye(d)
    found = []
    for j in range(d):
        rest = [i for i in range(d) if i != j]
        weights = np.linalg.solve(moments[np.ix_(rest, rest)], moments[rest, j])
        variance = moments[j, j] - moments[j, rest] @ weights
        found.append(abs(row[j] - row[rest] @ weights) / math.sqrt(variance))
    return np.array(found)
