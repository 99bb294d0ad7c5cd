"""Draw a synthetic task: context rows, query rows, and which queries are anomalies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from anomalies import draw
from inliers import Array, loguniform
from looks import dress


@dataclass(frozen=True, eq=False)
class Task:
    """One task.

    Attributes
    ----------
    context : float64 array of shape (n, d)
        Inliers, in some tasks with a few anomalies among them.
    queries : float64 array of shape (q, d)
    labels : float32 array of shape (q,)
        1 = anomaly.
    """

    context: Array
    queries: Array
    labels: Array


def draw_task(seed: int, largest: int = 1_000, q: int = 96) -> Task:
    """Draw task number `seed`.

    Parameters
    ----------
    seed : int
        The task is a function of it.
    largest : int
        Maximum number of context rows; the least is 40.
    q : int
        Number of queries, a fifth to a half of which are anomalies.
    """
    rng = np.random.default_rng([20261128, seed])
    n = int(loguniform(rng, 40, largest))
    d = int(loguniform(rng, 2, 40))
    n_anomalies = int(q * rng.uniform(0.2, 0.5))
    leaked = int(n * rng.uniform(0, 0.05)) if rng.random() < 0.2 else 0
    n_inliers = n + q - n_anomalies - leaked
    with np.errstate(all="ignore"):
        inliers, outliers = draw(rng, n_inliers, n_anomalies + leaked, d)
        rows = dress(rng, np.concatenate([inliers, outliers]))
    rows = np.clip(np.nan_to_num(rows), -1e9, 1e9)
    inliers, outliers = rows[:n_inliers], rows[n_inliers:]
    inliers = _repeated(rng, inliers[rng.permutation(n_inliers)])
    context = np.concatenate([inliers[: n - leaked], outliers[:leaked]])
    queries = np.concatenate([inliers[n - leaked :], outliers[leaked:]])
    labels = np.repeat([0.0, 1.0], [q - n_anomalies, n_anomalies])
    order = rng.permutation(q)
    return Task(context, queries[order], labels[order].astype(np.float32))


def _repeated(rng: np.random.Generator, rows: Array) -> Array:
    """Repeat some of the rows, exactly or nearly, in some of the tables."""
    kind, n = rng.random(), len(rows)
    if kind > 0.25:
        return rows
    pool = max(10, int(n * rng.uniform(0.1, 0.9)))
    picked = rng.integers(pool, size=n)
    again = rows[picked]
    if kind < 0.1:
        near = rng.random(rows.shape) < rng.uniform(0.05, 0.5)
        again = np.where(near, rows, again)
    return np.where((rng.random(n) < rng.uniform(0.1, 1.0))[:, None], again, rows)
