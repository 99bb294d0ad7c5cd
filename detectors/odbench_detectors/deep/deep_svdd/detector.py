"""Deep SVDD: a network that maps the training rows close to one point."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from odbench_detectors.deep.base import DeepDetector, check_sizes
from odbench_detectors.deep.deep_svdd.info import HIDDEN
from odbench_detectors.deep.layers import MLP
from odbench_detectors.shared.estimator import check_ranges, is_count

# Coordinates of the centre nearer to 0 are moved away from it, because weights of zero
# would reach a centre of zero.
_AWAY_FROM_ZERO = 0.1


class DeepSVDD(DeepDetector):
    """Squared distance to the centre of a one-class hypersphere [1]_.

    The centre c is the mean output of the untrained network over the training rows, its
    coordinates within 0.1 of 0 moved to ±0.1. Training minimises the mean of
    ``|f(x) - c|^2``, which is also the score. Layers have no biases, because a bias
    could map every row to c.

    Parameters
    ----------
    hidden : tuple of int, default=(100, 50)
        Sizes of the hidden layers, with ReLU between them.
    outputs : int, default=128
        Dimension of the sphere.
    epochs, batch_size, lr, weight_decay, device, random_state
        As in `DeepDetector`.

    References
    ----------
    .. [1] Ruff et al., "Deep one-class classification", ICML 2018: the one-class
       objective, equation 4.
    """

    name = "deep_svdd"
    network: Sphere

    def __init__(
        self,
        *,
        hidden: tuple[int, ...] = HIDDEN,
        outputs: int = 128,
        epochs: int = 100,
        batch_size: int = 64,
        lr: float = 1e-3,
        weight_decay: float = 1e-6,
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.hidden = hidden
        self.outputs = outputs
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.device = device
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        super().check_params()
        check_sizes(self.name, "hidden", self.hidden)
        check_ranges(
            self.name,
            ("outputs", self.outputs, is_count(self.outputs, 1), "a whole number >= 1"),
        )

    def build(self, rows: Tensor) -> nn.Module:
        """Return the network, its centre computed."""
        sizes = (rows.shape[1], *self.hidden, self.outputs)
        return Sphere(sizes, rows)

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean squared distance to the centre, and add its gradient."""
        outputs, inputs = self.network.layers.record(rows)
        gap = outputs - self.network.centre
        self.network.layers.backward(inputs, gap * (2.0 / len(rows)))
        return gap.square().sum() / len(rows)

    def score(self, rows: Tensor) -> Tensor:
        """Return the squared distance of each row to the centre."""
        gap: Tensor = self.network(rows) - self.network.centre
        return gap.square().sum(dim=1)


class Sphere(nn.Module):
    """Maps rows to points, and knows the centre.

    Parameters
    ----------
    sizes : tuple of int
        Columns, hidden layers, outputs.
    rows : float32 tensor of shape (n, n_columns)
        The rows whose mean output becomes the centre.
    """

    centre: Tensor

    def __init__(self, sizes: tuple[int, ...], rows: Tensor) -> None:
        super().__init__()
        self.layers = MLP(sizes, bias=False).to(rows.device)
        with torch.no_grad():
            parts = [self.layers(part).sum(dim=0) for part in rows.split(4096)]
        centre = torch.stack(parts).sum(dim=0) / len(rows)
        near = centre.abs() < _AWAY_FROM_ZERO
        sign = torch.where(centre < 0, -1.0, 1.0)
        self.register_buffer(
            "centre", torch.where(near, sign * _AWAY_FROM_ZERO, centre)
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Return points, of shape (n, outputs)."""
        return cast("Tensor", self.layers(rows))
