"""The fallback of a contrast for tables of one or two columns: one Gaussian."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_RIDGE = 1e-3  # columns have unit variance


class Gaussian(nn.Module):
    """Squared Mahalanobis distance from the mean of the training rows.

    Parameters
    ----------
    rows : float32 tensor of shape (n_rows, n_columns)
        Standardised training rows.
    """

    precision: Tensor

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        exact = rows.double()
        covariance = exact.T @ exact / len(rows)
        ridge = _RIDGE * torch.eye(rows.shape[1], device=rows.device).double()
        self.register_buffer("precision", torch.linalg.inv(covariance + ridge).float())

    def distances(self, rows: Tensor) -> Tensor:
        """Return one distance per row, 0 or more."""
        return ((rows @ self.precision) * rows).sum(dim=1)
