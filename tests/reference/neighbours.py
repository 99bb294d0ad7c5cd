"""Nearest neighbours by measuring everything: slow and obvious."""

from __future__ import annotations

import math


def neighbours(train, queries, k, *, manhattan=False, leave_out_self=False):
    """Return distances and rows of the k nearest, ties by row."""
    distances, rows = [], []
    for q, query in enumerate(queries):
        measured = []
        for i, row in enumerate(train):
            if leave_out_self and i == q:
                continue
            total = 0.0
            for a, b in zip(query, row, strict=True):
                total += abs(a - b) if manhattan else (a - b) * (a - b)
            measured.append((float(total), i))
        nearest = sorted(measured)[:k]
        distances.append([d if manhattan else math.sqrt(d) for d, _ in nearest])
        rows.append([i for _, i in nearest])
    return distances, rows


def lof(train, queries, k):
    """Return local outlier factors as the paper writes them."""
    k = min(k, len(train) - 1)
    own, own_rows = neighbours(train, train, k, leave_out_self=True)

    def density(distances, rows):
        reach = [max(d, own[i][-1]) for d, i in zip(distances, rows, strict=True)]
        return 1.0 / (sum(reach) / k + 1e-10)

    densities = [density(d, r) for d, r in zip(own, own_rows, strict=True)]
    distances, rows = neighbours(train, queries, k)
    return [
        sum(densities[i] for i in r) / k / density(d, r)
        for d, r in zip(distances, rows, strict=True)
    ]
