"""Mutual information of columns, less the amount that shuffled columns share.

Two independent columns of many values seem to share information in any finite sample.
Their values are therefore shuffled a few times, and the mean information that is left
counts as nothing. The idea of such a baseline per cardinality is that of OutRank [1]_;
with the exact mean over all shuffles it is the adjusted mutual information [2]_.

References
----------
.. [1] Škrlj, Mramor, "OutRank: Speeding up AutoML-based Model Search for Large Sparse
   Data sets with Cardinality-aware Feature Ranking", arXiv 2309.01552 (2023).
.. [2] Vinh, Epps, Bailey, "Information Theoretic Measures for Clusterings Comparison",
   JMLR 11 (2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from odbench.arrays import FloatArray, IntArray

# A column of more different values is cut into intervals, or its rarest are joined.
MOST_CODES = 64
# Rows per value below which many values are cut into intervals, too.
_ROWS_PER_VALUE, _ALWAYS_KEPT = 20, 10
# Intervals of equal numbers of rows, fewer in small tables, and finer ones in the tails
# of at least this many rows.
_MOST_PARTS, _TAILS, _TAIL_ROWS = 16, (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04), 5
SHUFFLES = 4


@dataclass(frozen=True)
class Shared:
    """Information that targets give about columns, beyond chance.

    Attributes
    ----------
    share : float64 array of shape (n_columns, n_targets)
        ``(I - I0) / (H - I0)``: I is the mutual information, I0 its mean over shuffles
        and H the column's entropy. About 0 for independent columns, and 1 if the
        target determines the column. 0 for a column without information beyond
        chance, and where `excess` is not positive.
    excess : float64 array of the same shape
        Standard deviations by which I exceeds I0. They are estimated from I0, because
        2 n I of independent columns is about chi-squared with 2 n I0 degrees of
        freedom.
    """

    share: FloatArray
    excess: FloatArray


def code_numbers(values: FloatArray, further: Sequence[float] = ()) -> IntArray:
    """Return a code per number: its value's, or its interval's if there are many.

    Parameters
    ----------
    values : float64 array of shape (n,)
        NaN is a code of its own.
    further : sequence of float
        Shares of the present values below further cuts.

    Returns
    -------
    int64 array of shape (n,)
        From 0, at most `MOST_CODES` different ones.
    """
    gone = np.isnan(values)
    known = values[~gone]
    codes = np.zeros(len(values), dtype=np.int64)
    if len(known):
        distinct, places = np.unique(known, return_inverse=True)
        if len(distinct) > values_kept(len(known)):
            at = np.rint(np.array([*_cuts(len(known)), *further]) * len(known))
            at = np.clip(at, 0, len(known) - 1).astype(np.int64)
            edges = np.unique(np.sort(known)[at])
            places = np.searchsorted(edges, known, side="right")
        codes[~gone] = places + 1
    return compact(codes)


def values_kept(n: int) -> int:
    """Return up to how many different values of n numbers keep codes of their own."""
    return min(MOST_CODES - 1, max(_ALWAYS_KEPT, n // _ROWS_PER_VALUE))


def _cuts(n: int) -> list[float]:
    """Return the shares of n numbers below each cut."""
    parts = int(np.clip(np.sqrt(n) / 3, 2, _MOST_PARTS))
    tails = [t for t in _TAILS if t * n >= _TAIL_ROWS]
    return [*(i / parts for i in range(1, parts)), *tails, *(1 - t for t in tails)]


def code_names(codes: IntArray) -> IntArray:
    """Join the rarest names of a column, so that at most `MOST_CODES` codes are left.

    Parameters
    ----------
    codes : int64 array of shape (n,)
        One number per name, from 0.
    """
    codes = compact(codes)
    counts = np.bincount(codes)
    if len(counts) <= MOST_CODES:
        return codes
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(counts), dtype=np.int64)
    place[order] = np.arange(len(counts))
    return np.minimum(place[codes], MOST_CODES - 1)


def compact(codes: IntArray | FloatArray) -> IntArray:
    """Return the same codes numbered from 0, in their order; NaN is the last."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def label_cuts(label: IntArray) -> tuple[float, ...]:
    """Return cuts that set apart as many values as each label has, at either end.

    Parameters
    ----------
    label : int64 array of shape (n,)
        Codes from 0, all of which occur.
    """
    rates = np.bincount(label) / len(label)
    return (*rates.tolist(), *(1 - rates).tolist())


def shared_information(
    columns: IntArray, targets: IntArray, *, shuffles: int = SHUFFLES, seed: int = 0
) -> Shared:
    """Measure how much targets tell about columns.

    Parameters
    ----------
    columns : int64 array of shape (n, d)
        Codes from 0.
    targets : int64 array of shape (n, t)
        Codes from 0.
    shuffles : int
        Number of shuffles behind I0, the same ones for all pairs.
    seed : int

    Returns
    -------
    Shared
        Of shape (d, t). The order of rows matters only through the shuffles.
    """
    n, d = columns.shape
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(n) for _ in range(shuffles)]
    counted = _Counted.of(columns)
    found, chance = np.empty((2, d, targets.shape[1]))
    for place, target in enumerate(targets.T):
        found[:, place] = counted.information(target)
        again = [counted.information(target[order]) for order in orders]
        chance[:, place] = np.mean(again, axis=0)
    return _beyond_chance(found, chance, counted.entropies, n)


def _beyond_chance(
    found: FloatArray, chance: FloatArray, entropies: FloatArray, n: int
) -> Shared:
    freedom = np.maximum(2 * n * chance, 1.0)
    excess = (2 * n * found - freedom) / np.sqrt(2 * freedom)
    room = entropies[:, None] - chance
    # With no room left, even shuffled columns tell everything.
    fits = (room > 1e-9) & (excess > 0)
    share = np.where(fits, (found - chance) / np.where(fits, room, 1.0), 0.0)
    return Shared(np.clip(share, 0.0, 1.0), excess)


@dataclass(frozen=True)
class _Counted:
    """Columns ready for counting them together with a target.

    Attributes
    ----------
    places : int64 array of shape (n, d)
        Codes, numbered through all columns.
    starts : int64 array of shape (d,)
        The first number of each column.
    total : int
        Number of codes of all columns.
    terms : float64 array of shape (n + 1,)
        ``c log c`` for each count c.
    entropies : float64 array of shape (d,)
        In nats.
    """

    places: IntArray
    starts: IntArray
    total: int
    terms: FloatArray
    entropies: FloatArray

    @classmethod
    def of(cls, columns: IntArray) -> _Counted:
        n = len(columns)
        sizes = columns.max(axis=0) + 1
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        counts = np.arange(n + 1, dtype=np.float64)
        terms = counts * np.log(np.maximum(counts, 1.0))
        total = int(sizes.sum())
        places = columns + starts
        single = np.bincount(places.ravel(), minlength=total)
        sums = np.add.reduceat(terms[single], starts)
        return cls(places, starts, total, terms, np.log(n) - sums / n)

    def information(self, target: IntArray) -> FloatArray:
        """Return the mutual information with a target, in nats, shape (d,)."""
        n, size = len(target), int(target.max()) + 1
        together = np.bincount(
            (self.places * size + target[:, None]).ravel(), minlength=self.total * size
        )
        joint = np.add.reduceat(self.terms[together], self.starts * size)
        own = np.log(n) - self.terms[np.bincount(target)].sum() / n
        return np.asarray(self.entropies + own - (np.log(n) - joint / n))
