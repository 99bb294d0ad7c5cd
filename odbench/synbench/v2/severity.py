"""Levels of severity of anomalies, from the oracle's own scale."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray, LabelArray

N_LEVELS = 4


def severity_levels(scores: FloatArray) -> LabelArray:
    """Return the quarter of each anomaly among the anomalies of its set.

    Parameters
    ----------
    scores : float64 array of shape (n_anomalies,)
        The oracle's scores of the anomalies; higher departs further.

    Returns
    -------
    int8 array of shape (n_anomalies,)
        1 to 4; 4 departs furthest. With k of n anomalies scored lower, the level is 1 +
        floor(4 k / n), so that equal scores have equal levels, and the levels
        are equally frequent where scores differ.
    """
    lower = np.searchsorted(np.sort(scores), scores, side="left")
    levels: LabelArray = (1 + N_LEVELS * lower // len(scores)).astype(np.int8)
    return levels
