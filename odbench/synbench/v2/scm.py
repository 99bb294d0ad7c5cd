"""Structural causal models; anomalies have boosted noise or weakened edges.

Outlier laws after those described for OutFormer (arXiv:2602.03018).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.synbench.linear import multiply
from odbench.synbench.scm import activate
from odbench.synbench.scm_outliers import boost_probability
from odbench.synbench.stream import Stream
from odbench.synbench.v2.graph import Graph, draw_graph
from odbench.synbench.v2.law import MixedRatio, Rows, at_least_one

# Causes per node whose edge can change.
FRAGILE = 3
# Range of the probability that a node of an anomaly has a changed edge.
CHANGED = (0.1, 0.6)


@dataclass(frozen=True, kw_only=True)
class BoostedNoise:
    """Each node of an anomaly has its noise multiplied by exp(strength), or not.

    Attributes
    ----------
    graph : Graph
    share : float
        Probability that a node is boosted; in an anomaly at least one is.
    parameters : dict
    """

    graph: Graph
    share: float
    parameters: dict[str, Any] = field(repr=False)
    # The largest boost is a factor of 10.
    strengths: ClassVar[tuple[float, float]] = (1e-3, 2.302585092994046)

    @property
    def resolution(self) -> FloatArray:
        """See `Law`."""
        return self.graph.resolution

    def inliers(self, stream: Stream, n: int) -> Rows:
        """See `Law`. The second array is the standardised log noise."""
        z = stream.normal(len(self.graph.mu), n)
        return self.graph.nodes(self.graph.noise(z)), z

    def plan(self, stream: Stream, n: int) -> Rows:
        """See `Law`."""
        d = len(self.graph.mu)
        boosted = at_least_one(stream, d, n, self.share)
        return stream.normal(d, n), boosted.astype(np.float64)

    def anomalies(self, plan: Rows, strength: float) -> Rows:
        """See `Law`."""
        z = plan[0] + plan[1] * (strength / self.graph.sigma)[:, None]
        return self.graph.nodes(self.graph.noise(z)), z

    def score(self, rows: Rows, strength: float) -> FloatArray:
        """Sum the nodes' log likelihood ratios; see `Law`.

        A boosted node's standardised log noise is normal with mean strength / sigma.
        """
        mixed = MixedRatio(self.share, rows[1].shape[1])
        for z, sigma in zip(rows[1], self.graph.sigma.tolist(), strict=True):
            shift = strength / sigma
            mixed.add(shift * z - 0.5 * shift * shift)
        return mixed.total()

    def shown(self, base: FloatArray) -> FloatArray:
        """See `Law`."""
        return self.graph.shown(base)


@dataclass(frozen=True, kw_only=True)
class WeakenedEdges:
    """A changed node of an anomaly has one of its fragile edges weakened.

    The edge's weight w becomes w (1 - strength * kind): at strength 1, kind 1 removes
    the edge and kind 2 flips its sign.

    Attributes
    ----------
    graph : Graph
    share : float
        Probability that a node with causes is changed; at least one is.
    node, cause : int64 arrays of shape (n_edges,)
        The ends of the fragile edges, by node; 1 to 3 per node with causes.
    rank : int64 array of shape (n_edges,)
        Number of an edge among those of its node, from 0.
    size : float64 array of shape (n_edges,)
        Weight times kind.
    parameters : dict
    """

    graph: Graph
    share: float
    node: IntArray
    cause: IntArray
    rank: IntArray
    size: FloatArray
    parameters: dict[str, Any] = field(repr=False)
    strengths: ClassVar[tuple[float, float]] = (1e-3, 1.0)

    @property
    def resolution(self) -> FloatArray:
        """See `Law`."""
        return self.graph.resolution

    def inliers(self, stream: Stream, n: int) -> Rows:
        """See `Law`; noise and effects of fragile edges are the other arrays."""
        noise = self.graph.noise(stream.normal(len(self.graph.mu), n))
        nothing = np.full((len(self.graph.mu), n), -1.0)
        return self.anomalies((noise, nothing), 0.0)

    def plan(self, stream: Stream, n: int) -> Rows:
        """See `Law`. The second array is the changed edge of each node, or -1."""
        d, roots = len(self.graph.mu), self.graph.places[0].stop
        noise = self.graph.noise(stream.normal(d, n))
        changed = at_least_one(stream, d - roots, n, self.share)
        counts = np.bincount(self.node, minlength=d)[roots:]
        which = np.floor(stream.uniform(d - roots, n) * counts[:, None])
        chosen = np.full((d, n), -1.0)
        chosen[roots:] = np.where(changed, which, -1.0)
        return noise, chosen

    def anomalies(self, plan: Rows, strength: float) -> Rows:
        """See `Law`."""
        noise, chosen = plan
        residual, effects = noise.copy(), np.empty((len(self.node), noise.shape[1]))
        pre = noise.copy()
        for layer, weights in enumerate(self.graph.weights, start=1):
            above, place = self.graph.places[layer - 1], self.graph.places[layer]
            h = activate(self.graph.activations[layer - 1], pre[above])
            for edge in np.flatnonzero(_inside(self.node, place)):
                j = self.node[edge]
                effects[edge] = self.size[edge] * h[self.cause[edge] - above.start]
                lost = np.where(chosen[j] == self.rank[edge], effects[edge], 0.0)
                residual[j] -= strength * lost
            pre[place] = residual[place] + multiply(weights, h)
        return pre, residual, effects

    def score(self, rows: Rows, strength: float) -> FloatArray:
        """Sum the nodes' log likelihood ratios given their causes; see `Law`.

        A changed edge moves a node's noise, which is normal, by -strength * effect.
        """
        _, residual, effects = rows
        mixed = MixedRatio(self.share, residual.shape[1])
        for j in range(self.graph.places[0].stop, len(residual)):
            scale = self.graph.resolution[j]
            z = (residual[j] - self.graph.means[j]) / scale
            ratios = []
            for edge in np.flatnonzero(self.node == j):
                shift = (strength / scale) * effects[edge]
                ratios.append(-shift * (z + 0.5 * shift))
            mixed.add(*ratios)
        return mixed.total()

    def shown(self, base: FloatArray) -> FloatArray:
        """See `Law`."""
        return self.graph.shown(base)


def _inside(node: IntArray, place: slice) -> FloatArray:
    inside: FloatArray = (node >= place.start) & (node < place.stop)
    return inside


def draw_measurement(stream: Stream, d: int) -> BoostedNoise:
    """Draw the law of ``scm-measurement`` for d columns."""
    graph, parameters = draw_graph(stream, d, normal_noise=False)
    share = boost_probability(d)
    parameters["boost_probability"] = share
    return BoostedNoise(graph=graph, share=share, parameters=parameters)


def draw_structural(stream: Stream, d: int) -> WeakenedEdges:
    """Draw the law of ``scm-structural`` for d columns."""
    graph, parameters = draw_graph(stream, d, normal_noise=True)
    found: list[tuple[int, int, int, int, float]] = []
    for layer, weights in enumerate(graph.weights, start=1):
        start, above = graph.places[layer].start, graph.places[layer - 1].start
        for i, row in enumerate(weights):
            causes = np.flatnonzero(row)
            few = stream.subset(len(causes), min(FRAGILE, len(causes)))
            for number, j in enumerate(causes[few].tolist()):
                found.append(
                    (start + i, above + j, number, stream.integer(1, 2), row[j])
                )
    edges = [np.array(part) for part in zip(*found, strict=True)]
    node, cause, rank, kind, weight = edges
    share = stream.number(*CHANGED)
    parameters |= {
        "change_probability": share,
        "fragile_edges": [
            {"node": int(a), "cause": int(b), "kind": int(c)}
            for a, b, c in zip(node, cause, kind, strict=True)
        ],
    }
    return WeakenedEdges(
        graph=graph, share=share, node=node, cause=cause, rank=rank,
        size=weight * kind, parameters=parameters,
    )  # fmt: skip
