"""Explain a row's score by the surprise of each of its values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench.errors import MissingExtraError
from odbench_detectors.shared.columns import Floats, SortedColumns
from odbench_detectors.shared.estimator import column_names

if TYPE_CHECKING:
    import pandas as pd

TAIL_NAMES = {-1: "low", 1: "high"}


@dataclass(frozen=True)
class Explanation:
    """Scores of rows, split by column; see `odbench.detector.Explanation`.

    Attributes
    ----------
    scores : float64 array of shape (n_rows,)
        In nats; higher is more anomalous.
    surprise : float64 array of shape (n_rows, n_columns)
        In nats; ``math.fsum`` of a row equals its score exactly.
    tails : int8 array of shape (n_rows, n_columns)
        The tail that was counted: -1 low values, 1 high values.
    values : array of shape (n_rows, n_columns)
        The explained rows.
    columns : tuple of str
        Names of the columns.
    """

    scores: FloatArray
    surprise: FloatArray
    tails: NDArray[np.int8]
    values: Floats
    columns: tuple[str, ...]

    def table(self, row: int = 0, *, limit: int | None = None) -> pd.DataFrame:
        """Rank the columns of a row, most surprising first.

        Parameters
        ----------
        row : int
            Which of the explained rows.
        limit : int or None
            Maximum number of columns to list.

        Returns
        -------
        DataFrame
            ``column, value, tail, surprise, share``: the tail is "low" or "high", the
            surprise is in nats, and the share is the fraction of the score.
        """
        import pandas as pd

        order = np.argsort(-self.surprise[row], kind="stable")[:limit]
        total = self.scores[row]
        return pd.DataFrame(
            {
                "column": [self.columns[j] for j in order],
                "value": self.values[row, order],
                "tail": [TAIL_NAMES[int(self.tails[row, j])] for j in order],
                "surprise": self.surprise[row, order],
                "share": self.surprise[row, order] / (total if total else 1.0),
            }
        )

    def plot(self, row: int = 0, *, limit: int = 15) -> Any:
        """Draw the most surprising columns of a row as bars.

        Parameters
        ----------
        row : int
            Which of the explained rows.
        limit : int
            Maximum number of columns to draw.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            msg = "a plot needs matplotlib, which is not installed: "
            msg += "pip install 'odbench[plot]', or print Explanation.table"
            raise MissingExtraError(msg) from error
        table = self.table(row, limit=limit).iloc[::-1]
        figure = Figure(figsize=(7, 1.2 + 0.32 * len(table)), layout="constrained")
        axes = figure.add_subplot()
        colours = ["tab:blue" if tail == "low" else "tab:red" for tail in table["tail"]]
        labels = [
            f"{name} = {value:.4g} ({tail})"
            for name, value, tail in zip(
                table["column"], table["value"], table["tail"], strict=True
            )
        ]
        axes.barh(labels, table["surprise"], color=colours)
        axes.set_xlabel("surprise in nats (blue: unusually low, red: unusually high)")
        hidden = max(0, len(self.columns) - limit)
        rest = f"; {hidden} more columns not shown" if hidden else ""
        axes.set_title(f"score {self.scores[row]:.2f} nats{rest}", fontsize="medium")
        return figure


def explain_rows(  # noqa: PLR0917
    columns: SortedColumns,
    X: Floats,
    tails: NDArray[np.int8],
    plus: int,
    aggregate: str,
    scores: FloatArray,
    names: Sequence[str] | None,
) -> Explanation:
    """Split scores by column.

    Parameters
    ----------
    columns : SortedColumns
        The reference.
    X : array of shape (n_rows, n_columns)
        Rows to explain.
    tails : int8 array of shape (n_columns,)
        The tail chosen by the skewness: -1 left, 1 right, 0 both.
    plus : int
        See `cpu.tail_sums`.
    aggregate : {"sums", "columns", "copod"}
        How the detector combines tails and columns.
    scores : float64 array of shape (n_rows,)
        The detector's scores.
    names : sequence of str or None
        Names of the columns; x0, x1, ... by default.

    Returns
    -------
    Explanation

    Raises
    ------
    DetectorError
        If the number of names differs from the number of columns.
    """
    names = column_names(names, X.shape[1])
    left, right = tail_surprises(columns, X, plus)
    skewed = np.where(tails < 0, left, np.where(tails > 0, right, left + right))
    taller = np.where(left > right, -1, 1)
    by_skew = np.where(tails == 0, taller, tails)
    if aggregate == "sums":
        sums = np.stack([part.sum(axis=1) for part in (left, right, skewed)])
        winner = sums.argmax(axis=0)[:, None]
        surprise = np.where(winner == 0, left, np.where(winner == 1, right, skewed))
        side = np.where(winner == 0, -1, np.where(winner == 1, 1, by_skew))
    elif aggregate == "columns":
        surprise = np.maximum(np.maximum(left, right), skewed)
        side = taller
    else:
        mean = (left + right) / 2
        surprise = np.maximum(mean, skewed)
        side = np.where(skewed >= mean, by_skew, taller)
    close_gap(surprise, scores)
    return Explanation(scores, surprise, side.astype(np.int8), X, names)


def tail_surprises(
    columns: SortedColumns, X: Floats, plus: int
) -> tuple[FloatArray, FloatArray]:
    """Surprise of every value in its column's left and right tail.

    Parameters
    ----------
    columns : SortedColumns
        On the host.
    X : array of shape (n_rows, n_columns)
    plus : int
        See `cpu.tail_sums`.

    Returns
    -------
    left, right : float64 arrays of shape (n_rows, n_columns)
        In nats.
    """
    left, right = np.empty(X.shape), np.empty(X.shape)
    n = columns.n_rows
    for j, column in enumerate(columns.values):
        below = np.searchsorted(column, X[:, j], side="left")
        up_to = np.searchsorted(column, X[:, j], side="right")
        if columns.ranks is not None:
            below, up_to = columns.ranks[j, below], columns.ranks[j, up_to]
        left[:, j] = -np.log((up_to + plus) / (n + plus))
        right[:, j] = -np.log((n - below + plus) / (n + plus))
    return left, right


def close_gap(surprise: FloatArray, scores: FloatArray) -> None:
    """Add each row's rounding difference, about 1e-15, to its largest surprises.

    The detector multiplies probabilities and takes one logarithm, while here each
    column has its own logarithm, so the two sums differ in the last bits.

    Parameters
    ----------
    surprise : float64 array of shape (n_rows, n_columns)
        Changed in place: ``math.fsum`` of a row becomes its score.
    scores : float64 array of shape (n_rows,)
    """
    for terms, score in zip(surprise, scores, strict=True):
        # The digits of the largest may be too coarse: the next one takes the rest.
        for j in np.argsort(-terms, kind="stable"):
            terms[j] += math.fsum([score, *(-terms)])
            if math.fsum(terms) == score:
                break
    # -0.0, a logarithm's, is printed badly.
    surprise += 0.0
