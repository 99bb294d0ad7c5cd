"""The views of CATS, written as loops that count."""

import math

import numpy as np

FEW, TINY = 5, 1e-9


def rounded(x):
    """The 24 bits that are compared are those of single precision."""
    return float(np.float32(x))


def tail(calibration, score):
    """Surprise of one score, by counting."""
    calibration, score = [rounded(c) for c in calibration], rounded(score)
    n = len(calibration)
    above = sum(c >= score for c in calibration)
    ordered = sorted(calibration)
    largest, median = ordered[-1], ordered[n // 2]
    spread = max(largest - median, 1e-12 * max(abs(largest), 1.0))
    excess = max(score - largest, 0.0) / spread
    return -math.log((1 + above) / (n + 1)) + excess / (1 + excess)


def column_surprise(column, x, n):
    """Tail and gap of a value among *other* values of a column of n train rows."""
    low, high = sum(v <= x for v in column), sum(v >= x for v in column)
    gap = rounded(min(abs(v - x) for v in column))
    further = min(low, high)
    beyond = gap / (1 + gap) if further == 0 else 0.0
    return -math.log((1 + further) / (n + 1)) + beyond, gap


def without(array, i):
    return np.delete(array, i, axis=0)


def column_views(train, row, i=None):
    """Largest tail and largest calibrated gap of a row; i where it is train row i."""
    tails, gaps = [], []
    for j in range(train.shape[1]):
        column = train[:, j]
        own_gaps = [
            column_surprise(without(column, t), column[t], len(train))[1]
            for t in range(len(column))
        ]
        others = column if i is None else without(column, i)
        if i is not None:
            own_gaps.pop(i)
        surprise, gap = column_surprise(others, row[j], len(train))
        above = sum(g >= gap for g in own_gaps)
        tails.append(surprise)
        beyond = (gap - max(own_gaps)) / gap if above == 0 else 0.0
        gaps.append(-math.log((1 + above) / (len(train) + 1)) + beyond)
    return max(tails), max(gaps)


def share_below(train, row):
    return np.array(
        [
            (sum(train[:, j] < x) + sum(train[:, j] <= x)) / (2 * len(train))
            for j, x in enumerate(row)
        ]
    )


def manhattan(a, b):
    return rounded(sum(abs(x - y) for x, y in zip(a, b, strict=True)))


def local(train, candidates, row, of_row):
    """Distance to the fifth candidate over the mean of what the five have."""

    def fifth(at, rows):
        ordered = sorted(rows, key=lambda c: (manhattan(at, train[c]), c))[:FEW]
        return manhattan(at, train[ordered[-1]]), ordered

    distance, nearest = fifth(row, of_row)
    scales = [fifth(train[c], candidates[c])[0] for c in nearest]
    return (distance + TINY) / (np.mean(scales) + TINY)
