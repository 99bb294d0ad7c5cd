"""The transformations and the encoder of NeuTraL AD, and their contrast."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from odbench_detectors.deep.layers import MLP, products


class Transformations(nn.Module):
    """Transform a row in several learnt ways, and encode it and the results.

    A transformation adds to the row the output of a network of its own, which has one
    hidden layer and no biases.

    Parameters
    ----------
    n_columns, count, between : int
        Columns; transformations; size of a transformation's hidden layer.
    sizes : tuple of int
        Hidden layers and outputs of the encoder, which has no biases either.
    """

    def __init__(
        self, n_columns: int, count: int, between: int, sizes: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.first = _weights(count, n_columns, between)
        self.second = _weights(count, between, n_columns)
        self.encoder = MLP((n_columns, *sizes), bias=False)

    def forward(self, rows: Tensor) -> Tensor:
        """Return codes of unit length, (n, 1 + count, outputs); first the row's own."""
        changes = products(functional.relu(products(rows, self.first)), self.second)
        versions = torch.cat([rows.unsqueeze(0), rows + changes])
        codes = self.encoder(versions.flatten(0, 1)).view(*versions.shape[:2], -1)
        return functional.normalize(codes.transpose(0, 1), dim=2)


def contrast(codes: Tensor, tau: float) -> Tensor:
    """Return the deterministic contrastive loss of each row (section 3.1, eq. 2).

    Transformation k should be like the row itself and unlike the other transformations:
    the sum over k of ``-log(h(k, 0) / (h(k, 0) + sum over l != k of h(k, l)))`` with
    ``h(k, l) = exp(codes[k] · codes[l] / tau)``.

    Parameters
    ----------
    codes : tensor of shape (n, 1 + transformations, outputs)
        Of unit length; the row's own first.

    Returns
    -------
    tensor of shape (n,)
        In nats, 0 or more.
    """
    transformed = codes[:, 1:]
    products = torch.bmm(transformed, codes.transpose(1, 2)) / tau
    own = torch.eye(transformed.shape[1], dtype=torch.bool, device=codes.device)
    itself = functional.pad(own, (1, 0))
    all_others = products.masked_fill(itself, -torch.inf).logsumexp(dim=2)
    return (all_others - products[:, :, 0]).sum(dim=1)


def _weights(count: int, inputs: int, outputs: int) -> nn.Parameter:
    """Return one matrix per transformation, drawn as those of `torch.nn.Linear`."""
    bound = 1 / math.sqrt(inputs)
    weights = torch.empty(count, inputs, outputs)
    return nn.Parameter(weights.uniform_(-bound, bound))
