"""Layers with a batch norm per window, and their gradient written out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

_SLOPE = 0.2  # of the leaky rectifiers


class Passed(NamedTuple):
    """The facts of one layer's pass that its gradient needs.

    `inputs` are those of the linear part; `active` is the activation's output, which
    the batch norm takes, if there is one; `mean` and `inverse` (of the deviation) are
    that norm's, one per window.
    """

    inputs: Tensor
    active: Tensor
    mean: Tensor | None = None
    inverse: Tensor | None = None


class Encoder(nn.Module):
    """Linear layers, an activation after each, and batch norms after the first ones.

    Parameters
    ----------
    sizes : sequence of int
        Columns of the input, of each hidden layer, of the output.
    windows : int
        Number of windows: each has its own mean, variance, scale and shift in a norm.
    norms : int
        Number of layers that a batch norm follows.
    tanh : bool
        Whether the first activation is the hyperbolic tangent. All others are leaky
        rectifiers.

    Notes
    -----
    Tensors have the shape (windows, rows, columns), so that a window's values lie side
    by side and a norm is a few passes over them. Passes are what an epoch costs besides
    its products, and fresh memory costs more than the arithmetic, so they are made in
    place where a value is not needed again.
    """

    def __init__(
        self, sizes: Sequence[int], windows: int, *, norms: int, tanh: bool = False
    ) -> None:
        super().__init__()
        self.tanh = tanh
        self.layers = nn.ModuleList(
            nn.Linear(before, after) for before, after in itertools.pairwise(sizes)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(windows) for _ in range(norms))

    def record(self, parts: Tensor) -> tuple[Tensor, list[Passed]]:
        """Return codes without a graph, and the facts that `backward` needs.

        Parameters
        ----------
        parts : float32 tensor of shape (windows, rows, sizes[0])

        Returns
        -------
        tensor of shape (windows, rows, sizes[-1])
        list of Passed
        """
        passed: list[Passed] = []
        values = parts
        with torch.no_grad():
            for i, layer in enumerate(self._linear()):
                flat = torch.addmm(layer.bias, values.flatten(0, 1), layer.weight.t())
                active = flat.view(*parts.shape[:2], -1)
                if i == 0 and self.tanh:
                    active.tanh_()
                else:
                    nn.functional.leaky_relu_(active, _SLOPE)
                if i < len(self.norms):
                    mean, inverse = _moments(self._norm(i), active)
                    passed.append(Passed(values, active, mean, inverse))
                    values = _normed(self._norm(i), active, mean, inverse)
                else:
                    passed.append(Passed(values, active))
                    values = active
        return values, passed

    def backward(self, passed: list[Passed], gradient: Tensor) -> None:
        """Add the gradients of the weights, given that of the codes.

        Parameters
        ----------
        passed : list of Passed
            From `record`, while the module was in training.
        gradient : tensor of the shape of the codes
            Overwritten.
        """
        with torch.no_grad():
            for i, layer in reversed(list(enumerate(self._linear()))):
                inputs, active = passed[i][:2]
                if i < len(self.norms):
                    _through_norm(self._norm(i), passed[i], gradient)
                if i == 0 and self.tanh:
                    gradient = torch.ops.aten.tanh_backward(gradient, active)
                else:
                    torch.ops.aten.leaky_relu_backward.grad_input(
                        gradient, active, _SLOPE, True, grad_input=gradient
                    )
                flat = gradient.flatten(0, 1)
                _gradient(layer.weight).addmm_(flat.t(), inputs.flatten(0, 1))
                _gradient(layer.bias).add_(flat.sum(dim=0))
                if i > 0:
                    gradient = torch.mm(flat, layer.weight).view(inputs.shape)

    def _linear(self) -> list[nn.Linear]:
        return cast("list[nn.Linear]", list(self.layers))

    def _norm(self, i: int) -> nn.BatchNorm1d:
        return cast("nn.BatchNorm1d", self.norms[i])


def _moments(norm: nn.BatchNorm1d, active: Tensor) -> tuple[Tensor, Tensor]:
    """Return each window's mean and inverse deviation, of the batch or as learnt."""
    if not norm.training:
        mean, variance = _learnt(norm)
        return mean, (variance + norm.eps).rsqrt()
    values = active.flatten(1)
    size = values.shape[1]
    mean = values.mean(dim=1)
    square = torch.linalg.vector_norm(values, dim=1).square() / size
    variance = (square - mean.square()).clamp_min_(0.0)
    running, spread = _learnt(norm)
    share = cast("float", norm.momentum)
    running.lerp_(mean, share)
    spread.lerp_(variance * (size / (size - 1)), share)
    cast("Tensor", norm.num_batches_tracked).add_(1)
    return mean, (variance + norm.eps).rsqrt()


def _learnt(norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    return cast("Tensor", norm.running_mean), cast("Tensor", norm.running_var)


def _normed(
    norm: nn.BatchNorm1d, active: Tensor, mean: Tensor, inverse: Tensor
) -> Tensor:
    scale = norm.weight * inverse
    shift = norm.bias - mean * scale
    return torch.addcmul(shift[:, None, None], active, scale[:, None, None])


def _through_norm(norm: nn.BatchNorm1d, passed: Passed, gradient: Tensor) -> None:
    """Turn the gradient by a norm's outputs into that by its inputs, in place."""
    _, active, mean, inverse = passed
    assert mean is not None
    assert inverse is not None
    values, flat = active.flatten(1), gradient.flatten(1)
    size = flat.shape[1]
    total = flat.sum(dim=1)
    along = inverse * ((flat * values).sum(dim=1) - mean * total)
    _gradient(norm.bias).add_(total)
    _gradient(norm.weight).add_(along)
    scale = norm.weight * inverse
    slope = -scale * inverse * along / size
    shift = -scale * total / size - slope * mean
    gradient.mul_(scale[:, None, None])
    gradient.addcmul_(active, slope[:, None, None]).add_(shift[:, None, None])


def _gradient(weight: Tensor) -> Tensor:
    if weight.grad is None:
        weight.grad = torch.zeros_like(weight)
    return weight.grad
