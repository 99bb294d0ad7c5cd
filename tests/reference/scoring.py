"""Metrics and statistics over data sets the slow way: loops, counts, fractions."""

import itertools
import math


def auroc(labels, scores):
    total, won = 0, 0.0
    for a, score_a in zip(labels, scores, strict=True):
        for b, score_b in zip(labels, scores, strict=True):
            if a == 1 and b == 0:
                total += 1
                won += 1.0 if score_a > score_b else 0.5 if score_a == score_b else 0.0
    return won / total


def average_precision(labels, scores):
    positives = sum(labels)
    area, recall_before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        flagged = [y for y, s in zip(labels, scores, strict=True) if s >= threshold]
        recall = sum(flagged) / positives
        area += (recall - recall_before) * sum(flagged) / len(flagged)
        recall_before = recall
    return area


def weighted_auroc(labels, scores, weights):
    total = won = 0.0
    rows = list(zip(labels, scores, weights, strict=True))
    for a, score_a, weight_a in rows:
        for b, score_b, weight_b in rows:
            if a == 1 and b == 0:
                pair = weight_a * weight_b
                total += pair
                won += pair * (score_a > score_b) + 0.5 * pair * (score_a == score_b)
    return won / total


def weighted_average_precision(labels, scores, weights):
    rows = list(zip(labels, scores, weights, strict=True))
    positives = sum(w for y, _, w in rows if y)
    area, recall_before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        hits = sum(w for y, s, w in rows if s >= threshold and y)
        flagged = sum(w for _, s, w in rows if s >= threshold)
        area += (hits / positives - recall_before) * hits / flagged
        recall_before = hits / positives
    return area


def weak_orders(items):
    """Every order of the items with ties, as a list of levels from the highest down."""
    if not items:
        yield []
    for size in range(1, len(items) + 1):
        for first in itertools.combinations(items, size):
            rest = [item for item in items if item not in first]
            for tail in weak_orders(rest):
                yield [first, *tail]


def ceilings(groups, labels):
    """The best AUROC and AP over every order of the vectors, ties included."""
    best_auroc = best_ap = 0.0
    for order in weak_orders(sorted(set(groups))):
        level = {group: -place for place, tie in enumerate(order) for group in tie}
        scores = [level[group] for group in groups]
        best_auroc = max(best_auroc, auroc(labels, scores))
        best_ap = max(best_ap, average_precision(labels, scores))
    return best_auroc, best_ap


def precision_at_n(labels, scores):
    """The mean over every order of the rows that respects the scores."""
    n = sum(labels)
    rows = list(zip(scores, labels, strict=True))
    found = []
    for order in itertools.permutations(range(len(rows))):
        ordered = [rows[i] for i in order]
        if all(a[0] >= b[0] for a, b in itertools.pairwise(ordered)):
            found.append(sum(y for _, y in ordered[:n]) / n)
    return sum(found) / len(found)


def ranks(row):
    """1 for the highest, equal values share the mean of their places."""
    return [
        1 + sum(other > value for other in row) + (row.count(value) - 1) / 2
        for value in row
    ]


def keys(values, last):
    return [
        [
            -math.inf if lost else round(value, 5)
            for value, lost in zip(v, w, strict=True)
        ]
        for v, w in zip(values, last, strict=True)
    ]


def rank_table(values, last):
    return [ranks(row) for row in keys(values, last)]


def mean_columns(rows):
    return [sum(column) / len(column) for column in zip(*rows, strict=True)]


def beaten(row, i):
    """Number of others that row[i] beats, ties counting half."""
    others = [other for j, other in enumerate(row) if j != i]
    return sum(row[i] > other for other in others) + 0.5 * others.count(row[i])


def win_rate(values, last):
    m = len(values[0])
    return mean_columns(
        [[beaten(row, i) / (m - 1) for i in range(m)] for row in keys(values, last)]
    )


def champion_delta(values):
    rows = []
    for row in values:
        best = min(1 - a for a in row)
        rows.append([0.0 if 1 - a == 0 else 1 - best / (1 - a) for a in row])
    return mean_columns(rows)


def relative_to_best(values):
    return mean_columns(
        [[a / max(row) if max(row) else 1.0 for a in row] for row in values]
    )


def relative_in_range(values):
    return mean_columns(
        [
            [
                (a - min(row)) / (max(row) - min(row)) if max(row) > min(row) else 1.0
                for a in row
            ]
            for row in values
        ]
    )


def top_share(values, last, top=3):
    rows = [
        [float(r <= top and not lost) for r, lost in zip(ranked, gone, strict=True)]
        for ranked, gone in zip(rank_table(values, last), last, strict=True)
    ]
    return mean_columns(rows)


def wins(rank, weight):
    m = len(rank[0])
    count = [[0.0] * m for _ in range(m)]
    for row, times in zip(rank, weight, strict=True):
        for i in range(m):
            for j in range(m):
                if i != j:
                    outcome = 1.0 if row[i] < row[j] else 0.5 if row[i] == row[j] else 0
                    count[i][j] += times * outcome
    return count


def elo(count, rounds=20_000):
    """Bradley-Terry by minorisation and maximisation (Hunter, 2004)."""
    m = len(count)
    strength = [1.0] * m
    for _ in range(rounds):
        fresh = []
        for i in range(m):
            won = sum(count[i][j] for j in range(m) if j != i)
            met = sum(
                (count[i][j] + count[j][i]) / (strength[i] + strength[j])
                for j in range(m)
                if j != i
            )
            fresh.append(won / met)
        scale = math.exp(sum(math.log(s) for s in fresh) / m)
        fresh = [s / scale for s in fresh]
        still = max(abs(a - b) for a, b in zip(fresh, strength, strict=True)) < 1e-14
        strength = fresh
        if still:
            break
    return [1000 + 400 * math.log10(s) for s in strength]


def exact_sign_flip(differences):
    """The share of all sign assignments whose sum is at least as far from zero."""
    total = abs(sum(differences))
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    return sum(s >= total - 1e-12 for s in sums) / len(sums)


def holm(p):
    order = sorted(range(len(p)), key=lambda i: p[i])
    corrected, highest = [0.0] * len(p), 0.0
    for step, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p) - step) * p[i]))
        corrected[i] = highest
    return corrected


def filled(trials, policy, chance):
    """One data set's cells: trials is a list of lists of values, None for a failure.

    Returns the values and which of them rank last.
    """
    means = [
        sum(v for v in cell if v is not None) / sum(v is not None for v in cell)
        if any(v is not None for v in cell)
        else None
        for cell in trials
    ]
    values, last = [], []
    for i, cell in enumerate(trials):
        others = [m for j, m in enumerate(means) if j != i and m is not None]
        known = [m for m in means if m is not None]
        if policy == "main":
            worth = 0.0
        elif policy in ("chance", "base-rate"):
            worth = chance
        elif policy == "worst":
            worth = min([chance, *known])
        else:
            worth = sum(others) / len(others) if others else chance
        counted = [worth if v is None else v for v in cell] or [worth]
        values.append(sum(counted) / len(counted))
        last.append(means[i] is None and policy in ("main", "chance", "worst"))
    return values, last


def mean_ends(trials):
    """The mean of each end over the trials of a cell; None if one is unknown."""
    ends = ("auroc_low", "auroc_high", "ap_low", "ap_high")
    known = [
        trial["status"] == "ok" and not math.isnan(trial[end])
        for trial in trials
        for end in ends
    ]
    if not known or not all(known):
        return None
    return [sum(trial[end] for trial in trials) / len(trials) for end in ends]


def c_index(levels, scores):
    """Share of pairs of different levels in the right order; ties count half."""
    found = total = 0.0
    for i, high in enumerate(levels):
        for j, low in enumerate(levels):
            if high > low:
                total += 1
                found += (scores[i] > scores[j]) + 0.5 * (scores[i] == scores[j])
    return found / total
