"""Isolation trees as dictionaries, grown node by node with Python's integers."""

import math

MASK = 2**64 - 1
STEP = 0x9E3779B97F4A7C15


def scrambled(word):
    """Return SplitMix64's output of a state."""
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & MASK
    word = (word ^ word >> 27) * 0x94D049BB133111EB & MASK
    return word ^ word >> 31


def stream(seed, tree):
    """Yield a tree's numbers in [0, 1)."""
    state = scrambled((seed + (tree + 1) * STEP) & MASK)
    while True:
        state = (state + STEP) & MASK
        yield (scrambled(state) >> 11) / 2**53


def sample(numbers, rows, size):
    """Return `size` of the rows, each at most once."""
    rows = list(rows)
    for i in range(size):
        j = i + math.floor(next(numbers) * (len(rows) - i))
        rows[i], rows[j] = rows[j], rows[i]
    return rows[:size]


def search_depth(rows):
    """Return the mean depth of an unsuccessful search among `rows`, to 2**-32."""
    if rows <= 1:
        return 0.0
    if rows == 2:
        return 1.0
    euler = 0.5772156649015329
    depth = 2 * (math.log(rows - 1) + euler) - 2 * (rows - 1) / rows
    return round(depth * 2**32) / 2**32


def tree(rows, size, seed, number):
    """Grow one tree; a node is a leaf's rows or a column, a cut and two nodes."""
    numbers = stream(seed, number)
    limit = math.ceil(math.log2(max(size, 2)))
    columns = list(range(len(rows[0])))

    def node(members, depth, varying):
        if depth < limit and len(members) > 1:
            while varying:
                at = math.floor(next(numbers) * varying)
                last = varying - 1
                columns[at], columns[last] = columns[last], columns[at]
                column = columns[last]
                values = [row[column] for row in members]
                if min(values) < max(values):
                    break
                varying -= 1
            if varying:
                u = next(numbers)
                cut = min(values) * (1 - u) + max(values) * u
                if not min(values) <= cut < max(values):
                    cut = min(values)
                left = [row for row in members if row[column] <= cut]
                right = [row for row in members if row[column] > cut]
                assert left
                assert right
                # The right side first: the same random numbers meet the same nodes.
                high = node(right, depth + 1, varying)
                low = node(left, depth + 1, varying)
                return {"column": column, "cut": cut, "sides": (low, high)}
        return {"leaf": len(members)}

    return node(sample(numbers, rows, size), 0, len(columns))


def length(node, row, depth=0):
    """Return the depth of a row's leaf plus what its training rows would add."""
    if "leaf" in node:
        return depth + search_depth(node["leaf"])
    low, high = node["sides"]
    side = high if row[node["column"]] > node["cut"] else low
    return length(side, row, depth + 1)


def scores(train, queries, trees, samples, seed):
    """Return 2 to the minus mean length over the expected one."""
    train = [list(map(float, row)) for row in train]
    size = min(samples, len(train))
    grown = [tree(train, size, seed, number) for number in range(trees)]
    if size == 1:
        return [0.5 for _ in queries]
    return [
        2 ** (-sum(length(t, row) for t in grown) / (trees * search_depth(size)))
        for row in queries
    ]
