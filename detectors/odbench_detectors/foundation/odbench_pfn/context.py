"""The context rows, prepared once: scales, sorted columns, neighbours, regressions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.foundation.odbench_pfn.columns import Places, place
from odbench_detectors.foundation.odbench_pfn.linear import Linear
from odbench_detectors.shared.neighbours.graph import NeighbourGraph, NeighbourIndex
from odbench_detectors.shared.units import units

NEIGHBOURS = 15
_FAR = 1e6


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows on the scales of a context, and their nearest context rows.

    Attributes
    ----------
    z, normal : float64 arrays of shape (n_rows, d)
        Standardised values, and normal scores.
    places : Places
        The places of the values in the context's columns.
    near, near_normal : NeighbourGraph
        Neighbours by `z` and by `normal`.
    own : bool
        Whether these are rows of the context, each left out.
    """

    z: FloatArray
    normal: FloatArray
    places: Places
    near: NeighbourGraph
    near_normal: NeighbourGraph
    own: bool

    def taken(self, chosen: IntArray) -> Rows:
        """Return some of the rows."""
        return replace(
            self,
            z=self.z[chosen],
            normal=self.normal[chosen],
            places=self.places.taken(chosen),
            near=_some(self.near, chosen),
            near_normal=_some(self.near_normal, chosen),
        )


class Context:
    """A table of inliers that other rows are compared with.

    Parameters
    ----------
    rows : float64 array of shape (n, d)
        Finite, at least two rows.
    """

    def __init__(self, rows: FloatArray) -> None:
        self.n, self.d = rows.shape
        self.unit = units(rows)
        scaled = rows / self.unit
        self.mean = scaled.mean(axis=0)
        deviation = scaled.std(axis=0)
        scale = np.maximum(np.abs(scaled).max(axis=0), 1e-300)
        constant = deviation <= 1e-9 * scale
        self.deviation = np.where(constant, np.maximum(scale, 1e-12), deviation)
        self.z = self._standardised(rows)
        self.ordered = np.ascontiguousarray(np.sort(self.z, axis=0).T)
        self.places = place(self.ordered, self.z, own=True)
        self.normal_raw = self.places.normal_scores()
        self.normal_mean = self.normal_raw.mean(axis=0)
        self.normal_deviation = np.maximum(self.normal_raw.std(axis=0), 0.1)
        self.normal = self._normalised(self.normal_raw)
        self.linear, self.copula = Linear.of(self.z), Linear.of(self.normal)
        self.index, self.index_normal = (
            NeighbourIndex(self.z),
            NeighbourIndex(self.normal),
        )
        self.near = _padded(self.index.search_self(NEIGHBOURS))
        self.near_normal = _padded(self.index_normal.search_self(NEIGHBOURS))
        self.white = self.z @ self.linear.axes
        self._own = Rows(
            self.z, self.normal, self.places, self.near, self.near_normal, own=True
        )

    def _standardised(self, rows: FloatArray) -> FloatArray:
        # Rows to score may be of another order of magnitude than the context.
        with np.errstate(over="ignore"):
            found: FloatArray = (rows / self.unit - self.mean) / self.deviation
        return np.clip(found, -_FAR, _FAR)

    def _normalised(self, scores: FloatArray) -> FloatArray:
        found: FloatArray = (scores - self.normal_mean) / self.normal_deviation
        return found

    def own(self, chosen: IntArray) -> Rows:
        """Return some of the context's rows, each left out of it."""
        return self._own.taken(chosen)

    def others(self, rows: FloatArray) -> Rows:
        """Return rows that do not belong to the context, (n_rows, d)."""
        z = self._standardised(rows)
        places = place(self.ordered, z, own=False)
        normal = self._normalised(places.normal_scores())
        near = _padded(self.index.search(z, NEIGHBOURS))
        near_normal = _padded(self.index_normal.search(normal, NEIGHBOURS))
        return Rows(z, normal, places, near, near_normal, own=False)


def _some(graph: NeighbourGraph, chosen: IntArray) -> NeighbourGraph:
    return NeighbourGraph(graph.distances[chosen], graph.rows[chosen])


def _padded(graph: NeighbourGraph) -> NeighbourGraph:
    """Repeat the last neighbour if there are fewer than `NEIGHBOURS`."""
    missing = NEIGHBOURS - graph.rows.shape[1]
    if not missing:
        return graph
    pad = ((0, 0), (0, missing))
    return NeighbourGraph(
        np.pad(graph.distances, pad, mode="edge"), np.pad(graph.rows, pad, mode="edge")
    )
