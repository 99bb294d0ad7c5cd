"""Apply matrix products so that a row's result does not depend on the batch.

BLAS chooses its summation order by the number of rows, so the same row can differ in
the last bits between batches. Blocks of one fixed shape, the last one padded, always
use the same order.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from odbench.arrays import FloatArray

ROWS = 256


def in_blocks(X: FloatArray, score: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Score rows in blocks of `ROWS`.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        The rows.
    score : callable
        Takes a float64 array of shape (`ROWS`, d), returns one float64 per row.

    Returns
    -------
    float64 array of shape (n,)
        The score of each row, the same for a row in any batch.
    """
    scores = np.empty(len(X))
    block = np.zeros((ROWS, X.shape[1]))
    for start in range(0, len(X), ROWS):
        rows = X[start : start + ROWS]
        block[: len(rows)] = rows
        block[len(rows) :] = 0.0
        scores[start : start + len(rows)] = score(block)[: len(rows)]
    return scores
