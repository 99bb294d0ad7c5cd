"""The core of a table in the unsupervised setting of CATS, slowly."""

import math

import numpy as np

from tests.reference.forest import length, tree
from tests.reference.neighbours import neighbours


def core(Z):
    """Return the places of the 60 % of the rows that four members find most normal."""
    n = len(Z)
    rows = np.clip(Z, -1e6, 1e6).tolist()
    members = (depths(rows), far(rows), distances_from_half(rows), column_tails(rows))
    squares = [[s**2 for s in surprises(scores)] for scores in members]
    totals = [a + b + c + d for a, b, c, d in zip(*squares, strict=True)]
    last = sorted(totals)[max(math.ceil(0.6 * n), 2) - 1]
    return [i for i in range(n) if totals[i] <= last]


def surprises(scores):
    """Return -log of the share of the scores that are at least as high as each."""
    scores = [float(np.float32(s)) for s in scores]
    return [
        float(-np.log(sum(other >= s for other in scores) / len(scores)))
        for s in scores
    ]


def depths(rows):
    """Return minus the summed depths at which 100 isolation trees reach each row."""
    size = min(256, len(rows))
    trees = [tree(rows, size, 5, number) for number in range(100)]
    return [-sum(length(one, row) for one in trees) for row in rows]


def far(rows):
    """Return the distance to the neighbour at n / 50, but at 20 to 100."""
    k = min(max(len(rows) // 50, 20), 100)
    distances, _ = neighbours(rows, rows, k, leave_out_self=True)
    return [own[-1] for own in distances]


def distances_from_half(rows):
    """Return squared Mahalanobis distances from the half found in ten steps."""
    n, d = len(rows), len(rows[0])
    columns = list(zip(*rows, strict=True))
    medians = [float(np.median(column)) for column in columns]
    scales = []
    for column, median in zip(columns, medians, strict=True):
        middle = float(np.median([abs(x - median) for x in column]))
        scales.append(1.4826 * middle if middle > 0 else 1.0)
    squares = [
        sum(
            min(abs(x - median) / scale, 10.0) ** 2
            for x, median, scale in zip(row, medians, scales, strict=True)
        )
        for row in rows
    ]
    half = max(n // 2, min(n, d + 2))
    for _ in range(10):
        nearest = sorted(range(n), key=lambda i: (squares[i], i))[:half]
        squares = squared_distances(rows, np.array([rows[i] for i in nearest]))
    return squares


def squared_distances(rows, kept):
    """Return squared distances by mean and covariance, or variances if d > 100."""
    if kept.shape[1] > 100:
        variances, axes = kept.var(axis=0), np.eye(kept.shape[1])
    else:
        covariance = np.atleast_2d(np.cov(kept, rowvar=False))
        variances, axes = np.linalg.eigh(covariance)
    least = 1e-3 * max(*variances, 1e-12)
    centre = kept.mean(axis=0)
    return [
        sum(
            float(axis @ (row - centre)) ** 2 / max(variance, least)
            for axis, variance in zip(axes.T, variances, strict=True)
        )
        for row in np.array(rows)
    ]


def column_tails(rows):
    """Return the sum over columns of -log of the share of values as far out."""
    n, totals = len(rows), [0.0] * len(rows)
    for column in zip(*rows, strict=True):
        for i, x in enumerate(column):
            beyond = min(sum(v <= x for v in column), sum(v >= x for v in column))
            totals[i] -= float(np.log(beyond / n))
    return totals
