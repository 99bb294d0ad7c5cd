"""Distance to the nearest train row in L1, exactly."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from odbench.arrays import FloatArray


@numba.njit(cache=True)
def nearest_l1(Q: Any, X: Any, skip: Any) -> Any:  # pragma: no cover
    """Return the L1 distance from each row of `Q` to its nearest row of `X`.

    `skip[i]` is the train row that query i may not meet (itself), or -1.
    """
    best = np.empty(len(Q))
    for i in range(len(Q)):
        shortest = np.inf
        for t in range(len(X)):
            if t == skip[i]:
                continue
            distance = 0.0
            for j in range(X.shape[1]):
                distance += abs(Q[i, j] - X[t, j])
                if distance >= shortest:
                    break
            shortest = min(shortest, distance)
        best[i] = shortest
    return best


def nearest(Q: FloatArray, X: FloatArray, skip: Any = None) -> FloatArray:
    """Return the L1 distance from each row of `Q` to its nearest row of `X`.

    Parameters
    ----------
    Q : float64 array of shape (n_queries, n_columns)
    X : float64 array of shape (n_rows, n_columns)
    skip : int64 array of shape (n_queries,), optional
        The train row that each query may not meet, -1 for none.

    Returns
    -------
    float64 array of shape (n_queries,)
    """
    if skip is None:
        skip = np.full(len(Q), -1)
    distances: FloatArray = nearest_l1(Q, X, skip)
    return distances
