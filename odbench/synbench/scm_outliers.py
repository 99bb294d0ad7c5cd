"""Outliers of a structural causal model: boosted noise, or changed edges.

Outlier laws as described for OutFormer (arXiv:2602.03018). Every change must be
visible: a row is drawn again until one of its columns clearly differs from its value in
the unchanged model with the same noise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.synbench import portable
from odbench.synbench.draw import Draw, Sizes
from odbench.synbench.linear import multiply
from odbench.synbench.scm import LARGEST_VALUE, Network, activate, draw_network, spread
from odbench.synbench.stream import Stream

BOOST = 5.0
# Smaller edges are not changed.
SMALLEST_EDGE = 0.05
# A change is visible if it moves a column by this share of its middle 90 %.
VISIBLE = 1e-3
_MAX_ROUNDS = 100
# The oracle's standardised residual where it is impossible under the inliers' law.
_IMPOSSIBLE = 40.0
_NO_NOISE = 1e-300
# From here on, 1 + exp(ratio) equals exp(ratio).
_LARGE = 40.0


# Changed rows: all nodes' values, the oracle's scores, and the number of boosted nodes
# or changed edges with a path to a column.
Changed = tuple[FloatArray, FloatArray, IntArray]
Change = Callable[[Network, FloatArray], Changed]
Score = Callable[[Network, FloatArray], FloatArray]


def boost_probability(d: int) -> float:
    """Return the probability that a node of an outlier has its noise boosted."""
    return 0.2 if d < 50 else max(0.01, 0.2 * 50.0 / (d + 50.0))


def change_probability(d: int) -> float:
    """Return the probability that an edge of an outlier is changed."""
    return max(0.03, 0.2 * 50.0 / (d + 50.0))


def draw_measurement(stream: Stream, sizes: Sizes) -> Draw | None:
    """Draw a set of the archetype ``scm-measurement``.

    In an outlier each node has its noise multiplied by 5 with probability
    `boost_probability`, and the effects propagate.

    Parameters
    ----------
    stream : Stream
    sizes : Sizes

    Returns
    -------
    Draw or None
        The oracle is `boost_score`. None if the model or its outliers are rejected, so
        that the caller draws again.
    """
    q = boost_probability(sizes.n_columns)

    def change(network: Network, z: FloatArray) -> Changed:
        boosted = stream.uniform(*z.shape) < q
        noise = network.noise(z)
        nodes = network.nodes(np.where(boosted, BOOST * noise, noise))
        sigma = network.sigma.reshape(-1, 1)
        residual = z + np.where(boosted, portable.log(BOOST) / sigma, 0.0)
        reaching = boosted & network.reaching().reshape(-1, 1)
        return nodes, boost_score(network, residual, q), reaching.sum(axis=0)

    def score(network: Network, z: FloatArray) -> FloatArray:
        return boost_score(network, z, q)

    return _draw(stream, sizes, change, score, {"boost_probability": q})


def draw_structural(stream: Stream, sizes: Sizes) -> Draw | None:
    """Draw a set of the archetype ``scm-structural``.

    In an outlier each live edge with a weight above 0.05 is changed with probability
    `change_probability`: its sign is flipped or its weight set to 0, half each.

    Parameters
    ----------
    stream : Stream
    sizes : Sizes

    Returns
    -------
    Draw or None
        The oracle is `residual_score`. None if the model or its outliers are rejected,
        so that the caller draws again.
    """
    p = change_probability(sizes.n_columns)

    def change(network: Network, z: FloatArray) -> Changed:
        nodes, residual, reaching = change_edges(network, network.noise(z), stream, p)
        z_seen = (_log_noise(residual) - network.mu.reshape(-1, 1)) / (
            network.sigma.reshape(-1, 1)
        )
        return nodes, residual_score(network, z_seen), reaching

    return _draw(stream, sizes, change, residual_score, {"change_probability": p})


def change_edges(
    network: Network, noise: FloatArray, stream: Stream, p: float
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Evaluate the model with different edges in each row.

    Parameters
    ----------
    network : Network
    noise : float64 array of shape (n_nodes, n)
    stream : Stream
    p : float
        Probability that an edge is changed in a row.

    Returns
    -------
    tuple of arrays
        The nodes' values and the noise that the unchanged model would need for them,
        both float64 of shape (n_nodes, n); and the number of changed edges that lead to
        a column, int64 of shape (n,).
    """
    n = noise.shape[1]
    nodes, residual = np.empty_like(noise), noise.copy()
    counts = np.zeros(n, dtype=np.int64)
    reaching = network.reaching()
    width = network.mu.shape[1]
    h = np.ones((width, n))
    for layer, weights in enumerate(network.weights):
        place = slice(layer * width, (layer + 1) * width)
        for i, row in enumerate(weights):
            live = np.flatnonzero(np.abs(row) > SMALLEST_EDGE)
            u = stream.uniform(len(live), n)
            # 1 removes an edge, 2 flips its sign.
            amount = (u < p).astype(np.int64) + (u < 0.5 * p)
            counts += (amount > 0).sum(axis=0) * int(reaching[layer, i])
            lost = residual[layer * width + i]
            for edge, j in zip(amount, live, strict=True):
                lost -= edge * row[j] * h[j]
        total = multiply(weights, h) + residual[place]
        h = activate(network.activations[layer], total)
        nodes[place] = h
    return nodes, residual, counts


def boost_score(network: Network, z: FloatArray, q: float) -> FloatArray:
    """Return the log likelihood ratio of "each node boosted with probability q".

    Parameters
    ----------
    network : Network
    z : float64 array of shape (n_nodes, n)
        Standardised logarithms of the noise: standard normal for inliers.
    q : float

    Returns
    -------
    float64 array of shape (n,)
        Summed over the nodes with a path to a column; higher is more anomalous.
    """
    total = np.zeros(z.shape[1])
    for node in np.flatnonzero(network.reaching()):
        shift = portable.log(BOOST) / network.sigma.reshape(-1)[node]
        ratio = shift * z[node] - 0.5 * shift * shift
        # log(1 - q + q exp(ratio)), in which 1 - q is negligible if the ratio is large.
        total += np.where(
            ratio > _LARGE,
            ratio + portable.log(q),
            portable.log(1.0 - q + q * portable.exp(np.minimum(ratio, _LARGE))),
        )
    return total


def residual_score(network: Network, z: FloatArray) -> FloatArray:
    """Return the largest standardised noise residual of a row.

    Parameters
    ----------
    network : Network
    z : float64 array of shape (n_nodes, n)
        Standardised logarithms of the noise that the unchanged model needs.

    Returns
    -------
    float64 array of shape (n,)
        Over the nodes with a path to a column; at most 40; higher is more anomalous.
    """
    reaching = np.flatnonzero(network.reaching())
    top: FloatArray = np.abs(z[reaching]).max(axis=0)
    return np.minimum(top, _IMPOSSIBLE)


def _log_noise(noise: FloatArray) -> FloatArray:
    """Return logarithms; impossible noise (0 or less) becomes very small."""
    return portable.log(np.maximum(noise, _NO_NOISE))


def _draw(
    stream: Stream,
    sizes: Sizes,
    change: Change,
    score: Score,
    extra: dict[str, Any],
) -> Draw | None:
    drawn = draw_network(stream, sizes.n_columns)
    if drawn is None:
        return None
    network, parameters = drawn
    z = stream.normal(network.n_nodes, sizes.n_inliers)
    inliers = network.nodes(network.noise(z))[network.features]
    train, test = inliers[:, : sizes.n_train], inliers[:, sizes.n_train :]
    step = VISIBLE * spread(train)[:, None]
    changed = _visibly_changed(stream, network, sizes.n_anomalies, change, step)
    if changed is None or not _sane(inliers) or not _sane(changed[0]):
        return None
    anomalies, scores, reaching = changed
    counts = {
        "fewest": int(reaching.min()),
        "mean": int(reaching.sum()) / sizes.n_anomalies,
        "most": int(reaching.max()),
    }
    return Draw(
        train=train,
        inliers=test,
        anomalies=anomalies,
        inlier_scores=score(network, z[:, sizes.n_train :]),
        anomaly_scores=scores,
        parameters=parameters | extra | {"changes_that_reach_a_column": counts},
        law=network,
    )


def _visibly_changed(
    stream: Stream, network: Network, n: int, change: Change, step: FloatArray
) -> Changed | None:
    """Draw changed rows until the change is visible in n of them."""
    columns, scores, reaching = [], [], []
    for _ in range(_MAX_ROUNDS):
        z = stream.normal(network.n_nodes, n + n // 4 + 8)
        unchanged = network.nodes(network.noise(z))[network.features]
        nodes, score, reached = change(network, z)
        changed = nodes[network.features]
        visible = (np.abs(changed - unchanged) > step).any(axis=0) & (reached > 0)
        kept = np.flatnonzero(visible)[:n]
        columns.append(changed[:, kept])
        scores.append(score[kept])
        reaching.append(reached[kept])
        n -= len(kept)
        if n == 0:
            return (
                np.concatenate(columns, axis=1),
                np.concatenate(scores),
                np.concatenate(reaching),
            )
    return None


def _sane(columns: FloatArray) -> bool:
    return bool((np.abs(columns) < LARGEST_VALUE).all())
