"""Statistical inference the slow way: leaving out, enumerating and counting."""

import itertools
import math


def jackknife_error(left_out, whole):
    """Standard errors from estimates that each leave one family out."""
    g = len(left_out)
    return [
        math.sqrt((g - 1) / g * sum((row[i] - whole[i]) ** 2 for row in left_out))
        for i in range(len(whole))
    ]


def mean_ranks(values):
    """1 for the smallest; equal values share the mean of their places."""
    return [
        1 + sum(other < value for other in values) + (values.count(value) - 1) / 2
        for value in values
    ]


def exact_signed_rank(differences):
    """Two-sided p over all signs of the ranks, zeros ranked and then dropped."""
    rank = mean_ranks([abs(d) for d in differences])
    kept = [(r, d) for r, d in zip(rank, differences, strict=True) if d]
    middle = sum(r for r, _ in kept) / 2
    seen = abs(sum(r for r, d in kept if d > 0) - middle)
    away = [
        abs(sum(r for (r, _), up in zip(kept, ups, strict=True) if up) - middle)
        for ups in itertools.product((False, True), repeat=len(kept))
    ]
    return sum(a >= seen - 1e-9 for a in away) / len(away)


def family_sums(values, family):
    """One row per family: the sum of its data sets."""
    methods = range(len(values[0]))
    return [
        [
            sum(v[i] for v, f in zip(values, family, strict=True) if f == g)
            for i in methods
        ]
        for g in sorted(set(family))
    ]


def friedman_over_families(rank, families):
    """Chi-square from the sums of ranks per family, and the design effect."""
    m = len(rank[0])
    away = [[r - (m + 1) / 2 for r in row] for row in rank]
    names = [name or ("alone", t) for t, name in enumerate(families)]
    sums = [
        [sum(a[i] for a, name in zip(away, names, strict=True) if name == g)
         for i in range(m)]
        for g in dict.fromkeys(names)
    ]  # fmt: skip
    within = sum(u * u for row in sums for u in row)
    between = sum(sum(row[i] for row in sums) ** 2 for i in range(m))
    alone = sum(a * a for row in away for a in row)
    return (m - 1) * between / within, within / alone


def pair_statistic(sums, signs, k, j):
    """Signed family differences of k and j, summed, over their root sum of squares."""
    apart = [s * (row[k] - row[j]) for row, s in zip(sums, signs, strict=True)]
    norm = math.sqrt(sum(d * d for d in apart))
    return sum(apart) / norm if norm else 0.0


def step_down_p(sums):
    """Adjusted p of every ordered pair over all signs of the families, in steps."""
    methods = range(len(sums[0]))
    pairs = [(k, j) for k in methods for j in methods if k != j]
    seen = {pair: pair_statistic(sums, [1] * len(sums), *pair) for pair in pairs}
    every = list(itertools.product((-1, 1), repeat=len(sums)))
    left, worst, p = sorted(pairs, key=lambda pair: -seen[pair]), 0.0, {}
    while left:
        top = left[0]
        largest = [
            max(pair_statistic(sums, signs, *pair) for pair in left) for signs in every
        ]
        share = sum(m >= seen[top] - 1e-9 for m in largest) / len(every)
        worst = max(worst, share)
        p[top] = worst if seen[top] > 0 else 1.0
        left = left[1:]
    return p
