"""Compare a batch of rows with the train rows, by trees that tell them apart."""

from __future__ import annotations

import math

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.cats.forest import changes_of, grow_forest, shares_of
from odbench_detectors.cats.order import content_order
from odbench_detectors.cats.rounding import rounded
from odbench_detectors.cats.tail import Tail
from odbench_detectors.shared.neighbours.distinct import distinct
from odbench_detectors.shared.search import below_each
from odbench_detectors.shared.sort import sorted_rows

# Chosen on OvRBench; see docs/cats-evidence.md.
TREES, ROWS_OF_A_TREE, ROWS_OF_A_LEAF, TRIES = 100, 1_000, 5, 3.0
# Train rows and rows of the batch that are compared at once.
MOST_ROWS = 50_000
# The most that the trees' surprise weighs beside the score of CATS, and the deviation
# between the groups, in units of chance, at which it weighs half of that. Chosen on
# OvRBench, ADBench and the generated suites, see decision 82.
MOST_WEIGHT, HALF_AT = 5.0, 2.5
_SEED = 3
_NONE = np.empty(0, dtype=np.int64)


def surprise_of_batch(train: FloatArray, batch: FloatArray) -> FloatArray:
    """Return how much more each row looks like the batch than train rows do.

    Extremely randomised trees [1]_ separate the two groups. A row is judged only by
    trees that were grown without it, and its share of the batch is compared with the
    shares of train rows, as in a view of CATS. The surprise is weighted by how clearly
    the shares of the two groups differ: trees that find nothing add noise.

    Parameters
    ----------
    train : float64 array of shape (n, d)
        Standardised train rows in the order of `content_order`.
    batch : float64 array of shape (m, d)
        Rows of the batch on the same scale, in any order.

    Returns
    -------
    float64 array of shape (m,)
        In nats, from 0: `Tail.surprise` times `weight_of`; higher is more anomalous.
        Equal rows have the same.

    References
    ----------
    .. [1] Geurts, Ernst, Wehenkel, "Extremely randomized trees", Machine Learning 63,
       2006.
    """
    own, share, _ = _shares(train, batch, _NONE)
    return _surprise(train[:MOST_ROWS], own, batch, share)


def surprise_by_column(
    train: FloatArray, batch: FloatArray, rows: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return `surprise_of_batch` of some rows, and the columns that the trees use.

    Parameters
    ----------
    train, batch : float64 arrays of shape (n, d), (m, d)
        As for `surprise_of_batch`.
    rows : int64 array of shape (e,)
        Which rows of the batch.

    Returns
    -------
    surprise : float64 array of shape (e,)
        The same numbers.
    amounts : float64 array of shape (e, d)
        By how much the splits of each column move a row towards the batch, as a share
        from 0 to 1, averaged over the trees; 0 where they move it away. Equal rows have
        the same, but for rounding.
    """
    _, number = distinct(np.ascontiguousarray(batch))
    # Copies of a row are told apart by chance alone.
    alike = np.flatnonzero(np.isin(number, number[rows]))
    own, share, changes = _shares(train, batch, alike)
    surprise = _surprise(train[:MOST_ROWS], own, batch, share)
    groups, of_row = np.unique(number[alike], return_inverse=True)
    sums = np.zeros((len(groups), batch.shape[1]))
    np.add.at(sums, of_row, changes)
    means = sums / np.bincount(of_row, minlength=len(groups))[:, None]
    amounts = np.maximum(means[np.searchsorted(groups, number[rows])], 0.0)
    return surprise[rows], np.asarray(amounts, dtype=np.float64)


def _shares(
    train: FloatArray, batch: FloatArray, explained: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the trees' shares of train rows and of the batch, and some by column."""
    order = content_order(batch)
    train = train[:MOST_ROWS]
    rows = np.ascontiguousarray(np.vstack([train, batch[order]]))
    columns = rows.shape[1]
    tries = min(math.ceil(TRIES * math.sqrt(columns)), columns)
    place = np.empty(len(batch), dtype=np.int64)
    place[order] = np.arange(len(train), len(rows))
    forest = grow_forest(
        rows, len(train), trees=TREES, most=ROWS_OF_A_TREE, smallest=ROWS_OF_A_LEAF,
        tries=tries, seed=_SEED,
    )  # fmt: skip
    found = shares_of(forest, rows, np.arange(len(rows)), forest.samples)
    changes = changes_of(forest, rows, place[explained], forest.samples)
    return found[: len(train)], found[place], changes


def _surprise(
    train: FloatArray, own: FloatArray, batch: FloatArray, share: FloatArray
) -> FloatArray:
    own, share = rounded(_even(train, own)), rounded(_even(batch, share))
    return weight_of(own, share) * Tail.of(own).surprise(share)


def weight_of(own: FloatArray, share: FloatArray) -> float:
    """Return how much the trees' surprise weighs.

    The one-sided statistic of Kolmogorov and Smirnov, the largest difference between
    the shares of train rows and of rows of the batch below a value, is divided by
    sqrt((1/n + 1/m) / 2). If both were drawn from one law, the square of this deviation
    q would be exponential with mean 1 (Smirnov 1939). The weight is
    `MOST_WEIGHT` q² / (q² + `HALF_AT`²).

    Parameters
    ----------
    own : float64 array of shape (n,)
        The trees' shares of train rows, rounded.
    share : float64 array of shape (m,)
        Those of the rows of the batch.

    Returns
    -------
    float
        From 0 to `MOST_WEIGHT`.
    """
    n, m = len(own), len(share)
    values = np.concatenate([own, share])
    below_own = below_each(sorted_rows(own[None])[0], values) / n
    below_share = below_each(sorted_rows(share[None])[0], values) / m
    q_squared = float((below_own - below_share).max()) ** 2 / ((1 / n + 1 / m) / 2)
    return MOST_WEIGHT * q_squared / (q_squared + HALF_AT**2)


def _even(rows: FloatArray, values: FloatArray) -> FloatArray:
    """Give equal rows the mean of their values."""
    _, number = distinct(np.ascontiguousarray(rows))
    order = np.lexsort((values, number))
    sums = np.bincount(number[order], weights=values[order])
    mean: FloatArray = (sums / np.bincount(number))[number]
    return mean
