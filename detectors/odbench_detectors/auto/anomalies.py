"""Make anomalies of several kinds from inliers, to judge detectors without labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from odbench.arrays import FloatArray

# Width of the noise of local anomalies, and shift of clusters, in standard deviations.
_NOISE, _SHIFT = 0.7, 2.5
# Share of the columns that are taken from another row, or are shifted.
_SOME = 0.3


def _uniform(rng: np.random.Generator, X: FloatArray, n: int) -> FloatArray:
    """Draw rows evenly from the range of every column."""
    low, high = X.min(axis=0), X.max(axis=0)
    return np.asarray(low + (high - low) * rng.random((n, X.shape[1])))


def _local(rng: np.random.Generator, X: FloatArray, n: int) -> FloatArray:
    """Add noise to every column of some rows."""
    rows = X[rng.integers(len(X), size=n)]
    return np.asarray(rows + rng.normal(scale=_NOISE, size=rows.shape) * X.std(axis=0))


def _cluster(rng: np.random.Generator, X: FloatArray, n: int) -> FloatArray:
    """Shift some rows in some columns, all by the same step."""
    rows = X[rng.integers(len(X), size=n)]
    chosen = _some_columns(rng, 1, X.shape[1])[0]
    step = rng.choice((-_SHIFT, _SHIFT), size=X.shape[1]) * X.std(axis=0)
    return np.asarray(rows + chosen * step)


def _dependency(rng: np.random.Generator, X: FloatArray, n: int) -> FloatArray:
    """Draw every column by itself, so that values are common and do not belong."""
    places = rng.integers(len(X), size=(n, X.shape[1]))
    return np.asarray(np.take_along_axis(X, places, axis=0))


def _exchange(rng: np.random.Generator, X: FloatArray, n: int) -> FloatArray:
    """Take some columns of each row from another row."""
    rows, others = X[rng.integers(len(X), size=(2, n))]
    chosen = _some_columns(rng, n, X.shape[1])
    return np.asarray(np.where(chosen, others, rows), dtype=np.float64)


def _some_columns(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Choose about a third of the columns of each row, at least one."""
    chosen = rng.random((n, d)) < _SOME
    chosen[np.arange(n), rng.integers(d, size=n)] = True
    return chosen


KINDS: Mapping[str, Callable[[np.random.Generator, FloatArray, int], FloatArray]] = (
    MappingProxyType(
        {
            "uniform": _uniform,
            "local": _local,
            "cluster": _cluster,
            "dependency": _dependency,
            "exchange": _exchange,
        }
    )
)


def made(X: FloatArray, n: int, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Return made-up anomalies of every kind.

    Parameters
    ----------
    X : float64 array of shape (m, d)
        Inliers.
    n : int
        Anomalies of each kind.
    rng : Generator

    Returns
    -------
    dict of str to float64 array of shape (n, d)
        The keys of `KINDS`; in a table of one column, those that need no second one.
    """
    alone = X.shape[1] == 1
    return {
        kind: make(rng, X, n)
        for kind, make in KINDS.items()
        if not (alone and kind in ("dependency", "exchange"))
    }
