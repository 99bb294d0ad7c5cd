"""Choose between the tree and matrix products, which give the same answers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.neighbours.distinct import IndexArray
from odbench_detectors.shared.neighbours.kd_build import Split

# Number of queries that try the tree before the choice.
PILOT = 24
# Every 8th of these queries comes first, and settles a choice as clear as this ratio.
_FIRST_STEP, _HOPELESS = 8, 4.0
# Nanoseconds per value visited by the tree, per value in a product, per product
# filtered, and per neighbour found among products.
_TREE_COST, _PRODUCT_COST, _SIFT_COST, _KEEP_COST = 1.2, 0.03, 1.0, 200.0
# Number of rows that look for blocks that the tree need not visit, and the share of
# blocks that must be visited for the tree to be hopeless.
_PROBES, _MOST_BLOCKS = 5, 0.8


def is_hopeless(rows: FloatArray, tree: Split) -> bool:
    """Check whether boxes of hundreds of rows are so close that no tree can skip them.

    For some rows, count the boxes that are no farther than the nearest other row of the
    row's own box.

    Parameters
    ----------
    rows : float64 array of shape (m, d)
    tree
        The result of `kd_build.split` for `rows`, with at least two rows per leaf.
    """
    order, starts, low, high, _ = tree
    first = len(starts) // 2
    ends = starts[first:]
    low, high = low[first:], high[first:]
    visited = 0
    for leaf in np.linspace(0, len(ends) - 1, _PROBES).astype(int):
        own = rows[order[ends[leaf, 0] : ends[leaf, 1]]]
        row = own[len(own) // 2]
        away = own - row
        squared = np.einsum("ij,ij->i", away, away)
        squared[len(own) // 2] = np.inf
        gaps = np.maximum(np.maximum(low - row, row - high), 0.0)
        visited += int((np.einsum("ij,ij->i", gaps, gaps) <= squared.min()).sum())
    return visited >= _MOST_BLOCKS * _PROBES * len(ends)


def tree_wins(
    by_tree: Callable[[IndexArray], float],
    near: IndexArray,
    shape: tuple[int, ...],
    k: int,
) -> bool:
    """Try the tree on some queries; a few of them suffice where it is hopeless.

    Parameters
    ----------
    by_tree : callable
        Answers queries and returns the number of values that the tree visited.
    near : intp array
        The queries, ordered by where they are; at least `PILOT`.
    shape : tuple of int
        Number of distinct rows and of columns.
    k : int
        Number of neighbours.
    """
    pilot = near[:: len(near) // PILOT]
    seen = _visited(by_tree, pilot[::_FIRST_STEP])
    if not _tree_is_cheaper(seen / _HOPELESS, shape, k):
        return False
    return _tree_is_cheaper(_visited(by_tree, pilot), shape, k)


def _visited(by_tree: Callable[[IndexArray], float], pilot: IndexArray) -> float:
    """Return how many values the tree visits per query."""
    # Copied, because numba would compile once more for a slice with steps.
    return by_tree(pilot.copy()) / len(pilot)


def _tree_is_cheaper(seen: float, shape: tuple[int, ...], k: int) -> bool:
    """Compare the estimated nanoseconds per query, measured on one core.

    Parameters
    ----------
    seen : float
        Values that the tree visits per query.
    shape : tuple of int
        Number of distinct rows and of columns, all of which products use.
    k : int
        Number of neighbours.
    """
    m, d = shape
    products = (_PRODUCT_COST * d + _SIFT_COST) * m + _KEEP_COST * k
    return _TREE_COST * seen < products
