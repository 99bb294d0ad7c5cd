"""A random MLP as a structural causal model; some of its nodes are the columns.

Prior as described for OutFormer (arXiv:2602.03018), with bounds on depth and width
that do not contradict each other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.synbench import portable
from odbench.synbench.linear import multiply
from odbench.synbench.stream import Stream

ACTIVATIONS = ("tanh", "leaky_relu", "elu", "identity")
EDGE_KEPT = 0.6
LEAK = 0.01
LAYERS = (2, 5)
WIDEST = 12
# A node can be a column if its middle 90 % spans more than the first and no value seen
# is larger than the second.
SMALLEST_SPREAD, LARGEST_VALUE = 1e-5, 1e6
_PILOT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A structural causal model: h_l = act_l(W_l h_(l-1) + noise_l), h_0 = 1.

    Attributes
    ----------
    weights : float64 array of shape (n_layers, width, width)
        Zero where there is no edge.
    activations : tuple of str
        One per layer, from `ACTIVATIONS`.
    mu, sigma : float64 arrays of shape (n_layers, width)
        A node's noise is exp(mu + sigma Z).
    features : int64 array of shape (n_columns,)
        Indices of the nodes that are columns, as layer * width + position; sorted.
    """

    weights: FloatArray
    activations: tuple[str, ...]
    mu: FloatArray
    sigma: FloatArray
    features: IntArray

    @property
    def n_nodes(self) -> int:
        """Number of nodes of all layers."""
        return self.mu.size

    def noise(self, z: FloatArray) -> FloatArray:
        """Return the noise of standard normal values; both of shape (n_nodes, n)."""
        return portable.exp(self.mu.reshape(-1, 1) + self.sigma.reshape(-1, 1) * z)

    def nodes(self, noise: FloatArray) -> FloatArray:
        """Return all nodes' values.

        Parameters
        ----------
        noise : float64 array of shape (n_nodes, n)

        Returns
        -------
        float64 array of shape (n_nodes, n)
        """
        width = self.mu.shape[1]
        out = np.empty_like(noise)
        h = np.ones((width, noise.shape[1]))
        for layer, weights in enumerate(self.weights):
            place = slice(layer * width, (layer + 1) * width)
            h = activate(self.activations[layer], multiply(weights, h) + noise[place])
            out[place] = h
        return out

    def reaching(self) -> BoolArray:
        """Mark the nodes that are columns or have a path to one.

        Returns
        -------
        bool array of shape (n_layers, width)
        """
        reached = np.zeros(self.mu.shape, dtype=bool)
        reached.reshape(-1)[self.features] = True
        for layer in range(len(self.weights) - 1, 0, -1):
            edges = self.weights[layer] != 0.0
            reached[layer - 1] |= edges[reached[layer]].any(axis=0)
        return reached


def activate(name: str, x: FloatArray) -> FloatArray:
    """Apply one of `ACTIVATIONS`."""
    if name == "tanh":
        return portable.tanh(x)
    if name == "leaky_relu":
        return np.where(x > 0.0, x, LEAK * x)
    if name == "elu":
        return portable.elu(x)
    return x


def draw_network(stream: Stream, d: int) -> tuple[Network, dict[str, Any]] | None:
    """Draw a model and its columns.

    Depth and width are drawn from their log-normal laws and clipped so that they hold
    enough nodes: 2 to 5 layers, then at least two and `nodes_needed` / layers nodes
    per layer, and at most 12 or twice the needed number. Columns are drawn among the
    nodes that vary.

    Parameters
    ----------
    stream : Stream
    d : int
        Number of columns.

    Returns
    -------
    tuple of Network and dict, or None
        The model and its parameters. None if too few nodes can be a column, because
        values explode or activations saturate, so that the caller draws again.
    """
    layers = _clip(round(stream.lognormal(0.7, 0.4)), *LAYERS)
    needed = max(2, -(-nodes_needed(d) // layers))
    width = _clip(round(stream.lognormal(1.2, 0.5)), needed, max(WIDEST, 2 * needed))
    weights = stream.normal(layers, width, width)
    weights[stream.uniform(layers, width, width) >= EDGE_KEPT] = 0.0
    kinds = stream.integers(0, len(ACTIVATIONS) - 1, layers)
    network = Network(
        weights=weights,
        activations=tuple(ACTIVATIONS[kind] for kind in kinds),
        mu=stream.between(-0.5, 0.5, layers, width),
        sigma=stream.between(0.05, 0.5, layers, width),
        features=np.arange(0),
    )
    fit = np.flatnonzero(_fit_nodes(network, stream))
    if len(fit) < d:
        return None
    network = replace(network, features=fit[stream.subset(len(fit), d)])
    return network, _parameters(network)


def nodes_needed(d: int) -> int:
    """Return the minimum number of nodes of a model with d columns.

    Many nodes of wide models are saturated and cannot be columns: with only d nodes,
    tanh would rarely be accepted.
    """
    return d + max(0, d - 10)


def _fit_nodes(network: Network, stream: Stream) -> BoolArray:
    """Mark the nodes that vary enough, and not too much, on a few rows of inliers."""
    pilot = network.nodes(network.noise(stream.normal(network.n_nodes, _PILOT)))
    largest = np.abs(pilot).max(axis=1)
    fit: BoolArray = (spread(pilot) > SMALLEST_SPREAD) & (largest < LARGEST_VALUE)
    return fit


def spread(columns: FloatArray) -> FloatArray:
    """Return the width of each column's middle 90 %.

    Parameters
    ----------
    columns : float64 array of shape (n_columns, n)

    Returns
    -------
    float64 array of shape (n_columns,)
    """
    ordered = np.sort(columns, axis=1)
    cut = columns.shape[1] // 20
    out: FloatArray = ordered[:, -1 - cut] - ordered[:, cut]
    return out


def _parameters(network: Network) -> dict[str, Any]:
    layers, width = network.mu.shape
    return {
        "n_layers": layers,
        "width": width,
        "activations": list(network.activations),
        "weights": network.weights.tolist(),
        "noise_mu": network.mu.tolist(),
        "noise_sigma": network.sigma.tolist(),
        "columns": network.features.tolist(),
    }


def _clip(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)
