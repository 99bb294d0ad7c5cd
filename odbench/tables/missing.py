"""Scores of a detector that sees no missing values, raised by how rare those are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, IntArray

# Scores that are raised to one height keep their order below it, this much closer.
_CLOSER = 1e-6


@dataclass(frozen=True)
class Missing:
    """Which values of a table are missing, and how often.

    Attributes
    ----------
    columns : int64 array of shape (k,)
        The columns that tell missing values.
    above : float64 array of shape (k,)
        Values above these tell that one is missing.
    surprises : float64 array of shape (k,)
        -log of the share of the train rows in which it is.
    sums : float64 array of shape (n,)
        Of the surprises of each train row's missing values, ascending.
    """

    columns: IntArray
    above: FloatArray
    surprises: FloatArray
    sums: FloatArray

    @classmethod
    def of(cls, rows: FloatArray, columns: IntArray, above: FloatArray) -> Missing:
        """Count in train rows, float64 of shape (n, d)."""
        gone = rows[:, columns] > above
        shares = np.maximum(gone.mean(axis=0), 0.5 / len(rows))
        surprises = -np.log(shares)
        return cls(columns, above, surprises, np.sort(gone @ surprises))

    def shares(self, rows: FloatArray) -> FloatArray:
        """Return the share of train rows that lack values as rare as each row does.

        Parameters
        ----------
        rows : float64 array of shape (m, d)

        Returns
        -------
        float64 array of shape (m,)
            1 where nothing is missing, 0 where no train row lacks as much.
        """
        sums = (rows[:, self.columns] > self.above) @ self.surprises
        # The same values missing add up to the same sum, but for rounding.
        below = np.searchsorted(self.sums, sums * (1.0 - 1e-9))
        return np.where(sums > 0.0, 1.0 - below / len(self.sums), 1.0)


@dataclass(frozen=True)
class Raised:
    """A detector of the other columns; a missing value counts as much as it is rare.

    A row that lacks values which a share a of the train rows lack, or rarer ones, has
    at least the score that a share a of the train rows have.

    Attributes
    ----------
    inner : object
        A fitted detector of the other columns.
    others : int64 array
        The columns that it sees.
    missing : Missing
    scores : float64 array of shape (n,)
        Its scores of the train rows, ascending.
    """

    inner: Any
    others: IntArray
    missing: Missing
    scores: FloatArray

    def decision_function(self, Z: FloatArray) -> FloatArray:
        """Score rows, float64 of shape (m, d)."""
        scores = self.inner.decision_function(np.ascontiguousarray(Z[:, self.others]))
        return self.raised(scores, Z)

    def raised(self, scores: FloatArray, Z: FloatArray) -> FloatArray:
        """Raise scores of rows, each of shape (m,) and (m, d)."""
        shares, n = self.missing.shares(Z), len(self.scores)
        last = np.clip(n - np.ceil(shares * n).astype(np.int64), 0, n - 1)
        least = np.where(shares < 1.0, self.scores[last], -np.inf)
        off = np.maximum(least - scores, 0.0)
        return np.asarray(
            np.where(off > 0.0, least - _CLOSER * off, scores), dtype=np.float64
        )
