"""The points around the training rows that DROCC trains against."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from odbench_detectors.deep.layers import MLP

_PROJECTED_EVERY = 10  # steps
_TINY = 1e-12


def adversarial_points(
    network: MLP, rows: Tensor, *, radius: float, gamma: float, steps: int, rate: float
) -> Tensor:
    """Return points around rows that the network is worst at telling from them.

    From a row plus standard normal noise, gradient ascent takes steps of length `rate`
    on the loss of calling the point an anomaly. Every tenth step ends with a projection
    onto the shell around the row between `radius` and `gamma` times `radius`
    (algorithm 1).

    Parameters
    ----------
    network : MLP
        One hidden layer, one output: the logit of being a training row.
    rows : tensor of shape (n, n_columns)

    Returns
    -------
    tensor of shape (n, n_columns)
        Without a gradient.
    """
    with torch.no_grad():
        points = rows + torch.randn_like(rows)
        for step in range(1, steps + 1):
            points += rate * uphill(network, points)
            if step % _PROJECTED_EVERY == 0:
                points = onto_shell(points, rows, radius, gamma * radius)
    return points


def uphill(network: MLP, points: Tensor) -> Tensor:
    """Return the unit vectors in which the network's logit grows fastest.

    The loss of calling a point an anomaly is ``log(1 + exp(logit))``, which grows with
    the logit, so that both have the same direction. For one hidden layer with ReLU it
    is written out: the sum of the active units' input weights, times their output
    weights. 0 where no unit is active.
    """
    first, second = (cast("nn.Linear", layer) for layer in network.layers)
    active = torch.addmm(first.bias, points, first.weight.T) > 0
    gradient: Tensor = (active * second.weight) @ first.weight
    length: Tensor = gradient.norm(dim=1, keepdim=True)
    return gradient / length.clamp_min(_TINY)


def onto_shell(points: Tensor, rows: Tensor, inner: float, outer: float) -> Tensor:
    """Move points along their lines to the rows until within inner..outer of them."""
    away = points - rows
    norm: Tensor = away.norm(dim=1, keepdim=True)
    length = norm.clamp_min(_TINY)
    return rows + away * length.clamp(inner, outer) / length
