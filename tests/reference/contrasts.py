"""Slow, obvious versions of the losses of ICL, MCM, SLAD, NeuTraL AD and GOAD.

Numbers and loops only, in float64, to be held against the papers.
"""

import math

import numpy as np


def softmax(logits):
    total = sum(math.exp(one) for one in logits)
    return [math.exp(one) / total for one in logits]


def unit(vector):
    return np.asarray(vector) / math.sqrt(sum(one * one for one in vector))


def icl(complements, windows, tau):
    """One row's surprise per window: (m, hidden), (m, hidden) -> m."""
    found = []
    for j, query in enumerate(complements):
        chances = softmax([float(query @ window) / tau for window in windows])
        found.append(-math.log(chances[j]))
    return found


def windows_and_rests(row, size):
    """Every window of neighbouring columns, and what is left without it."""
    starts = range(len(row) - size + 1)
    windows = [list(row[j : j + size]) for j in starts]
    rests = [list(row[:j]) + list(row[j + size :]) for j in starts]
    return windows, rests


def mcm_likeness(logits):
    """One row's mask logits, (masks, columns) -> the likeness of the masks."""
    masks = [unit(one) for one in logits]
    others = len(masks) - 1
    total = 0.0
    for i, mask in enumerate(masks):
        sums = sum(
            math.exp(float(mask @ other) / 0.1)
            for j, other in enumerate(masks)
            if j != i
        )
        total += math.log(sums)
    return total / (others * math.log(others))


def mcm_error(row, reconstructions):
    """Mean distance of a row to its reconstructions, (masks, columns)."""
    distances = [math.dist(row, one) for one in reconstructions]
    return sum(distances) / len(distances)


def kullback_leibler(p, q):
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def jensen_shannon(p, q):
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return (kullback_leibler(p, middle) + kullback_leibler(q, middle)) / 2


def slad_of_code(p, q):
    """The divergence in the public code of SLAD: a softmax of probabilities."""
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return kullback_leibler(middle, softmax(p)) + kullback_leibler(middle, softmax(q))


def neutral(codes, tau):
    """One row's contrast; codes (1 + transformations, outputs), its own first."""

    def likeness(a, b):
        return math.exp(float(codes[a] @ codes[b]) / tau)

    total = 0.0
    for k in range(1, len(codes)):
        wanted = likeness(k, 0)
        rest = sum(likeness(k, other) for other in range(1, len(codes)) if other != k)
        total -= math.log(wanted / (wanted + rest))
    return total


def goad_triplet(codes, margin):
    """Triplet-centre loss of a batch; codes (n, transformations, code)."""
    centres = codes.mean(axis=0)
    losses = []
    for row in codes:
        for k, code in enumerate(row):
            distances = [float(((code - centre) ** 2).sum()) for centre in centres]
            nearest = min(d for other, d in enumerate(distances) if other != k)
            losses.append(max(distances[k] + margin - nearest, 0.0))
    return sum(losses) / len(losses)


def goad_score(codes, centres):
    """One row's score; codes (transformations, code), centres alike."""
    total = 0.0
    for k, code in enumerate(codes):
        closeness = [-float(((code - centre) ** 2).sum()) for centre in centres]
        total -= math.log(softmax(closeness)[k])
    return total
