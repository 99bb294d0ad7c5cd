"""Give columns the looks of real tables: skewed, rounded, coded, copied, duplicated.

Each step treats inliers and anomalies alike.
"""

from __future__ import annotations

import numpy as np
from inliers import Array, loguniform


def dress(rng: np.random.Generator, x: Array) -> Array:
    """Return a table made from rows x, (n, d), with about as many columns."""
    scale = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(scale > 1e-9, scale, 1.0)
    skewed, coarse, coded = rng.random(3) * [0.8, 1.0, 0.5]
    if rng.random() < 0.35:
        coarse = 0.0
    if rng.random() < 0.5:
        coded = 0.0
    columns: list[Array] = []
    for column in x.T:
        y = column
        if rng.random() < skewed:
            y = _skewed(rng, y)
        if rng.random() < coded:
            columns.extend(_coded(rng, y))
        elif rng.random() < coarse:
            columns.append(_coarse(rng, y))
        else:
            columns.append(y)
    if rng.random() < 0.3:
        columns.extend(_useless(rng, columns))
    table = np.stack(columns, axis=1)
    return table[:, rng.permutation(table.shape[1])]


def _skewed(rng: np.random.Generator, y: Array) -> Array:
    kind = rng.integers(6)
    if kind == 0:
        return np.exp(np.clip(y * rng.uniform(0.3, 1.5), -8, 8))
    if kind == 1:
        return np.sign(y) * np.abs(y) ** rng.uniform(1.3, 3.0)
    if kind == 2:
        return np.maximum(y, np.quantile(y, rng.uniform(0.1, 0.9)))
    if kind == 3:
        return np.clip(y, *np.quantile(y, [rng.uniform(0, 0.2), rng.uniform(0.8, 1)]))
    if kind == 4:
        return np.argsort(np.argsort(y, kind="stable"), kind="stable") / len(y)
    return np.log1p(np.exp(np.clip(y * rng.uniform(1, 5), -20, 20)))


def _coarse(rng: np.random.Generator, y: Array) -> Array:
    if rng.random() < 0.2:
        at = rng.uniform(0.02, 0.98)
        return (y > np.quantile(y, at)).astype(float)
    step = (np.quantile(y, 0.95) - np.quantile(y, 0.05) + 1e-9) / loguniform(
        rng, 1.5, 200
    )
    return np.round(y / step)


def _coded(rng: np.random.Generator, y: Array) -> list[Array]:
    """Return a column of codes, or one column per code."""
    k = int(loguniform(rng, 2, 20))
    cuts = np.sort(rng.random(k - 1))
    codes = np.searchsorted(np.quantile(y, cuts), y)
    if rng.random() < 0.6 or k > 6:
        return [rng.permutation(k).astype(float)[codes]]
    return [(codes == c).astype(float) for c in range(k)]


def _useless(rng: np.random.Generator, columns: list[Array]) -> list[Array]:
    """Return columns that say nothing about the label, or repeat another one."""
    n = len(columns[0])
    count = 1 + int(rng.random() * 0.6 * len(columns))
    found = []
    for _ in range(count):
        kind = rng.integers(3)
        if kind == 0:
            found.append(columns[rng.integers(len(columns))] * rng.normal())
        else:
            noise = rng.normal(size=n)
            found.append(_coarse(rng, noise) if kind == 1 else _skewed(rng, noise))
    return found
