"""Filter candidates for neighbours by products of queries and rows in float32.

``|q - x|^2 = |q|^2 + |x|^2 - 2 q.x`` is fast but inexact. It is only used to discard
rows that cannot be among the neighbours; the distances of all others are computed again
exactly as the tree computes them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.neighbours.distinct import IndexArray, Int32Array
from odbench_detectors.shared.neighbours.nearest import insert
from odbench_detectors.shared.order_statistics import (
    Singles,
    at_least,
    count_within,
)

_EPS = float(np.finfo(np.float32).eps)
# Larger sums of squares might overflow, and smaller ones underflow.
LARGEST = 1e36
_VANISHING = 1e-30
_CHUNK = 32
_FEWEST_LANES = 64


def slack(d: int) -> float:
    """Return the relative error allowed for a product form of d columns.

    In roundings u of single precision, half of eps: |x|^2 - 2 q.x is a sum of d + 1
    products, with an error of at most d + 1 times the sum of the terms' absolute
    values, which is at most |q|^2 + 2 |x|^2; rounding q, x and |x|^2 adds 3. Twice
    this bound is allowed.
    """
    return (d + 8) * _EPS


def lanes(k: int) -> int:
    """Return how many minima bound the k-th smallest product of a block."""
    width = _FEWEST_LANES
    while width < 2 * k:
        width *= 2
    return width


@kernel()
def gather(  # noqa: PLR0917 - numba passes by position
    gaps: FloatArray,
    upper_bound: FloatArray,
    nearest: IndexArray,
    block: int,
    own: bool,
    queries: Singles,
    places: IndexArray,
    some: Singles,
) -> int:
    """Gather the queries that a block is nearest to, or those others that need it.

    Parameters
    ----------
    gaps : float64 array of shape (q, blocks)
        Least squared distances of the blocks' rows.
    upper_bound : float64 array of shape (q,)
        As in `sift`. A block that is farther is of no use to a query.
    nearest : intp array of shape (q,)
        The nearest block of each query.
    block : int
        The block.
    own : bool
        Gather the queries that it is nearest to.
    queries : float32 array of shape (q, e)
    places, some : arrays of shapes (q,) and (q, e), intp and float32
        Filled with the places of the queries gathered, and with them.

    Returns
    -------
    int
        The number of them.
    """
    n = 0
    for i in range(len(queries)):
        places[n] = i
        if own:
            n += nearest[i] == block
        else:
            n += (nearest[i] != block) & (gaps[i, block] <= upper_bound[i])
    for p in range(n):
        for j in range(queries.shape[1]):
            some[p, j] = queries[places[p], j]
    return n


@kernel()
def sift(  # noqa: PLR0917 - numba passes by position
    products: Singles,
    places: IndexArray,
    first: int,
    query_norms: FloatArray,
    row_norms: FloatArray,
    tolerance: float,
    k: int,
    width: int,
    near: Singles,
    candidates: Int32Array,
    count: Int32Array,
    limit: Singles,
    upper_bound: FloatArray,
    work: Singles,
) -> None:
    """Keep, for some queries, the rows of one block that may be among their k nearest.

    Parameters
    ----------
    products : float32 array of shape (p, b)
        ``|x|^2 - 2 q.x``, a little less for the slack, of rows from `first`.
    places : intp array of shape (p,)
        The queries' places in the arrays below.
    first : int
        Index of the block's first row.
    query_norms, row_norms : float64 arrays of shape (q,) and (m,)
        Sums of squares.
    tolerance : float
        The `slack`.
    k, width : int
        Neighbours, and their `lanes`.
    near, candidates : arrays of shape (q, capacity), float32 and int32
        The kept products, and the rows' positions in the tree's order.
    count : int32 array of shape (q,)
        Number of kept candidates; -1 if they exceeded the capacity.
    limit : float32 array of shape (q,)
        Products above it are discarded.
    upper_bound : float64 array of shape (q,)
        At least the squared distance of the k-th nearest row so far.
    work : float32 array of shape (capacity,), and of (width,) at least
        Work array.
    """
    block = products.shape[1]
    capacity = near.shape[1]
    largest = 0.0
    for b in range(first, first + block):
        largest = max(largest, row_norms[b])
    for p in range(len(places)):
        i = places[p]
        kept: Any = np.int64(count[i])
        if kept < 0:
            continue
        line = products[p]
        if kept == 0 and 2 * width <= block:
            limit[i] = _first_limit(
                line,
                k,
                work[:width],
                4.0 * tolerance * largest,
                tolerance * query_norms[i],
            )
        bound = limit[i]
        counted = bound
        within = count_within(line, counted)
        start = -_CHUNK
        while within > 0:
            start += _CHUNK
            here = count_within(line[start : start + _CHUNK], counted)
            within -= here
            b = start - 1
            while here > 0:
                b += 1
                if line[b] > counted:
                    continue
                here -= 1
                if line[b] > bound:
                    continue
                if kept == capacity:
                    kept = _shrink(
                        i, kept, query_norms, row_norms, tolerance, k,
                        near, candidates, limit, upper_bound, work,
                    )  # fmt: skip
                    bound = limit[i]
                    if 2 * kept > capacity + k:
                        kept = -1
                        upper_bound[i] = 0.0
                        within = here = np.float32(0.0)
                        break
                    if line[b] > bound:
                        continue
                near[i, kept] = line[b]
                candidates[i, kept] = first + b
                kept += 1
        # A query without a bound gets one at once, because it rules out other blocks.
        if kept > 2 * k or upper_bound[i] == np.inf:
            kept = _shrink(
                i, kept, query_norms, row_norms, tolerance, k,
                near, candidates, limit, upper_bound, work,
            )  # fmt: skip
        count[i] = kept


@helper()
def _first_limit(
    line: Singles,
    k: int,
    lanes: Singles,
    row_slack: float,
    query_slack: float,
) -> float:
    """Return an upper bound on the k-th smallest product of a block.

    Rows are distributed over lanes; the k-th smallest of the lanes' minima is at least
    the k-th smallest of all.
    """
    width = len(lanes)
    for b in range(width):
        lanes[b] = line[b]
    for start in range(width, len(line) - width + 1, width):
        _lower(lanes, line[start : start + width])
    return _above(at_least(lanes, k) + row_slack + 2.0 * query_slack)


@helper()
def _lower(lanes: Singles, line: Singles) -> None:
    """Replace values by smaller ones; a function, so that LLVM uses vectors."""
    for b in range(len(lanes)):
        lanes[b] = min(lanes[b], line[b])


@helper()
def _above(bound: float) -> float:
    """Round up to single precision."""
    return bound + _VANISHING + 2.0 * _EPS * abs(bound)


@helper()
def _shrink(  # noqa: PLR0917 - numba passes by position
    i: int,
    kept: int,
    query_norms: FloatArray,
    row_norms: FloatArray,
    tolerance: float,
    k: int,
    near: Singles,
    candidates: Int32Array,
    limit: Singles,
    upper_bound: FloatArray,
    most: Singles,
) -> int:
    """Drop candidates that k others certainly beat; return how many remain."""
    if kept < k:
        return kept
    for p in range(kept):
        most[p] = near[i, p] + 4.0 * tolerance * row_norms[candidates[i, p]]
    bound = _above(_above(at_least(most[:kept], k)) + 2.0 * tolerance * query_norms[i])
    limit[i] = bound
    upper_bound[i] = bound + query_norms[i]
    stay = 0
    for p in range(kept):
        near[i, stay] = near[i, p]
        candidates[i, stay] = candidates[i, p]
        stay += near[i, p] <= limit[i]
    return stay


@kernel()
def settle(  # noqa: PLR0917 - numba passes by position
    queries: FloatArray,
    chosen: IndexArray,
    query_norms: FloatArray,
    row_norms: FloatArray,
    tolerance: float,
    near: Singles,
    candidates: Int32Array,
    count: Int32Array,
    limit: Singles,
    upper_bound: FloatArray,
    rows: FloatArray,
    order: IndexArray,
    offsets: Int32Array,
    members: Int32Array,
    distances: FloatArray,
    found: Int32Array,
    most: Singles,
    scratch: FloatArray,
    places: IndexArray,
    left: IndexArray,
) -> int:
    """Compute exact distances of the candidates, and write the nearest ones.

    Parameters
    ----------
    queries : float64 array of shape (n, d)
    chosen : intp array of shape (q,)
        The queries that the arrays of `sift` refer to.
    query_norms, row_norms, tolerance, near, candidates, count, limit, upper_bound
        As in `sift`.
    rows : float64 array of shape (m, d)
        The table's distinct rows.
    order, offsets, members
        As in `tree.search`.
    distances, found : arrays of shape (n, k), float64 and int32
        Filled at `chosen`, where `count` is not -1.
    most, scratch, places : arrays of shape (capacity,), float32, float64 and intp
        Work arrays.
    left : intp array of shape (q,)
        Filled with the queries of `chosen` that remain to be answered.

    Returns
    -------
    int
        The number of them.
    """
    k = distances.shape[1]
    n_left = 0
    for i in range(len(chosen)):
        q = chosen[i]
        kept: Any = np.int64(count[i])
        if kept < 0:
            left[n_left] = q
            n_left += 1
            continue
        kept = _shrink(
            i, kept, query_norms, row_norms, tolerance, k,
            near, candidates, limit, upper_bound, most,
        )  # fmt: skip
        far, row = distances[q], found[q]
        # Not a literal, which is another type and would be compiled for once more.
        full: Any = np.int64(0)
        for p in range(kept):
            places[p] = order[candidates[i, p]]
        _squared(queries[q], rows, places[:kept], scratch)
        for p in range(kept):
            exact = scratch[p]
            u = places[p]
            full = insert(far, row, full, exact, members, offsets[u], offsets[u + 1])
    return n_left


@helper()
def _squared(
    query: FloatArray, rows: FloatArray, candidates: IndexArray, out: FloatArray
) -> None:
    """Sum squares in the tree's order, four rows at a time to hide the add latency."""
    fours = len(candidates) // 4 * 4
    for p in range(0, fours, 4):
        a, b = rows[candidates[p]], rows[candidates[p + 1]]
        c, e = rows[candidates[p + 2]], rows[candidates[p + 3]]
        t0 = t1 = t2 = t3 = 0.0
        for j in range(len(query)):
            x = query[j]
            t0 += (x - a[j]) * (x - a[j])
            t1 += (x - b[j]) * (x - b[j])
            t2 += (x - c[j]) * (x - c[j])
            t3 += (x - e[j]) * (x - e[j])
        out[p], out[p + 1], out[p + 2], out[p + 3] = t0, t1, t2, t3
    for p in range(fours, len(candidates)):
        total = 0.0
        for j in range(len(query)):
            difference = query[j] - rows[candidates[p], j]
            total += difference * difference
        out[p] = total
