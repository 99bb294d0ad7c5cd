"""Blocks of rows near each other, and how far from a query a block is at least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.neighbours import kd_build, kd_tree
from odbench_detectors.shared.neighbours.distinct import IndexArray

# Maximum number of rows per block: its products with a task's queries stay in the
# core's own cache.
BLOCK = 256
# Number of axes; the evenly spaced rows that choose them; rounds of the search, which
# starts from random axes.
_AXES, _SAMPLE, _ROUNDS, _SEED = 16, 1024, 3, 0
# Eight times the relative rounding error of a step of a projection, and what remains of
# a sum of squares that is lowered by more than its own.
_STEP, _SUM = 4.0 * float(np.finfo(np.float64).eps), 1.0 - 1e-9
# Number of rows that are tried.
_PROBES = 5


@dataclass(frozen=True, eq=False)
class Blocks:
    """A table in blocks, by the principal axes of some of its rows.

    A distance along some orthonormal axes is never larger than in all columns, and
    along principal axes it is nearly as large. A box around the projections of a
    block's rows therefore bounds their distance from below.

    Attributes
    ----------
    axes : float64 array of shape (d, a)
        Orthonormal.
    split : tuple of arrays
        The tree of the projections (`kd_build.split`), whose leaves are the blocks.
    low, high : float64 arrays of shape (a, blocks)
        The blocks' boxes, wider by what rounding may have moved a projection.
    """

    axes: FloatArray
    split: kd_build.Split
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, rows: FloatArray, norms: FloatArray) -> Self:
        """Divide distinct rows, float64 of shape (m, d), with their sums of squares."""
        axes = _principal_axes(rows)
        split = kd_build.split(rows @ axes, BLOCK)
        order, starts, low, high, cuts = split
        ends = starts[len(cuts) :]
        largest = np.maximum.reduceat(norms[order], ends[:, 0])
        room = _STEP * rows.shape[1] * np.sqrt(largest)
        return cls(
            axes,
            split,
            np.ascontiguousarray(low[len(cuts) :].T - room),
            np.ascontiguousarray(high[len(cuts) :].T + room),
        )

    @property
    def order(self) -> IndexArray:
        """The rows in the order of the blocks, intp of shape (m,)."""
        return self.split[0]

    @property
    def ends(self) -> IndexArray:
        """Where each block starts and stops in `order`, intp of shape (blocks, 2)."""
        _, starts, _, _, cuts = self.split
        return starts[len(cuts) :]

    def near_order(self, queries: FloatArray) -> IndexArray:
        """Order queries by the block on their side of the cuts."""
        _, _, low, high, cuts = self.split
        return kd_tree.near_order(queries @ self.axes, low, high, cuts)

    def gaps(self, queries: FloatArray, norms: FloatArray) -> FloatArray:
        """Return the least squared distance of any row of a block from each query.

        Parameters
        ----------
        queries : float64 array of shape (q, d)
        norms : float64 array of shape (q,)
            Their sums of squares.

        Returns
        -------
        float64 array of shape (q, blocks)
        """
        gaps = np.zeros((len(queries), self.low.shape[1]))
        room = _STEP * queries.shape[1] * np.sqrt(norms)
        _add_gaps(queries @ self.axes, room, self.low, self.high, gaps)
        gaps *= _SUM
        return gaps

    def share_visited(self, rows: FloatArray, norms: FloatArray) -> float:
        """Return the share of the blocks that a row has to visit, tried for some rows.

        Those are the blocks that are no farther than the nearest other row of the row's
        own block.
        """
        order, ends = self.order, self.ends
        visited = 0
        for start, stop in ends[np.linspace(0, len(ends) - 1, _PROBES).astype(int)]:
            own = order[start:stop]
            middle = len(own) // 2
            away = rows[own] - rows[own[middle]]
            squared = np.einsum("ij,ij->i", away, away)
            squared[middle] = np.inf
            row = own[middle : middle + 1]
            gaps = self.gaps(rows[row], norms[row])[0]
            visited += int((gaps <= squared.min()).sum())
        return visited / (_PROBES * len(ends))


def _principal_axes(rows: FloatArray) -> FloatArray:
    """Return about the axes along which rows vary most, float64 of shape (d, a)."""
    some = rows[np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE)).astype(int)]
    some = some - some.mean(axis=0)
    some /= max(np.abs(some).max(), np.finfo(np.float64).tiny)
    d = rows.shape[1]
    start = np.random.default_rng(_SEED).normal(size=(d, min(d, _AXES)))
    axes: FloatArray = np.linalg.qr(start)[0]
    for _ in range(_ROUNDS):
        axes = np.linalg.qr(some.T @ (some @ axes))[0]
    return np.ascontiguousarray(axes)


@kernel()
def _add_gaps(
    queries: FloatArray,
    room: FloatArray,
    low: FloatArray,
    high: FloatArray,
    gaps: FloatArray,
) -> None:
    for q in range(len(queries)):
        for j in range(len(low)):
            _add_gap(queries[q, j], room[q], low[j], high[j], gaps[q])


@helper()
def _add_gap(
    x: float, room: float, low: FloatArray, high: FloatArray, gaps: FloatArray
) -> None:
    """Add the squares along one axis; a function, so that LLVM uses vectors."""
    for b in range(len(gaps)):
        gap = max(low[b] - room - x, x - room - high[b], 0.0)
        gaps[b] += gap * gap
