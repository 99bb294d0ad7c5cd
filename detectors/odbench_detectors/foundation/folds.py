"""Score the rows of a table by contexts without them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.deep.session import draw_seed

_FOLDS = 4


def score_by_folds(
    rows: FloatArray,
    fit_and_score: Callable[[FloatArray, FloatArray], FloatArray],
    random_state: int | None,
) -> FloatArray:
    """Split rows into four parts at random, and score each by the other three.

    Parameters
    ----------
    rows : float64 array of shape (n_rows, n_columns)
        Finite; may hold anomalies.
    fit_and_score : callable
        Takes training rows and rows to score; returns one score per row to score.
    random_state : int or None
        Seed of the split.

    Returns
    -------
    float64 array of shape (n_rows,)
        Fewer than eight rows are scored by all of them.
    """
    if len(rows) < 2 * _FOLDS:
        return fit_and_score(rows, rows)
    rng = np.random.default_rng(draw_seed(random_state))
    fold = rng.permutation(np.arange(len(rows)) % _FOLDS)
    scores = np.empty(len(rows))
    for part in range(_FOLDS):
        left_out = fold == part
        scores[left_out] = fit_and_score(rows[~left_out], rows[left_out])
    return scores
