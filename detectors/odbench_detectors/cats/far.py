"""The distance of every row of a table to a far neighbour, found leaf by leaf.

Only distances are kept, for all rows of a leaf of a k-d tree at once: with a hundred
neighbours, most of the time of `NeighbourIndex.search_self` goes into keeping them in
order. The distances are the same to the last bit.
"""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.neighbours.distinct import distinct
from odbench_detectors.shared.neighbours.graph import NeighbourIndex
from odbench_detectors.shared.neighbours.kd_build import LEAF, build
from odbench_detectors.shared.order_statistics import kth
from odbench_detectors.shared.views import read_only

# With more columns, matrix products are faster.
_FEW_COLUMNS = 12


def far_distances(rows: FloatArray, k: int) -> FloatArray:
    """Return the distance from each row to its k-th nearest other row.

    Parameters
    ----------
    rows : float64 array of shape (n, d)
        At least two rows, within ±1e140.
    k : int
        Number of neighbours, 1 or more; limited to the number of other rows.

    Returns
    -------
    float64 array of shape (n,)
        Euclidean, the last column of `NeighbourIndex.search_self`.
    """
    if rows.shape[1] > _FEW_COLUMNS:
        return NeighbourIndex(rows).search_self(k).distances[:, -1]
    first, number = distinct(rows)
    # A row is found as well, at distance 0.
    k = min(k, len(rows) - 1) + 1
    order, starts, low, high, cuts, leaves = build(read_only(rows[first]), LEAF)
    ends = starts[len(cuts) :].copy()
    n_leaves, _, width = leaves.shape
    squared = np.empty(len(first))
    _far(
        read_only(leaves),
        read_only(ends),
        read_only(np.ascontiguousarray(low[len(cuts) :].T)),
        read_only(np.ascontiguousarray(high[len(cuts) :].T)),
        read_only(order),
        read_only(np.minimum(np.bincount(number), k)),
        np.empty(n_leaves),
        np.empty(n_leaves, dtype=np.int64),
        np.empty(width),
        np.empty(width),
        np.empty((width, 2 * k)),
        np.empty(width, dtype=np.int64),
        np.empty(width),
        k,
        squared,
    )
    return np.asarray(np.sqrt(squared)[number], dtype=np.float64)


@kernel()
def _far(  # noqa: PLR0917 - numba passes by position
    leaves: FloatArray,
    ends: IntArray,
    low: FloatArray,
    high: FloatArray,
    order: IntArray,
    copies: IntArray,
    gaps: FloatArray,
    queue: IntArray,
    away: FloatArray,
    sums: FloatArray,
    near: FloatArray,
    kept: IntArray,
    bound: FloatArray,
    k: int,
    squared: FloatArray,
) -> None:
    """Write the squared distance to the k-th nearest row, itself included.

    Leaves are visited from the nearest box on. Sums over columns are in ascending
    order, those of boxes, too: rounding is monotone, so that no box is farther than a
    row in it.
    """
    for block in range(len(ends)):
        start, size = ends[block, 0], ends[block, 1] - ends[block, 0]
        _add_gaps(low, high, block, gaps)
        left = len(gaps)
        for b in range(left):
            queue[b] = b
        for at in range(left // 2 - 1, -1, -1):
            _sink(gaps, queue, left, at)
        for p in range(size):
            bound[p] = np.inf
            kept[p] = 0
        farthest = np.inf
        while left > 0 and gaps[queue[0]] <= farthest:
            leaf = queue[0]
            left -= 1
            queue[0] = queue[left]
            _sink(gaps, queue, left, 0)
            first, stop = ends[leaf, 0], ends[leaf, 1]
            _add_gaps_of_rows(leaves, block, low, high, leaf, away)
            farthest = 0.0
            for p in range(size):
                if away[p] <= bound[p]:
                    _add_squares(leaves, block, p, leaf, sums)
                    kept[p], bound[p] = _keep(
                        sums, order[first:stop], copies, near[p], kept[p], bound[p], k
                    )
                farthest = max(farthest, bound[p])
        for p in range(size):
            squared[order[start + p]] = kth(near[p][: kept[p]], k - 1)


@helper()
def _add_gaps(low: FloatArray, high: FloatArray, block: int, gaps: FloatArray) -> None:
    """Write the squared distance from one leaf's box to every box."""
    for b in range(len(gaps)):
        gaps[b] = 0.0
    for j in range(len(low)):
        least, most = low[j, block], high[j, block]
        for b in range(len(gaps)):
            gap = max(low[j, b] - most, least - high[j, b], 0.0)
            gaps[b] += gap * gap


@helper()
def _add_gaps_of_rows(  # noqa: PLR0917 - numba passes by position
    leaves: FloatArray,
    block: int,
    low: FloatArray,
    high: FloatArray,
    leaf: int,
    away: FloatArray,
) -> None:
    """Write the squared distance from each row of a block to another leaf's box."""
    for p in range(len(away)):
        away[p] = 0.0
    for j in range(len(low)):
        least, most = low[j, leaf], high[j, leaf]
        for p in range(len(away)):
            x = leaves[block, j, p]
            gap = max(least - x, x - most, 0.0)
            away[p] += gap * gap


@helper()
def _add_squares(
    leaves: FloatArray, block: int, row: int, leaf: int, sums: FloatArray
) -> None:
    """Write the squared distance from a row of a block to each row of a leaf."""
    for p in range(len(sums)):
        sums[p] = 0.0
    for j in range(leaves.shape[1]):
        x = leaves[block, j, row]
        for p in range(len(sums)):
            difference = x - leaves[leaf, j, p]
            sums[p] += difference * difference


@helper()
def _keep(  # noqa: PLR0917 - numba passes by position
    sums: FloatArray,
    rows: IntArray,
    copies: IntArray,
    near: FloatArray,
    kept: int,
    bound: float,
    k: int,
) -> tuple[int, float]:
    """Keep the distances to a leaf's rows that may be among the k smallest.

    Returns how many are kept, and a bound on the k-th smallest.
    """
    for r in range(len(rows)):
        if sums[r] > bound:
            continue
        for _ in range(copies[rows[r]]):
            if kept == len(near):
                bound = kth(near[:kept], k - 1)
                kept = k
            near[kept] = sums[r]
            kept += 1
    if 2 * kept >= (2 if bound == np.inf else 3) * k:
        return k, kth(near[:kept], k - 1)
    return kept, bound


@helper()
def _sink(gaps: FloatArray, queue: IntArray, size: int, at: int) -> None:
    """Move a leaf down to its place in a heap whose root has the smallest gap."""
    leaf = queue[at]
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and gaps[queue[child + 1]] < gaps[queue[child]]:
            child += 1
        if gaps[queue[child]] >= gaps[leaf]:
            break
        queue[at] = queue[child]
        at = child
    queue[at] = leaf
