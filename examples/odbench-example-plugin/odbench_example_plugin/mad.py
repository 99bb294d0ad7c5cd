"""Deviation from the median, column by column."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class MedianDeviation:
    """Mean of the largest deviations of a row from the columns' medians.

    Parameters
    ----------
    columns : int, default=1
        How many of the largest deviations are averaged.
    """

    def __init__(self, columns: int = 1) -> None:
        self.columns = columns

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the constructor's parameters."""
        return {"columns": self.columns}

    def fit(self, X: FloatArray) -> Self:
        """Learn medians and deviations of inliers, X being (n_rows, n_columns)."""
        self.median_ = np.median(X, axis=0)
        spread = np.median(np.abs(X - self.median_), axis=0)
        self.spread_ = np.where(spread > 0, spread, 1.0)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return one float a row, higher = more anomalous."""
        deviations = np.sort(np.abs(X - self.median_) / self.spread_, axis=1)
        return deviations[:, -self.columns :].mean(axis=1)
