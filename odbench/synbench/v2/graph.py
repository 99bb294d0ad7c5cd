"""A random structural causal model all of whose nodes are columns.

With all causes observed, the noise of every node follows from the columns, so that the
likelihood ratio is exact.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.synbench import portable
from odbench.synbench.linear import multiply
from odbench.synbench.scm import ACTIVATIONS, EDGE_KEPT, LAYERS, activate
from odbench.synbench.stream import Stream


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Layers of nodes: pre_l = W_l act_(l-1)(pre_(l-1)) + noise_l; pre_1 = noise_1.

    Attributes
    ----------
    places : tuple of slice
        The nodes of each layer.
    weights : tuple of float64 arrays of shape (n_nodes_l, n_nodes_(l-1))
        For layers 2 and up; zero where there is no edge. Every node has a cause.
    activations : tuple of str
        One per layer. All of them increase strictly.
    mu, sigma : float64 arrays of shape (d,)
        A node's noise is exp(mu + sigma Z), or exp(mu) (1 + sigma Z).
    normal_noise : bool
        Whether it is the second.
    """

    places: tuple[slice, ...]
    weights: tuple[FloatArray, ...]
    activations: tuple[str, ...]
    mu: FloatArray
    sigma: FloatArray
    normal_noise: bool

    @property
    def means(self) -> FloatArray:
        """The noise's median, which is its mean where it is normal."""
        return portable.exp(self.mu)

    @property
    def resolution(self) -> FloatArray:
        """The noise's standard deviation, to first order in sigma."""
        return self.means * self.sigma

    def noise(self, z: FloatArray) -> FloatArray:
        """Return the noise of standard normal values; both of shape (d, n)."""
        if self.normal_noise:
            return self.means[:, None] + self.resolution[:, None] * z
        return portable.exp(self.mu[:, None] + self.sigma[:, None] * z)

    def nodes(self, noise: FloatArray) -> FloatArray:
        """Return all nodes before their activation; both of shape (d, n)."""
        pre = noise.copy()
        for layer, weights in enumerate(self.weights, start=1):
            cause = pre[self.places[layer - 1]]
            cause = activate(self.activations[layer - 1], cause)
            pre[self.places[layer]] += multiply(weights, cause)
        return pre

    def shown(self, base: FloatArray) -> FloatArray:
        """Return the nodes after their activation; both of shape (d, n)."""
        return np.concatenate(
            [
                activate(kind, base[place])
                for kind, place in zip(self.activations, self.places, strict=True)
            ]
        )


def draw_graph(
    stream: Stream, d: int, *, normal_noise: bool
) -> tuple[Graph, dict[str, Any]]:
    """Draw a model of d nodes.

    Weights are normal with variance 1 / (number of a node's causes), so that no
    activation saturates and no value grows with width or depth.

    Returns
    -------
    tuple of Graph and dict
        The model and its parameters.
    """
    drawn = round(stream.lognormal(0.7, 0.4))
    n_layers = min(max(drawn, LAYERS[0]), LAYERS[1], d)
    ends = [d * k // n_layers for k in range(n_layers + 1)]
    places = tuple(slice(a, b) for a, b in itertools.pairwise(ends))
    widths = [place.stop - place.start for place in places]
    weights = tuple(
        _draw_weights(stream, wide, causes)
        for causes, wide in itertools.pairwise(widths)
    )
    kinds = stream.integers(0, len(ACTIVATIONS) - 1, n_layers)
    graph = Graph(
        places=places,
        weights=weights,
        activations=tuple(ACTIVATIONS[kind] for kind in kinds),
        mu=stream.between(-0.5, 0.5, d),
        sigma=stream.between(0.05, 0.5, d),
        normal_noise=normal_noise,
    )
    return graph, {
        "n_layers": n_layers,
        "widths": widths,
        "activations": list(graph.activations),
        "weights": [matrix.tolist() for matrix in weights],
        "noise_mu": graph.mu.tolist(),
        "noise_sigma": graph.sigma.tolist(),
    }


def _draw_weights(stream: Stream, n: int, causes: int) -> FloatArray:
    """Draw the edges of a layer; a node without any keeps the first to be kept."""
    weights = stream.normal(n, causes)
    chance = stream.uniform(n, causes)
    kept = chance < EDGE_KEPT
    kept[np.arange(n), chance.argmin(axis=1)] = True
    weights[~kept] = 0.0
    counts: IntArray = kept.sum(axis=1)
    scaled: FloatArray = weights / np.sqrt(counts)[:, None]
    return scaled
