"""Score by distance from the centre: a minimal plugin."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Farthest:
    """Score rows by their distance from the mean of the training rows.

    Parameters
    ----------
    order : float, default=2.0
        Order of the norm.
    """

    def __init__(self, order: float = 2.0) -> None:
        self.order = order

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the constructor's parameters."""
        return {"order": self.order}

    def fit(self, X: FloatArray) -> Self:
        """Learn the mean of the training rows X, of shape (n_rows, n_columns)."""
        self.mean_ = X.mean(axis=0)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return one float per row; higher is more anomalous."""
        return np.linalg.norm(X - self.mean_, ord=self.order, axis=1)
