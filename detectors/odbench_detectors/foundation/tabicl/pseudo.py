"""Pseudo-anomalies of several kinds, made from the training rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from odbench.arrays import FloatArray

# Share of a column's range by which the box of uniform rows is wider on each side.
_MARGIN = 0.1
_RNG = np.random.Generator


def uniform(rows: FloatArray, rng: _RNG) -> FloatArray:
    """Draw rows uniformly from a box somewhat larger than the training rows'."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    margin = _MARGIN * (high - low)
    return rng.uniform(low - margin, high + margin, size=rows.shape)


def shuffled(rows: FloatArray, rng: _RNG) -> FloatArray:
    """Shuffle each column by itself: usual values in unusual company."""
    return rng.permuted(rows, axis=0)


def perturbed(rows: FloatArray, rng: _RNG) -> FloatArray:
    """Add noise to some columns of each row, about as wide as the column."""
    chosen = rng.random(rows.shape) < 0.3
    chosen[np.arange(len(rows)), rng.integers(rows.shape[1], size=len(rows))] = True
    noise = rng.normal(size=rows.shape) * rows.std(axis=0) * rng.uniform(1, 3)
    return np.asarray(rows + chosen * noise, dtype=np.float64)


def stretched(rows: FloatArray, rng: _RNG) -> FloatArray:
    """Move rows away from the mean, to 1.5 to 4 times their distance."""
    centre = rows.mean(axis=0)
    factor = rng.uniform(1.5, 4.0, size=(len(rows), 1))
    return np.asarray(centre + factor * (rows - centre), dtype=np.float64)


KINDS: tuple[Callable[[FloatArray, _RNG], FloatArray], ...] = (
    uniform,
    shuffled,
    perturbed,
    stretched,
)
