"""Sift the products of a block of queries with a block of rows for near neighbours.

``|q - x|^2 = |q|^2 + |x|^2 - 2 q.x`` is fast and inexact. Here it only says who cannot
be near: whoever may be is measured again exactly as the tree measures.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from odbench.arrays import FloatArray
from odbench_detectors.neighbours.distinct_cpu import Int32Array
from odbench_detectors.neighbours.heap_cpu import offer
from odbench_detectors.neighbours.tree_cpu import IndexArray

_EPS = float(np.finfo(np.float64).eps)
_CHUNK = 16
_STRIDE = 16


@njit(cache=True, nogil=True)
def slack(d: int) -> float:
    """Return the relative error allowed to a product form of d columns.

    Each of |q|^2, |x|^2 and q.x is off by at most d + 2 roundings of what its terms
    sum to in absolute value, and |q.x| is at most (|q|^2 + |x|^2) / 2.
    """
    return 8.0 * (d + 8) * _EPS


@njit(cache=True, nogil=True)
def sift(  # noqa: PLR0917 - numba passes by position
    products: FloatArray,
    queries: FloatArray,
    query_norms: FloatArray,
    rows: FloatArray,
    row_norms: FloatArray,
    first: int,
    order: IndexArray,
    offsets: Int32Array,
    members: Int32Array,
    far: FloatArray,
    row: Int32Array,
) -> None:
    """Offer to each query's heap the rows of one block that may belong there.

    Parameters
    ----------
    products : float64 array of shape (q, b)
        ``queries @ rows[first : first + b].T``.
    queries : float64 array of shape (q, d)
    query_norms, row_norms : float64 arrays
        Sums of squares, less the `slack`.
    rows : float64 array of shape (m, d)
        The table's distinct rows in the tree's order.
    first : int
        Where the block starts.
    order, offsets, members
        As in `tree_cpu.search`.
    far, row : arrays of shape (q, k), float64 and int32
        One heap a query.
    """
    block = products.shape[1]
    for i in range(len(queries)):
        limit = far[i, 0] - query_norms[i]
        for start in range(0, block, _CHUNK):
            stop = min(start + _CHUNK, block)
            within = 0
            for b in range(start, stop):
                within += row_norms[first + b] - 2.0 * products[i, b] <= limit
            if within == 0:
                continue
            for b in range(start, stop):
                if row_norms[first + b] - 2.0 * products[i, b] > limit:
                    continue
                exact = _squared(queries[i], rows[first + b], far[i, 0])
                if exact <= far[i, 0]:
                    u = order[first + b]
                    offer(far[i], row[i], exact, members, offsets[u], offsets[u + 1])
                    limit = far[i, 0] - query_norms[i]


@njit(cache=True, nogil=True)
def _squared(query: FloatArray, row: FloatArray, reach: float) -> float:
    """Sum squares in the tree's order; stop once above `reach`."""
    total = 0.0
    d = len(query)
    for first in range(0, d, _STRIDE):
        for j in range(first, min(first + _STRIDE, d)):
            difference = query[j] - row[j]
            total += difference * difference
        if total > reach:
            break
    return total


@njit(cache=True, nogil=True)
def box_gaps(queries: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the least squared distance from the queries' box to each of some boxes."""
    d = queries.shape[1]
    least, most = queries[0].copy(), queries[0].copy()
    for query in queries:
        for j in range(d):
            least[j] = min(least[j], query[j])
            most[j] = max(most[j], query[j])
    gaps = np.zeros(len(low))
    for b in range(len(low)):
        for j in range(d):
            gap = max(low[b, j] - most[j], least[j] - high[b, j], 0.0)
            gaps[b] += gap * gap
    return gaps
