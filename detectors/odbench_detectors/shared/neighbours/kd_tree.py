"""An exact k-d tree whose leaves are scanned with vector instructions.

Every distance is summed over columns in ascending order, with one rounding per step,
and the lower bound of a box is summed in the same order. Rounding is monotone, so the
computed bound of a box never exceeds the computed distance of a row in it. Therefore
results are exact including ties, not just up to an epsilon.
"""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.neighbours.distinct import IndexArray, Int32Array
from odbench_detectors.shared.neighbours.nearest import insert

# Number of columns between two checks whether a leaf can be abandoned.
_STRIDE = 8
# Nodes that can wait at once: one per level of the tree.
_DEPTH = 128
# Halvings of the range that holds a bound.
_HALVINGS = 24
# Distances are counted in multiples of this, so that vector loops have no remainder.
_LANES = 8


def near_order(
    queries: FloatArray, low: FloatArray, high: FloatArray, cuts: IndexArray
) -> IndexArray:
    """Order queries by the leaf on their side of the cuts, to reuse the cache."""
    leaf = np.empty(len(queries), dtype=np.intp)
    _near_leaf(queries, low, high, cuts, leaf)
    return np.argsort(leaf, kind="stable")


@kernel()
def _near_leaf(
    queries: FloatArray,
    low: FloatArray,
    high: FloatArray,
    cuts: IndexArray,
    leaf: IndexArray,
) -> None:
    for q in range(len(queries)):
        node = 0
        while node < len(cuts):
            left, right, j = 2 * node + 1, 2 * node + 2, cuts[node]
            x = queries[q, j]
            node = left if x - high[left, j] <= low[right, j] - x else right
        leaf[q] = node


# Pass whole arrays with an index, because a slice costs more than the work on it.
@helper(inline="always")
def _gap(
    query: FloatArray, low: FloatArray, high: FloatArray, node: int, manhattan: bool
) -> float:
    """Return the minimum distance from a query to a box, squared unless `manhattan`."""
    total = 0.0
    for j in range(len(query)):
        gap = max(low[node, j] - query[j], query[j] - high[node, j], 0.0)
        total += gap if manhattan else gap * gap
    return total


@helper()
def _scan(  # noqa: PLR0917 - numba passes by position
    query: FloatArray,
    leaves: FloatArray,
    leaf: int,
    manhattan: bool,
    upper_bound: float,
    sums: FloatArray,
) -> int:
    """Sum the distances (squared unless `manhattan`) from a query to a leaf's rows.

    Stops when all exceed `upper_bound`; returns how many columns were summed.
    """
    for p in range(len(sums)):
        sums[p] = 0.0
    d = len(query)
    for first in range(0, d, _STRIDE):
        last = min(first + _STRIDE, d)
        for j in range(first, last):
            x = query[j]
            if manhattan:
                for p in range(len(sums)):
                    sums[p] += abs(x - leaves[leaf, j, p])
            else:
                for p in range(len(sums)):
                    difference = x - leaves[leaf, j, p]
                    sums[p] += difference * difference
        if last < d and not _any_within(sums, upper_bound):
            return last
    return d


@helper()
def _any_within(sums: FloatArray, upper_bound: float) -> bool:
    within = 0
    for p in range(len(sums)):
        within += sums[p] <= upper_bound
    return within > 0


def search(  # noqa: PLR0917
    queries: FloatArray,
    chosen: IndexArray,
    order: IndexArray,
    starts: IndexArray,
    low: FloatArray,
    high: FloatArray,
    cuts: IndexArray,
    leaves: FloatArray,
    offsets: Int32Array,
    members: Int32Array,
    manhattan: bool,
    distances: FloatArray,
    rows: Int32Array,
) -> None:
    """Find the nearest rows of some queries.

    Parameters
    ----------
    queries : float64 array of shape (n, d)
    chosen : intp array
        The queries to answer, in this order.
    order, starts, low, high, cuts, leaves
        Of the tree of `kd_build.build`.
    offsets, members : int32 arrays
        The table's rows equal to each row of the tree (`members_of`).
    manhattan : bool
        Use absolute differences instead of squares.
    distances, rows : arrays of shape (n, k), float64 and int32
        Filled at `chosen`: ascending by distance, then by row. Squared unless
        `manhattan`.
        k must not exceed the number of rows.
    """
    width = leaves.shape[2]
    # No table needs more, whatever the ties; pages that are never written cost nothing.
    room = len(order) + width
    _search(
        queries, chosen, order, starts, low, high, cuts, leaves, offsets, members,
        manhattan, np.empty(room), np.empty(room, dtype=np.int32), np.empty(width),
        np.empty(_DEPTH, dtype=np.intp), np.empty(_DEPTH), distances, rows,
    )  # fmt: skip


@kernel()
def _search(  # noqa: PLR0917 - numba passes by position
    queries: FloatArray,
    chosen: IndexArray,
    order: IndexArray,
    starts: IndexArray,
    low: FloatArray,
    high: FloatArray,
    cuts: IndexArray,
    leaves: FloatArray,
    offsets: Int32Array,
    members: Int32Array,
    manhattan: bool,
    close: FloatArray,
    places: Int32Array,
    sums: FloatArray,
    stack: IndexArray,
    gaps: FloatArray,
    distances: FloatArray,
    rows: Int32Array,
) -> None:
    """Search like `search`; `close` to `gaps` are work arrays.

    Rows within the bound are kept in no order, at their `places` in the tree's; each
    counts once here, whatever its number of members.
    """
    d, inner, k = queries.shape[1], len(cuts), distances.shape[1]
    for q in chosen:
        query = queries[q]
        n, wanted, upper_bound = 0, k, np.inf
        stack[0], gaps[0] = 0, 0.0
        depth = 1
        while depth:
            depth -= 1
            node = stack[depth]
            if gaps[depth] > upper_bound:
                continue
            # The cut says which child is nearer, so only the other's box is measured.
            while node < inner:
                near, distant = 2 * node + 1, 2 * node + 2
                j = cuts[node]
                if query[j] - high[near, j] > low[distant, j] - query[j]:
                    near, distant = distant, near
                stack[depth] = distant
                gaps[depth] = _gap(query, low, high, distant, manhattan)
                depth += gaps[depth] <= upper_bound
                node = near
            if _gap(query, low, high, node, manhattan) > upper_bound:
                continue
            columns = _scan(query, leaves, node - inner, manhattan, upper_bound, sums)
            start, stop = starts[node, 0], starts[node, 1]
            if columns < d or not _any_within(sums, upper_bound):
                continue
            # No branch, because half of the predictions would be wrong.
            for p in range(stop - start):
                close[n] = sums[p]
                places[n] = start + p
                n += sums[p] <= upper_bound
            if n >= wanted:
                upper_bound = _bound(close, n, k, upper_bound)
                n = _keep(close, places, n, upper_bound)
                wanted = n + n // 4 + 2
        full = 0
        for p in range(n):
            u = order[places[p]]
            start, stop = offsets[u], offsets[u + 1]
            full = insert(distances[q], rows[q], full, close[p], members, start, stop)


@helper()
def _bound(close: FloatArray, n: int, k: int, high: float) -> float:
    """Return a number that k of the first n distances do not exceed, and few others.

    `high` is such a number, or infinity. Some distances after the first n are lost.
    `order_statistics.at_least` does the same in float32, which takes longer here.
    """
    if high == np.inf:
        high = 0.0
        for p in range(n):
            high = max(high, close[p])
    padded = -(-n // _LANES) * _LANES
    for p in range(n, padded):
        close[p] = np.inf
    low = 0.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        within = 0
        for p in range(padded):
            within += close[p] <= middle
        if within < k:
            low = middle
        else:
            high = middle
            if within == k:
                break
    return high


@helper()
def _keep(close: FloatArray, places: Int32Array, n: int, bound: float) -> int:
    """Move those of the first n rows that are within a bound to the front."""
    kept = 0
    for p in range(n):
        distance = close[p]
        close[kept], places[kept] = distance, places[p]
        kept += distance <= bound
    return kept
