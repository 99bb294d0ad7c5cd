"""Errors of a reconstruction: squared, and relative to a predicted variance."""

from __future__ import annotations

import torch
from torch import Tensor

# Limits of the logarithm of a predicted variance: columns have unit variance, and a
# column that is reconstructed exactly must not make the loss infinite.
_LOWEST, _HIGHEST = -7.0, 7.0


def squared(rows: Tensor, outputs: Tensor) -> Tensor:
    """Return the squared error of each value, of the shape of `rows`."""
    return (outputs - rows).square()


def probabilistic(
    rows: Tensor, outputs: Tensor, error_weight: float, variance_weight: float
) -> Tensor:
    """Return the adjustable probabilistic error of each value.

    ``error_weight (x - m)^2 / v + variance_weight log v``, with the mean m and the
    variance v that the network predicts for the value x. Both weights 1/2 give the
    negative log-likelihood of a Gaussian, up to a constant.

    Parameters
    ----------
    rows : tensor of shape (n, d)
    outputs : tensor of shape (n, 2 d)
        The means, then the logarithms of the variances, clamped to ±7.
    error_weight, variance_weight : float

    Returns
    -------
    tensor of shape (n, d)
    """
    mean, log_variance = outputs.chunk(2, dim=1)
    log_variance = log_variance.clamp(_LOWEST, _HIGHEST)
    error = (rows - mean).square() * torch.exp(-log_variance)
    return error_weight * error + variance_weight * log_variance
