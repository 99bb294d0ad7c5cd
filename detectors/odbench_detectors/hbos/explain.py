"""Explain a row's score by the surprise of each of its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.column_kernels import add_histograms
from odbench_detectors.shared.columns import Floats

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Explanation:
    """Scores of rows, split by column; see `odbench.detector.Explanation`.

    Attributes
    ----------
    scores : float64 array of shape (n_rows,)
        In bits, of either sign; higher is more anomalous.
    surprise : float64 array of shape (n_rows, n_columns)
        In bits, of either sign; added from left to right they give the score.
    excess : float64 array of shape (n_rows, n_columns)
        The surprise minus that of the column's fullest bin, from 0.
    values : array of shape (n_rows, n_columns)
        The explained rows.
    columns : tuple of str
        Names of the columns.
    """

    scores: FloatArray
    surprise: FloatArray
    excess: FloatArray
    values: Floats
    columns: tuple[str, ...]

    def table(self, row: int = 0, *, limit: int | None = None) -> pd.DataFrame:
        """Rank the columns of a row, most unusual value first.

        Parameters
        ----------
        row : int
            Which of the explained rows.
        limit : int or None
            Maximum number of columns to list.

        Returns
        -------
        DataFrame
            ``column, value, surprise, share``. Surprises depend on the columns' units,
            so the share is that of the *excess*: the column's part of the difference
            between the score and the lowest possible one. Shares sum to 1, or are all 0
            if every value is in the fullest bin of its column.
        """
        import pandas as pd

        excess = self.excess[row]
        order = np.argsort(-excess, kind="stable")[:limit]
        total = excess.sum()
        return pd.DataFrame(
            {
                "column": [self.columns[j] for j in order],
                "value": self.values[row, order],
                "surprise": self.surprise[row, order],
                "share": excess[order] / (total if total > 0 else 1.0),
            }
        )


def surprises(
    edges: FloatArray, surprise: FloatArray, tol: float, X: Floats
) -> FloatArray:
    """Return the surprise of every value, float64 of the shape of `X`, in bits.

    Parameters
    ----------
    edges, surprise, tol
        As for `odbench_detectors.shared.column_kernels.add_histograms`.
    X : array of shape (n_rows, n_columns)
        Finite.
    """
    found = np.zeros(X.shape)
    for j in range(X.shape[1]):
        column = np.ascontiguousarray(X[:, j : j + 1])
        terms = np.zeros(len(X))
        add_histograms(edges[j : j + 1], surprise[j : j + 1], tol, column, terms)
        found[:, j] = terms
    return found
