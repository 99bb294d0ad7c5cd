"""Mutual information by counting pairs of values one after the other."""

import math
import random
from collections import Counter


def entropy(values):
    """Return the entropy of a list of values, in nats."""
    n = len(values)
    return -sum(c / n * math.log(c / n) for c in Counter(values).values())


def information(a, b):
    """Return the mutual information of two lists of values, in nats."""
    n = len(a)
    left, right = Counter(a), Counter(b)
    total = 0.0
    for (x, y), count in Counter(zip(a, b, strict=True)).items():
        total += count / n * math.log(count * n / (left[x] * right[y]))
    return total


def share(a, b, shuffles, seed=0):
    """Return which share of what a tells is known from b, beyond shuffled lists."""
    rng = random.Random(seed)
    chance = 0.0
    for _ in range(shuffles):
        shuffled = list(b)
        rng.shuffle(shuffled)
        chance += information(a, shuffled) / shuffles
    return (information(a, b) - chance) / (entropy(a) - chance)
