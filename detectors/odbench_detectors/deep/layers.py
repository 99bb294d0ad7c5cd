"""The networks that several detectors share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from torch import nn


def mlp(
    sizes: Sequence[int],
    *,
    bias: bool = True,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """Return linear layers with an activation between each two.

    Parameters
    ----------
    sizes : sequence of int
        Columns of the input, of each hidden layer, of the output; two or more.
    bias : bool
        Whether the layers have biases.
    activation : callable
        Makes an activation; none follows the last layer.
    """
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after, bias=bias), activation()]
    return nn.Sequential(*layers[:-1])
