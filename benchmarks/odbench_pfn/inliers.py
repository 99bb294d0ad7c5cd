"""Synthetic laws: numbers of rows before they are made to look like a real table.

Each law has latent causes and columns that follow from them, so that anomalies can be
made by changing the causes, the columns, or how one follows from the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray
_ACTIVATIONS: tuple[Callable[[Array], Array], ...] = (
    np.tanh,
    lambda x: np.maximum(x, 0.0),
    np.sin,
    lambda x: x,
    np.abs,
    lambda x: np.sign(x) * np.sqrt(np.abs(x)),
    lambda x: (x > 0).astype(float),
    lambda x: x * x / (1.0 + np.abs(x)),
)


def spread_weights(rng: np.random.Generator, k: int) -> Array:
    """Return k positive weights that sum to 1, even or very uneven."""
    weights = rng.gamma(rng.choice([0.5, 1.0, 4.0]), size=k) + 1e-3
    return weights / weights.sum()


def loguniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


@dataclass(eq=False)
class Mixture:
    """Clusters with low-rank covariances; some may be reserved for anomalies."""

    d: int
    rng: np.random.Generator
    centres: Array = field(init=False)
    factors: Array = field(init=False)
    noise: Array = field(init=False)
    weights: Array = field(init=False)
    heavy: float = field(init=False)

    def __post_init__(self) -> None:
        """Draw the clusters."""
        rng, d = self.rng, self.d
        k = int(loguniform(rng, 2, 16))
        rank = int(rng.integers(1, max(2, min(d, 8))))
        self.centres = rng.normal(size=(k, d)) * loguniform(rng, 0.1, 3.0)
        shared = rng.random((k, d)) < rng.uniform(0, 0.8)
        self.centres = np.where(shared, self.centres[:1], self.centres)
        self.factors = rng.normal(size=(k, d, rank)) * rng.uniform(0, 1.2)
        if rng.random() < 0.5:
            self.factors[:] = self.factors[:1] * rng.uniform(0.5, 1.5, (k, 1, 1))
        self.noise = loguniform(rng, 0.02, 1.0) * rng.uniform(0.2, 1.8, (k, d))
        self.weights = spread_weights(rng, k)
        self.heavy = float(rng.choice([0.0, 0.0, 0.4, 0.8]))

    def rows(
        self, n: int, clusters: Array, wider: float = 1.0, moved: float = 0.0
    ) -> Array:
        """Return rows of some clusters, wider or with moved centres."""
        rng = self.rng
        weights = self.weights[clusters] / self.weights[clusters].sum()
        chosen = clusters[rng.choice(len(clusters), n, p=weights)]
        size = np.exp(self.heavy * rng.normal(size=(n, 1))) * wider
        latent = rng.normal(size=(n, self.factors.shape[2])) * size
        shift = moved * rng.normal(size=self.centres.shape)
        return (
            (self.centres + shift)[chosen]
            + np.einsum("ndr,nr->nd", self.factors[chosen], latent)
            + self.noise[chosen] * rng.normal(size=(n, self.d)) * size
        )


@dataclass(eq=False)
class Network:
    """A random network of causes: nodes follow from latent causes, layer by layer."""

    d: int
    rng: np.random.Generator
    weights: list[Array] = field(init=False)
    activations: list[Callable[[Array], Array]] = field(init=False)
    noise: float = field(init=False)
    shape: str = field(init=False)
    n_causes: int = field(init=False)
    chosen: Array = field(init=False)

    def __post_init__(self) -> None:
        """Draw the network, and which nodes are the columns."""
        rng, d = self.rng, self.d
        self.n_causes = int(loguniform(rng, 1.5, min(12, d) + 1))
        width = int(rng.integers(max(4, d // 2), max(8, d + 4)))
        sizes = [self.n_causes] + [width] * int(rng.integers(1, 5))
        keep = rng.uniform(0.2, 1.0)
        self.weights = []
        for a, b in itertools.pairwise(sizes):
            kept = rng.random((a, b)) < keep
            kept[rng.integers(a, size=b), np.arange(b)] = True
            gain = rng.uniform(0.7, 2.0) / np.sqrt(np.maximum(kept.sum(0), 1))
            self.weights.append(rng.normal(size=(a, b)) * kept * gain)
        mixed = rng.random() < 0.5
        pick = rng.integers(len(_ACTIVATIONS), size=len(self.weights))
        self.activations = [
            _ACTIVATIONS[rng.integers(len(_ACTIVATIONS)) if mixed else p] for p in pick
        ]
        self.noise = loguniform(rng, 0.01, 0.6)
        self.shape = str(rng.choice(["normal", "uniform", "mixture", "heavy"]))
        self.centres = rng.normal(size=(int(rng.integers(2, 8)), self.n_causes)) * 1.5
        nodes = sum(sizes)
        first = 0 if rng.random() < 0.5 or nodes - self.n_causes < d else self.n_causes
        pool = rng.permutation(np.arange(first, nodes))
        self.chosen = np.resize(pool, d)
        self.hidden = np.resize(pool[::-1], 2)

    def causes(self, n: int) -> Array:
        """Return latent causes, (n, n_causes)."""
        rng, shape = self.rng, (n, self.n_causes)
        if self.shape == "uniform":
            return rng.uniform(-1.7, 1.7, shape)
        if self.shape == "heavy":
            return rng.standard_t(3, shape)
        z = rng.normal(size=shape)
        if self.shape == "mixture":
            return self.centres[rng.integers(len(self.centres), size=n)] + 0.3 * z
        return z

    def nodes(self, causes: Array, boost: Array | None = None, broken: float = 0.0,
              moved: Array | None = None) -> Array:  # fmt: skip
        """Return all nodes, (n, n_nodes), the causes first.

        `boost` multiplies the noise and `moved` is added, per row and node that is not
        a cause; `broken` is the size of a random change of all weights.
        """
        rng, found, h, at = self.rng, [causes], causes, 0
        for weights, act in zip(self.weights, self.activations, strict=True):
            changed = weights * (1 + broken * rng.normal(size=weights.shape))
            noise = self.noise * rng.normal(size=(len(h), weights.shape[1]))
            end = at + weights.shape[1]
            if boost is not None:
                noise *= boost[:, at:end]
            h = act(h @ changed) + noise
            if moved is not None:
                h = h + moved[:, at:end]
            found.append(h)
            at = end
        return np.concatenate(found, axis=1)
