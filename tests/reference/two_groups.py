"""Trees that tell two groups of rows apart, grown as dictionaries."""

import itertools
import math

from tests.reference.forest import MASK, STEP, scrambled


def numbers_of(seed):
    """Yield the numbers of all trees, one stream, in [0, 1)."""
    state = seed & MASK
    while True:
        state = (state + STEP) & MASK
        yield (scrambled(state) >> 11) / 2**53


def added(weight, times):
    """Return the weight of some rows, added one by one: sums of floats are rounded."""
    total = 0.0
    for _ in range(times):
        total += weight
    return total


def take(numbers, rows, size):
    """Move `size` random rows to the beginning of a list, and return them."""
    for i in range(size):
        j = i + math.floor(next(numbers) * (len(rows) - i))
        rows[i], rows[j] = rows[j], rows[i]
    return rows[:size]


def masses(rows, is_second, weights):
    """Return the weight of each group's rows."""
    seconds = sum(is_second(i) for i in rows)
    return added(weights[0], len(rows) - seconds), added(weights[1], seconds)


def split(X, rows, columns, *, is_second, weights, tries, numbers):
    """Return (column, cut) of the best of `tries` random splits, None without one."""
    best, choice = -1.0, None
    left, tried = len(columns), 0
    while left and tried < tries:
        at = math.floor(next(numbers) * left)
        left -= 1
        columns[at], columns[left] = columns[left], columns[at]
        column = columns[left]
        values = [X[i][column] for i in rows]
        low, high = min(values), max(values)
        if low == high:
            continue
        tried += 1
        u = next(numbers)
        cut = low * (1 - u) + high * u
        if not low <= cut < high:
            cut = low
        below = [i for i in rows if X[i][column] <= cut]
        first, second = masses(below, is_second, weights)
        gain = second * second / (first + second)
        first_of_all, second_of_all = masses(rows, is_second, weights)
        first, second = first_of_all - first, second_of_all - second
        gain += second * second / (first + second)
        if gain > best:
            best, choice = gain, (column, cut)
    return choice


def tree(X, rows, *, is_second, weights, smallest, tries, numbers):
    """Grow a tree; a node is a leaf's share or a column, a cut and two nodes."""
    columns = list(range(len(X[0])))

    def node(members):
        seconds = sum(is_second(i) for i in members)
        firsts = len(members) - seconds
        mass = firsts * weights[0] + seconds * weights[1]
        share = seconds * weights[1] / mass
        leaf = {"share": share}
        if not firsts or not seconds or len(members) < 2 * smallest:
            return leaf
        choice = split(
            X, members, columns,
            is_second=is_second, weights=weights, tries=tries, numbers=numbers,
        )  # fmt: skip
        if choice is None:
            return leaf
        column, cut = choice
        low = [i for i in members if X[i][column] <= cut]
        high = [i for i in members if X[i][column] > cut]
        if min(len(low), len(high)) < smallest:
            return leaf
        # The upper side first: the same random numbers meet the same nodes.
        upper = node(high)
        sides = (node(low), upper)
        return {"share": share, "column": column, "cut": cut, "sides": sides}

    return node(rows)


def way(node, row):
    """Yield the nodes that a row passes, the leaf last."""
    while "sides" in node:
        yield node
        node = node["sides"][int(row[node["column"]] > node["cut"])]
    yield node


def out_of_bag(X, n_first, trees, most, smallest, tries, seed):  # noqa: PLR0917 - as the kernel
    """Return each row's mean share of the second group, whole and by column.

    Only trees grown without the row count. A split moves the share to that of a child.
    """
    X = [list(map(float, row)) for row in X]
    numbers = numbers_of(seed)
    groups = [list(range(n_first)), list(range(n_first, len(X)))]
    sizes = [max(min(len(group) // 2, most), 1) for group in groups]
    weights = [1.0 / size for size in sizes]
    total, times = [0.0] * len(X), [0] * len(X)
    by_column = [[0.0] * len(X[0]) for _ in X]
    for _ in range(trees):
        rows = []
        for group, size in zip(groups, sizes, strict=True):
            rows += take(numbers, group, size)
        grown = tree(
            X, rows, is_second=lambda i: i >= n_first, weights=weights,
            smallest=smallest, tries=tries, numbers=numbers,
        )  # fmt: skip
        for i in set(range(len(X))) - set(rows):
            nodes = list(way(grown, X[i]))
            for node, following in itertools.pairwise(nodes):
                by_column[i][node["column"]] += following["share"] - node["share"]
            total[i] += nodes[-1]["share"]
            times[i] += 1
    shares = [t / k if k else 0.5 for t, k in zip(total, times, strict=True)]
    changes = zip(by_column, times, strict=True)
    return shares, [[c / max(k, 1) for c in row] for row, k in changes]
