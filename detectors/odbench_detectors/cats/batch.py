"""Compare a batch of rows with the train rows, by trees that tell them apart."""

from __future__ import annotations

import math

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.cats.forest_kernels import out_of_bag
from odbench_detectors.cats.order import content_order
from odbench_detectors.shared.neighbours.distinct import distinct

# Chosen on OvRBench; see docs/cats.md.
TREES, ROWS_OF_A_TREE, ROWS_OF_A_LEAF, TRIES = 100, 1_000, 5, 3.0
# Train rows and rows of the batch that are compared at once.
MOST_ROWS = 50_000
# Weight of the trees' standardised log-odds beside the standardised score of CATS.
WEIGHT = 2.0
# Shares are kept away from 0 and 1, whose log-odds are infinite.
_EDGE = 1e-3
_SEED = 3


def log_odds_of_batch(train: FloatArray, batch: FloatArray) -> FloatArray:
    """Return how much each row of a batch looks like the batch and unlike train.

    Extremely randomised trees [1]_ separate the two groups. A row is judged only by
    trees that were grown without it.

    Parameters
    ----------
    train : float64 array of shape (n, d)
        Standardised train rows in the order of `content_order`.
    batch : float64 array of shape (m, d)
        Rows of the batch on the same scale, in any order.

    Returns
    -------
    float64 array of shape (m,)
        Log-odds, both groups weighing the same; higher is more anomalous. Equal rows
        have the same.

    References
    ----------
    .. [1] Geurts, Ernst, Wehenkel, "Extremely randomized trees", Machine Learning 63,
       2006.
    """
    order = content_order(batch)
    train = train[:MOST_ROWS]
    rows = np.ascontiguousarray(np.vstack([train, batch[order]]))
    columns = rows.shape[1]
    tries = min(math.ceil(TRIES * math.sqrt(columns)), columns)
    share = np.empty(len(batch))
    share[order] = out_of_bag(
        rows, len(train), TREES, ROWS_OF_A_TREE, ROWS_OF_A_LEAF, tries, _SEED
    )[len(train) :]
    share = np.clip(_even(batch, share), _EDGE, 1.0 - _EDGE)
    odds: FloatArray = np.log(share / (1.0 - share))
    return odds


def with_batch(scores: FloatArray, log_odds: FloatArray) -> FloatArray:
    """Add the log-odds of the batch to scores, both in units of their spread.

    Parameters
    ----------
    scores, log_odds : float64 arrays of shape (m,)

    Returns
    -------
    float64 array of shape (m,)
        Higher is more anomalous.
    """
    return _standardised(scores) + WEIGHT * _standardised(log_odds)


def _standardised(x: FloatArray) -> FloatArray:
    # Sorted, so that the order of the rows does not change the sums.
    ordered = np.sort(x)
    spread = float(ordered.std())
    centred: FloatArray = x - ordered.mean()
    return centred / spread if spread > 0.0 else np.zeros_like(centred)


def _even(rows: FloatArray, values: FloatArray) -> FloatArray:
    """Give equal rows the mean of their values."""
    _, number = distinct(np.ascontiguousarray(rows))
    order = np.lexsort((values, number))
    sums = np.bincount(number[order], weights=values[order])
    mean: FloatArray = (sums / np.bincount(number))[number]
    return mean
