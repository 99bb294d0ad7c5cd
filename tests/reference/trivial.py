"""The triviality of a table, by trying every threshold."""

import numpy as np


def on_axes(train, test):
    values, axes = np.linalg.eigh(train.T @ train / len(train))
    if values[-1] <= 0:
        return None
    kept = axes[:, values >= 1e-9 * values[-1]]
    return train @ kept, test @ kept


def best(train, test, labels):
    most = int(0.05 * (labels == 0).sum())
    rules = [outside_any(train, test)]
    for known, values in zip(train.T.tolist(), test.T.tolist(), strict=True):
        gaps = [min(abs(value - other) for other in known) for value in values]
        for scores in (values, [-value for value in values], gaps):
            rules += [[s > t for s in scores] for t in (-np.inf, *scores)]
        rules.append(interval(values, labels, most // 2))
    return max(found(rule, labels) for rule in rules if errors(rule, labels) <= most)


def outside_any(train, test):
    low, high = train.min(axis=0), train.max(axis=0)
    return [bool(((row < low) | (row > high)).any()) for row in test]


def interval(values, labels, half):
    inliers = sorted(v for v, y in zip(values, labels, strict=True) if y == 0)
    low, high = inliers[half], inliers[-1 - half]
    return [v < low or v > high for v in values]


def errors(rule, labels):
    return sum(r for r, y in zip(rule, labels, strict=True) if y == 0)


def found(rule, labels):
    return sum(r for r, y in zip(rule, labels, strict=True) if y == 1) / labels.sum()
