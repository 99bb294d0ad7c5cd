"""Gaussian kernel density, term by term."""

import math


def surprise(train, queries, bandwidth):
    """Return the negative logarithm of the mean kernel."""
    out = []
    for query in queries:
        kernels = [
            math.exp(
                -sum((a - b) ** 2 for a, b in zip(query, row, strict=True))
                / (2 * bandwidth**2)
            )
            for row in train
        ]
        out.append(-math.log(sum(kernels) / len(train)))
    return out
