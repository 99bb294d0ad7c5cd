"""The interface of an archetype's law, and helpers that several laws use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np

from odbench.arrays import BoolArray, FloatArray
from odbench.errors import DataError
from odbench.synbench import portable
from odbench.synbench.stream import Stream

# Arrays whose last axis is the rows. The first one is the base, of shape (d, n): the
# columns before they are shown. The others are what the score needs.
Rows: TypeAlias = tuple[FloatArray, ...]
_MAX_ROUNDS = 2000
# Log ratios are split there, so that the product of eight factors is finite: it is
# at least 0.4 ** 8 and at most exp(80) ** 8.
_LARGE, _FACTORS = 80.0, 8


class Law(Protocol):
    """The law of inliers, and the law of anomalies of a given strength.

    Attributes
    ----------
    resolution : float64 array of shape (d,)
        Standard deviation of each base column given all others, or less.
    strengths : tuple of float
        Smallest and largest strength; anomalies of a larger one depart further.
    parameters : dict
        Every drawn parameter, as JSON values.
    """

    @property
    def resolution(self) -> FloatArray:
        """See above."""
        ...

    @property
    def strengths(self) -> tuple[float, float]:
        """See above."""
        ...

    @property
    def parameters(self) -> dict[str, Any]:
        """See above."""
        ...

    def inliers(self, stream: Stream, n: int) -> Rows:
        """Draw n inliers."""
        ...

    def plan(self, stream: Stream, n: int) -> Rows:
        """Draw the random numbers of n anomalies, which depend on no strength."""
        ...

    def anomalies(self, plan: Rows, strength: float) -> Rows:
        """Return the anomalies of a plan."""
        ...

    def score(self, rows: Rows, strength: float) -> FloatArray:
        """Return an increasing function of the likelihood ratio.

        Parameters
        ----------
        rows : Rows
            Inliers or anomalies.
        strength : float
            Of the anomalies.

        Returns
        -------
        float64 array of shape (n,)
            Higher is more anomalous.
        """
        ...

    def shown(self, base: FloatArray) -> FloatArray:
        """Return the columns' values; strictly increasing in each base column."""
        ...


def first(rows: Rows, n: int) -> Rows:
    """Return the first n rows."""
    return tuple(part[..., :n] for part in rows)


def log_sum_exp(terms: Sequence[FloatArray]) -> FloatArray:
    """Return log(sum of exp(term)), in the order of the terms.

    Parameters
    ----------
    terms : sequence of float64 arrays of shape (n,)
    """
    top = terms[0]
    for term in terms[1:]:
        top = np.maximum(top, term)
    total = np.zeros_like(top)
    for term in terms:
        total += portable.exp(term - top)
    return top + portable.log(total)


class MixedRatio:
    """The log likelihood ratio of independent parts, each changed or not.

    The sum over parts of log(1 - share + share * r), r the likelihood ratio of a
    changed part. Factors are multiplied, and one logarithm is taken of several.

    Parameters
    ----------
    share : float
        Probability that a part is changed; above 0 and below 1.
    n : int
        Number of rows.
    """

    def __init__(self, share: float, n: int) -> None:
        self._share = share
        self._product = np.ones(n)
        self._total = np.zeros(n)
        self._pending = 0

    def add(self, *log_ratios: FloatArray) -> None:
        """Add a part that is changed in one of several ways, all equally likely.

        Parameters
        ----------
        *log_ratios : float64 arrays of shape (n,)
            Log likelihood ratio of each way.
        """
        top = log_ratios[0]
        for each in log_ratios[1:]:
            top = np.maximum(top, each)
        # Beyond the limit, 1 - share is negligible.
        excess = np.maximum(top - _LARGE, 0.0)
        self._total += excess
        ratio = np.zeros_like(top)
        for each in log_ratios:
            ratio += portable.exp(each - excess)
        self._product *= (1.0 - self._share) + (self._share / len(log_ratios)) * ratio
        self._pending += 1
        if self._pending == _FACTORS:
            self._flush()

    def _flush(self) -> None:
        self._total += portable.log(self._product)
        self._product[:] = 1.0
        self._pending = 0

    def total(self) -> FloatArray:
        """Return the sum over the parts; float64 of shape (n,)."""
        self._flush()
        return self._total


def at_least_one(stream: Stream, m: int, n: int, share: float) -> BoolArray:
    """Mark each of m parts with probability `share`, given that one is marked.

    Rows without a mark are drawn again, which is the conditional law. Conditioning does
    not change the order of likelihood ratios: with A the ratio of independent marks and
    c its value where no part is marked, the ratio is (A - c) / (1 - c), which increases
    with A.

    Returns
    -------
    bool array of shape (m, n)
        At least one True per column.

    Raises
    ------
    DataError
        If rows remain without a mark after 2000 rounds.
    """
    marks = stream.uniform(m, n) < share
    for _ in range(_MAX_ROUNDS):
        empty = np.flatnonzero(~marks.any(axis=0))
        if empty.size == 0:
            return marks
        marks[:, empty] = stream.uniform(m, empty.size) < share
    msg = f"synbench: no part of {m} marked with probability {share}; report this"
    raise DataError(msg)
