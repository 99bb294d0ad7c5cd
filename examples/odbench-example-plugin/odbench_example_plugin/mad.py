"""Score by deviation from the median, column by column."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class MedianDeviation:
    """Score rows by the mean of their largest deviations from the column medians.

    Parameters
    ----------
    columns : int, default=1
        Number of largest deviations to average.
    """

    def __init__(self, columns: int = 1) -> None:
        self.columns = columns

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the constructor's parameters."""
        return {"columns": self.columns}

    def fit(self, X: FloatArray) -> Self:
        """Learn column medians and deviations of X, of shape (n_rows, n_columns)."""
        self.median_ = np.median(X, axis=0)
        spread = np.median(np.abs(X - self.median_), axis=0)
        self.spread_ = np.where(spread > 0, spread, 1.0)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return one float per row; higher is more anomalous."""
        deviations = np.sort(np.abs(X - self.median_) / self.spread_, axis=1)
        return deviations[:, -self.columns :].mean(axis=1)
