"""Inliers and anomalies of one synthetic table, before its columns get their looks.

About half of the anomalies are rows of another class, as in real tables: other
clusters, another range of a hidden node, other causes. The others change the columns
of inliers directly.
"""

from __future__ import annotations

import numpy as np
from inliers import Array, Mixture, Network, loguniform


def draw(rng: np.random.Generator, n: int, m: int, d: int) -> tuple[Array, Array]:
    """Return n inliers and m anomalies of d columns."""
    if rng.random() < 0.4:
        return _by_columns(rng, _plain(rng, n + 4 * m, d), n, m)
    law = rng.choice(
        ["clusters", "hidden", "causes", "mechanism"], p=[0.3, 0.4, 0.15, 0.15]
    )
    return {
        "clusters": _other_clusters, "hidden": _other_class,
        "causes": _other_causes, "mechanism": _other_mechanism,
    }[str(law)](rng, n, m, d)  # fmt: skip


def _plain(rng: np.random.Generator, n: int, d: int) -> Array:
    """Return inliers of either law."""
    if rng.random() < 0.5:
        law = Mixture(d, rng)
        return law.rows(n, np.arange(len(law.weights)))
    net = Network(d, rng)
    return net.nodes(net.causes(n))[:, net.chosen]


def _other_clusters(
    rng: np.random.Generator, n: int, m: int, d: int
) -> tuple[Array, Array]:
    """Anomalies come from clusters of their own, or wider or moved ones."""
    law = Mixture(d, rng)
    k = len(law.weights)
    order = rng.permutation(k)
    kind = rng.random()
    if kind < 0.7:
        own = int(rng.integers(1, max(2, k // 2 + 1)))
        inliers, outliers = order[own:], order[:own]
        return law.rows(n, inliers), law.rows(m, outliers)
    wider = rng.uniform(1.3, 3.0) if kind < 0.85 else 1.0
    moved = 0.0 if kind < 0.85 else loguniform(rng, 0.2, 2.0)
    return law.rows(n, order), law.rows(m, order, wider, moved)


def _other_class(
    rng: np.random.Generator, n: int, m: int, d: int
) -> tuple[Array, Array]:
    """Anomalies have another range of a hidden function of the causes."""
    net = Network(d, rng)
    size = 4 * (n + m)
    nodes = net.nodes(net.causes(size))
    hidden = nodes[:, net.hidden[0]] * rng.normal() + nodes[:, net.hidden[1]]
    if rng.random() < 0.5:
        scale = nodes.std(axis=0) + 1e-9
        hidden = (nodes / scale) @ (rng.normal(size=nodes.shape[1]) * (
            rng.random(nodes.shape[1]) < rng.uniform(0.1, 0.6)))  # fmt: skip
    hidden = hidden + rng.normal(size=size) * hidden.std() * rng.choice([0.02, 0.2])
    kind = rng.random()
    if kind < 0.25:
        hidden = np.abs(hidden - np.median(hidden))
    elif kind < 0.4:
        hidden = np.sin(hidden / (hidden.std() + 1e-9) * rng.uniform(1.0, 3.0))
    order = np.argsort(hidden, kind="stable")
    share = rng.uniform(0.02, 0.2)
    few = order[-max(m, int(share * size)) :]
    many = order[: int(size * rng.uniform(0.45, 1.0 - share))]
    if len(many) < n:
        many = order[:n]
    x = nodes[:, net.chosen]
    return x[rng.permutation(many)[:n]], x[rng.permutation(few)[:m]]


def _other_causes(
    rng: np.random.Generator, n: int, m: int, d: int
) -> tuple[Array, Array]:
    """Anomalies have moved, widened or shuffled causes."""
    net = Network(d, rng)
    causes, others = net.causes(n), net.causes(m)
    touched = rng.random((1 if rng.random() < 0.5 else m, net.n_causes)) < 0.5
    touched[:, 0] |= ~touched.any(axis=1)
    kind = rng.random()
    if kind < 0.5:
        step = rng.normal(size=(1 if rng.random() < 0.7 else m, net.n_causes))
        changed = others * rng.uniform(0.3, 1.0) + step * rng.uniform(1.0, 3.5)
    else:
        changed = others * rng.uniform(1.5, 3.5)
    others = np.where(touched, changed, others)
    return (
        net.nodes(causes)[:, net.chosen],
        net.nodes(others)[:, net.chosen],
    )


def _other_mechanism(
    rng: np.random.Generator, n: int, m: int, d: int
) -> tuple[Array, Array]:
    """Anomalies have louder noise, moved nodes or changed weights."""
    net = Network(d, rng)
    inliers = net.nodes(net.causes(n))[:, net.chosen]
    causes = net.causes(m)
    nodes = sum(w.shape[1] for w in net.weights)
    touched = rng.random((m, nodes)) < rng.uniform(0.05, 0.5)
    kind = rng.random()
    if kind < 0.4:
        boost = np.where(touched, rng.uniform(2.0, 10.0), 1.0)
        outliers = net.nodes(causes, boost=boost)
    elif kind < 0.7:
        same = rng.normal(size=(1, nodes)) if rng.random() < 0.6 else rng.normal(
            size=(m, nodes))  # fmt: skip
        outliers = net.nodes(causes, moved=same * touched * rng.uniform(0.3, 2.0))
    else:
        outliers = net.nodes(causes, broken=loguniform(rng, 0.2, 2.0))
    return inliers, outliers[:, net.chosen]


def _by_columns(
    rng: np.random.Generator, rows: Array, n: int, m: int
) -> tuple[Array, Array]:
    """Anomalies are inliers of which some columns are changed."""
    inliers, x = rows[:n], rows[n : n + m].copy()
    d = x.shape[1]
    share = rng.uniform(0.05, 0.9)
    touched = rng.random((m, d)) < share
    if rng.random() < 0.4:
        touched[:] = touched[:1]
    touched[np.arange(m), rng.integers(d, size=m)] |= ~touched.any(axis=1)
    sd = inliers.std(axis=0) + 1e-9
    size = loguniform(rng, 0.5, 4.0)
    low, high = inliers.min(axis=0), inliers.max(axis=0)
    kinds = {
        "shift": lambda: x + size * np.sign(rng.normal(size=(m, d))) * sd,
        "direction": lambda: x + size * rng.normal(size=(1, d)) * sd,
        "noise": lambda: x + size * rng.normal(size=(m, d)) * sd,
        "uniform": lambda: low + (high - low) * rng.uniform(-0.05, 1.05, (m, d)),
        "shuffled": lambda: _shuffled(rng, rows, m),
        "other row": lambda: rows[rng.integers(len(rows), size=m)],
        "cluster": lambda: x.mean(axis=0) + size * 0.7 * rng.normal(size=(1, d)) * sd
        + 0.3 * rng.random() * sd * rng.normal(size=(m, d)),
        "scaled": lambda: x.mean(axis=0) + (x - x.mean(axis=0)) * (1.0 + size),
        "constant": lambda: np.broadcast_to(
            rows[rng.integers(len(rows), size=d), np.arange(d)], (m, d)),
        "mirrored": lambda: 2 * x.mean(axis=0) - x,
    }  # fmt: skip
    names = rng.choice(list(kinds), size=1 if rng.random() < 0.6 else 3)
    which = rng.integers(len(names), size=m)
    for i, name in enumerate(names):
        changed = np.where(touched, kinds[str(name)](), x)
        x = np.where((which == i)[:, None], changed, x)
    return inliers, x


def _shuffled(rng: np.random.Generator, rows: Array, m: int) -> Array:
    picks = rng.integers(len(rows), size=(m, rows.shape[1]))
    return rows[picks, np.arange(rows.shape[1])]
