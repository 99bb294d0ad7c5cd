"""The networks that several detectors share."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

_OUTPUTS = 16


class MLP(nn.Module):
    """Linear layers with a leaky ReLU between each two.

    Parameters
    ----------
    sizes : sequence of int
        Columns of the input, of each hidden layer, of the output; two or more.
    bias : bool
        Whether the layers have biases.
    slope : float
        Slope of the activation below 0; 0 is the plain ReLU. None follows the last
        layer.
    dropout : float
        Share of the outputs of each hidden layer but the first that `record` drops
        while the network is in training, from 0 to below 1, rounded to a multiple of
        1/256. The others are divided by the share kept. Needs slope 0. `forward` never
        drops any.

    Notes
    -----
    Weights start as torch's `Linear` sets them. The gradient is written out in
    `_Stack`, because for layers as small as these the calls of automatic
    differentiation cost as much as the products.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        bias: bool = True,
        slope: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.slope = slope
        self.dropped = min(round(dropout * 256), 255)
        self.layers = nn.ModuleList(
            nn.Linear(before, after, bias=bias)
            for before, after in itertools.pairwise(sizes)
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Return outputs, of shape (n, sizes[-1])."""
        weights, biases = self._weights()
        outputs = _Stack.apply(rows, self.slope, len(weights), *weights, *biases)
        return cast("Tensor", outputs)

    def record(self, rows: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return outputs without a graph, and the input of each layer.

        With `backward`, this is the fast path of losses whose gradient is known by
        heart, such as squares: no automatic differentiation at all.
        """
        dropped = self.dropped if self.training else 0
        with torch.no_grad():
            return _run(rows, self.slope, *self._weights(), dropped)

    def backward(self, inputs: list[Tensor], gradient: Tensor) -> Tensor:
        """Add the gradients of the weights, given that of the outputs.

        Parameters
        ----------
        inputs : list of tensor
            From `record`.
        gradient : tensor of shape (n, sizes[-1])
            Of the loss, by the outputs.

        Returns
        -------
        tensor of shape (n, sizes[1])
            The gradient by the first layer's outputs before activation; multiplied by
            the first layer's weight it is the gradient by the rows.
        """
        with torch.no_grad():
            for i, layer in reversed(list(enumerate(self._linear()))):
                _gradient(layer.weight).addmm_(gradient.t(), inputs[i])
                if layer.bias is not None:
                    _gradient(layer.bias).add_(gradient.sum(dim=0))
                if i > 0:
                    gradient = torch.mm(gradient, layer.weight)
                    # A dropped input is 0, like one that the ReLU has stopped.
                    gradient = through_activation(gradient, inputs[i], self.slope)
                    if i > 1 and self.dropped and self.training:
                        gradient.mul_(_kept_scale(self.dropped))
        return gradient

    def _weights(self) -> tuple[list[Tensor], list[Tensor]]:
        layers = self._linear()
        biases: list[Tensor] = [one.bias for one in layers if one.bias is not None]
        return [layer.weight for layer in layers], biases

    def _linear(self) -> list[nn.Linear]:
        return cast("list[nn.Linear]", list(self.layers))


def products(rows: Tensor, weights: Tensor) -> Tensor:
    """Return rows times each of several matrices, a row's bits the same in any place.

    Outputs are padded to a multiple of 16, because MKL's products of few or odd numbers
    of outputs sum in an order that depends on the row's place.

    Parameters
    ----------
    rows : tensor of shape (n, k) or (count, n, k)
        The same rows for all matrices, or others for each.
    weights : tensor of shape (count, k, outputs)

    Returns
    -------
    tensor of shape (count, n, outputs)
    """
    outputs = weights.shape[2]
    padded = nn.functional.pad(weights, (0, -outputs % _OUTPUTS))
    found: Tensor = torch.matmul(rows, padded)
    return found[..., :outputs]


class _Stack(torch.autograd.Function):
    """The layers of an `MLP` as one operation; gradients of the first order only."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, slope: float, depth: int, *both: Tensor) -> Any:
        outputs, inputs = _run(rows, slope, both[:depth], both[depth:])
        ctx.save_for_backward(*inputs, *both[:depth])
        ctx.slope, ctx.depth, ctx.biased = slope, depth, len(both) > depth
        return outputs

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        inputs = ctx.saved_tensors[: ctx.depth]
        weights = ctx.saved_tensors[ctx.depth :]
        of_weights: list[Tensor] = []
        of_biases: list[Tensor] = []
        for i in reversed(range(ctx.depth)):
            of_weights.insert(0, torch.mm(gradient.t(), inputs[i]))
            if ctx.biased:
                of_biases.insert(0, gradient.sum(dim=0))
            if i > 0:
                gradient = torch.mm(gradient, weights[i])
                gradient = through_activation(gradient, inputs[i], ctx.slope)
        of_rows = torch.mm(gradient, weights[0]) if ctx.needs_input_grad[0] else None
        return (of_rows, None, None, *of_weights, *of_biases)


def _gradient(weight: Tensor) -> Tensor:
    if weight.grad is None:
        weight.grad = torch.zeros_like(weight)
    return weight.grad


def _run(
    rows: Tensor,
    slope: float,
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    dropped: int = 0,
) -> tuple[Tensor, list[Tensor]]:
    """Return the outputs of layers, and the input of each; see `drop` for dropped."""
    inputs = [rows]
    for i, weight in enumerate(weights):
        before = inputs[-1]
        if biases:
            outputs = torch.addmm(biases[i], before, weight.t())
        else:
            outputs = torch.mm(before, weight.t())
        if i < len(weights) - 1:
            inputs.append(_activate(outputs, slope))
        if dropped and 0 < i < len(weights) - 1:
            drop(inputs[-1], dropped)
    return outputs, inputs


def _activate(values: Tensor, slope: float) -> Tensor:
    return nn.functional.leaky_relu_(values, slope) if slope else values.relu_()


def through_activation(gradient: Tensor, outputs: Tensor, slope: float) -> Tensor:
    """Return the gradient before an activation, given its outputs.

    Parameters
    ----------
    gradient, outputs : tensors of one shape
        The gradient by the outputs of the activation, and these.
    slope : float
        Of the leaky ReLU below 0; 0 is the plain ReLU.
    """
    before: Tensor = (
        torch.ops.aten.leaky_relu_backward(gradient, outputs, slope, True)
        if slope
        else torch.ops.aten.threshold_backward(gradient, outputs, 0.0)
    )
    return before


def drop(values: Tensor, dropped: int) -> None:
    """Set random values to 0 in place, and divide the others by the share kept.

    The random numbers are bytes, which makes this several times faster on a CPU than
    torch's dropout.

    Parameters
    ----------
    values : float32 tensor
    dropped : int
        Expected number of zeros among 256 values, 0 to 255.
    """
    words = torch.empty(
        -(-values.numel() // 8), dtype=torch.int64, device=values.device
    )
    # From the lowest integer on, so that all 64 bits are random.
    draws = words.random_(-(2**63), None).view(torch.uint8)[: values.numel()]
    values.mul_((draws >= dropped).view_as(values)).mul_(_kept_scale(dropped))


def _kept_scale(dropped: int) -> float:
    return 256 / (256 - dropped)
