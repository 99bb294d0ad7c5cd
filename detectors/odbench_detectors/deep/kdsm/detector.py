"""KDSM: a network removes noise from rows, and anomalies are moved far."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from odbench_detectors.deep.base import DeepDetector
from odbench_detectors.deep.layers import MLP, through_activation
from odbench_detectors.shared.estimator import check_ranges, is_count, is_number

_SMALLEST, _LARGEST = 0.1, 3.0
_NORMAL_KURTOSIS = 3.0


class KDSM(DeepDetector):
    """Denoising score matching, with noise by kurtosis, after [1]_.

    Noise ``s e`` is added to each scaled row, e standard normal, and the network r
    learns e from the noisy row: ``|r(x + s e) - e|^2`` is denoising score matching [2]_
    with the score ``-r / s``. The score of a row is ``|r(x)|^2``, the squared length,
    in units of the noise, of the step towards denser rows. A column of kurtosis K has
    noise ``s = sigma (1 + slope (K - 3))``, limited to 0.1 to 3.

    Parameters
    ----------
    sigma : float, default=0.5
        Noise of a column with normal tails, in standard deviations.
    slope : float, default=0.33
        Growth of the noise with the kurtosis.
    copies : int, default=3
        Noisy copies of each row per step.
    width : int, default=128
        Width of the network.
    blocks : int, default=2
        Residual blocks of two layers.
    epochs, batch_size, lr, weight_decay, device, random_state
        As in `DeepDetector`.

    Notes
    -----
    The network's size is our choice: it has no normalisation, so that the step grows
    with the distance of a row.

    References
    ----------
    .. [1] arXiv 2605.06955.
    .. [2] Vincent, "A connection between score matching and denoising autoencoders",
       Neural Computation 23(7), 2011.
    """

    name = "kdsm"
    network: Denoiser

    def __init__(
        self,
        *,
        sigma: float = 0.5,
        slope: float = 0.33,
        copies: int = 3,
        width: int = 128,
        blocks: int = 2,
        epochs: int = 500,
        batch_size: int = 128,
        lr: float = 5e-4,
        weight_decay: float = 5e-5,
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.sigma = sigma
        self.slope = slope
        self.copies = copies
        self.width = width
        self.blocks = blocks
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.device = device
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        super().check_params()
        counts = ("copies", "width", "blocks")
        check_ranges(
            self.name,
            ("sigma", self.sigma, is_number(self.sigma, above=0), "> 0"),
            ("slope", self.slope, is_number(self.slope, 0), ">= 0"),
            *(
                (
                    name,
                    getattr(self, name),
                    is_count(getattr(self, name), 1),
                    "a whole number >= 1",
                )
                for name in counts
            ),
        )

    def build(self, rows: Tensor) -> nn.Module:
        """Return the network, which knows the noise of each column."""
        noise = noise_of_columns(rows, self.sigma, self.slope)
        return Denoiser(noise, self.width, self.blocks)

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean squared error of the predicted noise; add its gradient."""
        rows = rows.repeat(self.copies, 1)
        noise = torch.randn_like(rows)
        noisy = torch.addcmul(rows, noise, self.network.noise)
        predicted, inputs = self.network.record(noisy)
        error = predicted.sub_(noise)
        self.network.backward(inputs, error * (2 / error.numel()))
        return error.square_().mean()

    def score(self, rows: Tensor) -> Tensor:
        """Return the squared length of each row's step."""
        step: Tensor = self.network(rows)
        return step.square().sum(dim=1)


class Denoiser(nn.Module):
    """A residual network that predicts the noise of a row.

    Parameters
    ----------
    noise : tensor of shape (n_columns,)
        Standard deviation of the noise of each column.
    width, blocks : int
        Width, and number of residual blocks.
    """

    noise: Tensor
    scale: Tensor

    def __init__(self, noise: Tensor, width: int, blocks: int) -> None:
        super().__init__()
        self.register_buffer("noise", noise)
        # A row with noise has variance 1 + s^2.
        self.register_buffer("scale", (1.0 + noise.square()).rsqrt())
        self.into = MLP((len(noise), width))
        self.blocks = nn.ModuleList(MLP((width, width, width)) for _ in range(blocks))
        self.out = MLP((width, len(noise)))

    def forward(self, rows: Tensor) -> Tensor:
        """Return predicted noise, of the shape of `rows`, without a graph."""
        return self.record(rows)[0]

    def record(self, rows: Tensor) -> tuple[Tensor, list[list[Tensor]]]:
        """Return predicted noise without a graph, and the inputs of all layers."""
        with torch.no_grad():
            hidden, into = self.into.record(rows * self.scale)
            inputs = [into]
            for block in self._blocks():
                change, of_block = block.record(hidden.relu())
                hidden = hidden + change
                inputs.append(of_block)
            predicted, out = self.out.record(hidden.relu_())
        return predicted, [*inputs, out]

    def backward(self, inputs: list[list[Tensor]], gradient: Tensor) -> None:
        """Add the gradients of the weights, given that of the predicted noise.

        Parameters
        ----------
        inputs : list
            From `record`.
        gradient : tensor of shape (n, n_columns)
        """
        with torch.no_grad():
            gradient = _backward(self.out, inputs[-1], gradient)
            for block, of_block in zip(
                self._blocks()[::-1], inputs[-2:0:-1], strict=True
            ):
                gradient = gradient + _backward(block, of_block, gradient)
            self.into.backward(inputs[0], gradient)

    def _blocks(self) -> list[MLP]:
        return cast("list[MLP]", list(self.blocks))


def _backward(network: MLP, inputs: list[Tensor], gradient: Tensor) -> Tensor:
    """Add the weights' gradients; return that before the ReLU that made the inputs."""
    gradient = network.backward(inputs, gradient)
    weight = cast("Tensor", network.layers[0].weight)
    return through_activation(torch.mm(gradient, weight), inputs[0], 0.0)


def noise_of_columns(rows: Tensor, sigma: float, slope: float) -> Tensor:
    """Return the noise of each column, of shape (n_columns,).

    Parameters
    ----------
    rows : tensor of shape (n, n_columns)
        Scaled rows: mean 0, variance 1 or, in a constant column, 0.
    sigma, slope : float
        As in `KDSM`.
    """
    squares = rows.double().square()
    variance = squares.mean(dim=0)
    # A constant column has no kurtosis, and gets that of a normal one.
    kurtosis = squares.square().mean(dim=0) / variance.square()
    kurtosis = torch.where(variance > 0, kurtosis, _NORMAL_KURTOSIS)
    noise = sigma * (1.0 + slope * (kurtosis - _NORMAL_KURTOSIS))
    return noise.clamp(_SMALLEST, _LARGEST).float()
