"""Adam on all weights at once, for networks so small that calls cost most."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

_BETA1, _BETA2, _EPS = 0.9, 0.999, 1e-8
# Weights start at multiples of 16 floats, 64 bytes, where vector units like them.
_ALIGNED = 16


class Adam:
    """Adam [1]_ over one vector that holds every weight.

    The weights become views of the vector, and their gradients views of a second one,
    so that a step is one call of torch's fused kernel however many layers there are,
    without the bookkeeping of `torch.optim.Adam(fused=True)`, which takes the same
    steps and costs more than the kernel itself for small networks.

    Parameters
    ----------
    weights : iterable of Parameter
        Float32, on one device, each given once.
    lr : float
        Learning rate; may be changed between steps.
    weight_decay : float
        Factor of the weights.
    decoupled : bool
        Whether the decay is applied to the weights themselves, as in AdamW [2]_, and
        not added to the gradient.

    References
    ----------
    .. [1] Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    .. [2] Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """

    def __init__(
        self,
        weights: Iterable[nn.Parameter],
        *,
        lr: float,
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        self.lr = lr
        self._decay = weight_decay
        self._decoupled = decoupled
        self._weights, self._gradient = _flatten(list(weights))
        self._mean = torch.zeros_like(self._weights)
        self._square = torch.zeros_like(self._weights)
        self._steps = torch.zeros((), device=self._weights.device)

    def step(self, loss: Callable[[], Tensor]) -> Tensor:
        """Move the weights against the gradient of a loss; return the loss, detached.

        Parameters
        ----------
        loss : callable
            Returns a scalar. If that has no graph, `loss` has added the gradients to
            those of the weights itself.
        """
        self._gradient.zero_()
        value = loss()
        if value.requires_grad:
            value.backward()
        with torch.no_grad():
            self._move()
        return value.detach()

    def _move(self) -> None:
        # One pass over the weights, where separate calls take seven.
        move = torch._fused_adamw_ if self._decoupled else torch._fused_adam_
        self._steps += 1
        move(
            [self._weights],
            [self._gradient],
            [self._mean],
            [self._square],
            [],
            [self._steps],
            lr=self.lr,
            beta1=_BETA1,
            beta2=_BETA2,
            weight_decay=self._decay,
            eps=_EPS,
            amsgrad=False,
            maximize=False,
        )


def _flatten(weights: list[nn.Parameter]) -> tuple[Tensor, Tensor]:
    """Return one vector of the weights and one of their gradients; rebind both."""
    starts, size = [], 0
    for weight in weights:
        starts.append(size)
        size += -(-weight.numel() // _ALIGNED) * _ALIGNED
    device = weights[0].device if weights else None
    values, gradient = torch.zeros(2, max(size, _ALIGNED), device=device)
    for start, weight in zip(starts, weights, strict=True):
        part = slice(start, start + weight.numel())
        values[part] = weight.detach().reshape(-1)
        weight.data = values[part].view_as(weight)
        weight.grad = gradient[part].view_as(weight)
    return values, gradient
