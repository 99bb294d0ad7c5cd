"""The network of GOAD, its losses and its score."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_SLOPE = 0.2  # of the leaky rectifiers
_MORE_LAYERS = 4  # of the encoder, after the first


class Transformed(nn.Module):
    """Encode random linear transformations of a row, and name the transformation.

    Parameters
    ----------
    n_columns, count, width, code : int
        Columns; transformations; columns of a transformed row; length of its code.
    """

    transformations: Tensor
    centres: Tensor

    def __init__(self, n_columns: int, count: int, width: int, code: int) -> None:
        super().__init__()
        self.register_buffer("transformations", torch.randn(n_columns, count, width))
        self.register_buffer("centres", torch.zeros(count, code))
        self.trunk = nn.Parameter(_xavier(width, code))
        self.rest = nn.ParameterList([_xavier(code, code) for _ in range(_MORE_LAYERS)])
        self.head = nn.Parameter(_xavier(code, count))
        self.bias = nn.Parameter(torch.zeros(count))

    def forward(self, rows: Tensor) -> Tensor:
        """Return the codes, (n, transformations, code).

        A transformation and the first layer are linear, so that their product is taken
        first.
        """
        both = self.transformations @ self.trunk
        codes = (rows @ both.flatten(1)).view(len(rows), *both.shape[1:])
        for layer in self.rest:
            codes = functional.leaky_relu(codes, _SLOPE) @ layer
        return codes

    def logits(self, codes: Tensor) -> Tensor:
        """Return for each code the logits of transformations, (n, count, count)."""
        return functional.leaky_relu(codes, _SLOPE) @ self.head + self.bias


def squared_distances(codes: Tensor, centres: Tensor) -> Tensor:
    """Return squared distances of codes (n, m, c) to centres (k, c): (n, m, k)."""
    products = codes @ centres.T
    lengths = codes.square().sum(dim=2, keepdim=True)
    return (lengths + centres.square().sum(dim=1) - 2 * products).clamp_min(0)


def triplet_loss(codes: Tensor, margin: float) -> Tensor:
    """Return the triplet-centre loss of a batch (section 4, eq. 5), a scalar.

    Each code should be nearer to the batch's mean code of its own transformation than
    to that of any other, by `margin`; distances are squared.

    Parameters
    ----------
    codes : tensor of shape (n, transformations, code)
    """
    distances = squared_distances(codes, codes.mean(dim=0))
    own = distances.diagonal(dim1=1, dim2=2)
    mask = torch.eye(codes.shape[1], dtype=torch.bool, device=codes.device)
    others = distances.masked_fill(mask, torch.inf).amin(dim=2)
    return (own + margin - others).clamp_min(0).mean()


def misplacement(codes: Tensor, centres: Tensor) -> Tensor:
    """Return how unlikely each row's codes are to belong to their transformations.

    The sum over transformations k of ``-log P(k | code of k)`` (section 4, eq. 7), P
    being the softmax of negative squared distances to the centres.

    Parameters
    ----------
    codes : tensor of shape (n, transformations, code)
    centres : tensor of shape (transformations, code)

    Returns
    -------
    tensor of shape (n,)
        In nats, 0 or more.
    """
    logs = torch.log_softmax(-squared_distances(codes, centres), dim=2)
    return -logs.diagonal(dim1=1, dim2=2).sum(dim=1)


def _xavier(inputs: int, outputs: int) -> Tensor:
    return nn.init.xavier_normal_(torch.empty(inputs, outputs), gain=2**0.5)
