"""How far a detector's scores depend on the rows that are scored together.

After a trial, the first rows of the test table are scored again, alone. A detector that
looks only at the training rows gives each the same score as before.
"""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray

# At most this many rows are scored again, and at most half of the test table.
_ROWS = 64
# Differences below this part of the spread come from the order of summation.
_ROUNDING = 1e-9
# A difference counts if it is this many times the one between equal batches.
_BEYOND_NOISE = 3.0
# Recorded where the few rows could not be scored alone at all: a whole spread.
NOT_SCORED = 1.0
_LARGEST = 1e300


def rows_to_repeat(n_test: int) -> int:
    """Return the number of rows to score again; 0 if there are too few."""
    return min(_ROWS, n_test // 2)


def batch_difference(
    alone: FloatArray | None, together: FloatArray, *, again: FloatArray | None = None
) -> float:
    """Return the largest difference that the batch makes to a score.

    The difference of a row is divided by the spread of all scores (the interquartile
    range or, where that is 0, the standard deviation), or by the row's own distance
    from the median score if that is larger: rounding errors grow with the score.

    Parameters
    ----------
    alone : float64 array of shape (n_rows,) or None
        Scores of the first rows, scored alone; None where that failed.
    together : float64 array of shape (n_test,)
        Scores of all rows, scored together.
    again : float64 array of shape (n_rows,), optional
        As `alone`, scored once more. Where two such scorings differ about as much,
        scores are drawn at random, and the batch makes no difference.

    Returns
    -------
    float
        From 0; 0 for a detector whose scores do not depend on the batch.
    """
    if alone is None:
        return NOT_SCORED
    difference = _relative(alone, together)
    if again is not None and difference <= _BEYOND_NOISE * _relative(
        again, np.concatenate([alone, together[len(alone) :]])
    ):
        return 0.0
    return difference if difference > _ROUNDING else 0.0


def _relative(alone: FloatArray, together: FloatArray) -> float:
    # Halved, so that no difference of finite scores overflows.
    halves = together / 2
    same_rows = halves[: len(alone)]
    distance = np.abs(alone / 2 - same_rows)
    moved = distance > 0
    if not moved.any():
        return 0.0
    low, middle, high = np.percentile(halves, (25, 50, 75))
    spread = high - low
    if spread == 0:
        largest = float(np.abs(halves - middle).max())
        # Scaled, because squares of large scores overflow.
        spread = largest and largest * float(np.std((halves - middle) / largest))
    scale = np.maximum(spread, np.abs(same_rows - middle))
    with np.errstate(divide="ignore", over="ignore"):
        return float(min((distance[moved] / scale[moved]).max(), _LARGEST))
