"""The mask generators and the autoencoder of masked cell modelling, and its losses."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from odbench_detectors.deep.layers import MLP, products

_SLOPE = 0.2  # of the leaky rectifiers
_TEMPERATURE = 0.1  # of the diversity


class MaskedCells(nn.Module):
    """Hide cells of a row by several learnt masks, and reconstruct the row from each.

    No layer has a bias, as in the authors' code.

    Parameters
    ----------
    n_columns, masks, hidden, code : int
        Columns of a row; number of masks; sizes of the autoencoder's hidden layers and
        of its code.
    """

    def __init__(self, n_columns: int, masks: int, hidden: int, code: int) -> None:
        super().__init__()
        self.generators = nn.ParameterList(
            [_weights(masks, n_columns) for _ in range(3)]
        )
        # The code itself has no activation.
        self.encoder = MLP((n_columns, hidden, hidden, code), bias=False, slope=_SLOPE)
        self.decoder = MLP((code, hidden, hidden, n_columns), bias=False, slope=_SLOPE)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return reconstructions and mask logits, both of shape (masks, n, n_columns).

        A cell's mask is the sigmoid of its logit, from 0, hidden, to 1, shown.
        """
        logits = self.logits(rows)
        shown = (logits.sigmoid() * rows).flatten(0, 1)
        return self.decoder(self.encoder(shown)).view_as(logits), logits

    def logits(self, rows: Tensor) -> Tensor:
        """Return the mask logits: each mask is a network of three layers of its own."""
        first, second, third = self.generators
        hidden = functional.relu(products(rows, first))
        return products(functional.relu(products(hidden, second)), third)


def errors(rows: Tensor, reconstructions: Tensor) -> Tensor:
    """Return each row's distance to its reconstruction, averaged over masks.

    Parameters
    ----------
    rows : tensor of shape (n, n_columns)
    reconstructions : tensor of shape (masks, n, n_columns)

    Returns
    -------
    tensor of shape (n,)
        Euclidean distances, 0 or more.
    """
    distances: Tensor = (reconstructions - rows).norm(dim=2)
    return distances.mean(dim=0)


def likeness(logits: Tensor) -> Tensor:
    """Return how alike the masks of each row are (section 3.3, diversity loss).

    With the logits of each mask scaled to length 1, m_1 to m_K, and c = K - 1: the sum
    over i of ``log(sum over j != i of exp(m_i · m_j / 0.1)) / (c log c)``, and without
    the divisor if c = 1. One mask has nothing to be like: 0.

    Parameters
    ----------
    logits : tensor of shape (masks, n, n_columns)

    Returns
    -------
    tensor of shape (n,)
    """
    others = len(logits) - 1
    if others < 1:
        return logits.new_zeros(logits.shape[1])
    unit = functional.normalize(logits, dim=2).transpose(0, 1)
    products = torch.bmm(unit, unit.transpose(1, 2)) / _TEMPERATURE
    own = torch.eye(others + 1, dtype=torch.bool, device=logits.device)
    sums = products.masked_fill(own, -torch.inf).logsumexp(dim=2).sum(dim=1)
    return sums / (others * math.log(others) if others > 1 else 1.0)


def _weights(masks: int, n_columns: int) -> nn.Parameter:
    """Return one square matrix per mask, drawn as those of `torch.nn.Linear`."""
    bound = 1 / math.sqrt(n_columns)
    weights = torch.empty(masks, n_columns, n_columns)
    return nn.Parameter(weights.uniform_(-bound, bound))
