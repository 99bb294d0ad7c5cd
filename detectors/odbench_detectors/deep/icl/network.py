"""The two encoders of internal contrastive learning, and their contrast."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from odbench_detectors.deep.icl.encoder import Encoder, Passed

_TINY = 1e-12  # keeps the gradient of a length of 0 finite


def window_size(n_columns: int) -> int:
    """Return the number of neighbouring columns in a window.

    2 up to 40 columns, 10 up to 160, and beyond that so many that the complement keeps
    150 columns and a row has 151 windows, which bounds time and memory.
    """
    if n_columns <= 40:
        return 2
    return 10 if n_columns <= 160 else n_columns - 150


class Codes(NamedTuple):
    """The codes of all windows, or of all complements, and how they came about.

    `scaled` has the shape (windows, rows, hidden): each dimension has length 1 over the
    windows of a row. `over_windows`, (rows, hidden), and `over_code`, (windows, rows),
    are the inverse lengths before and after that step: ``scaled * over_code`` has unit
    length.
    """

    scaled: Tensor
    over_windows: Tensor
    over_code: Tensor
    passed: list[Passed]


class Contrast(nn.Module):
    """Encode each window of a row, and the rest of the row, into one space.

    Parameters
    ----------
    n_columns : int
        At least 3.
    hidden : int
        Dimensions of the common space, at least 4.

    Notes
    -----
    The gradient of the contrast is written out, because automatic differentiation
    costs more than the products of networks as small as these.
    """

    complements: Tensor

    def __init__(self, n_columns: int, hidden: int) -> None:
        super().__init__()
        self.size = window_size(n_columns)
        self.register_buffer("complements", _complements(n_columns, self.size))
        count, rest = self.complements.shape
        self.of_complements = Encoder(
            (rest, hidden, 2 * hidden, hidden), count, norms=2, tanh=True
        )
        self.of_windows = Encoder(
            (self.size, hidden // 4, hidden // 2, hidden), count, norms=1
        )

    def forward(self, rows: Tensor, tau: float) -> Tensor:
        """Return how surprising each window is, given its complement; no gradients.

        Parameters
        ----------
        rows : float32 tensor of shape (n, n_columns)
        tau : float
            Temperature.

        Returns
        -------
        tensor of shape (n, windows)
            In nats, 0 or more.
        """
        with torch.no_grad():
            products = _products(*self.encode(rows), tau)
            return products.logsumexp(dim=2) - products.diagonal(dim1=1, dim2=2)

    def add_gradient(self, rows: Tensor, tau: float) -> Tensor:
        """Return the mean surprise of a batch; add its gradient to the weights'."""
        with torch.no_grad():
            complements, windows = self.encode(rows)
            products = _products(complements, windows, tau)
            logs = products.log_softmax(dim=2)
            loss = -logs.diagonal(dim1=1, dim2=2).mean()
            gradient = logs.exp_()
            gradient.diagonal(dim1=1, dim2=2).sub_(1.0)
            gradient /= gradient.shape[0] * gradient.shape[1]
            along = gradient * products
            # By the products of scaled codes, which are not of unit length yet.
            gradient *= _lengths(complements, windows) / tau
            for encoder, ours, theirs, weights, total in (
                (self.of_complements, complements, windows, gradient, along.sum(dim=2)),
                (
                    self.of_windows,
                    windows,
                    complements,
                    gradient.transpose(1, 2),
                    along.sum(dim=1),
                ),
            ):
                encoder.backward(
                    ours.passed, _of_codes(ours, theirs.scaled, weights, total)
                )
        return loss

    def encode(self, rows: Tensor) -> tuple[Codes, Codes]:
        """Return the codes of complements and of windows."""
        windows = rows.unfold(1, self.size, 1).transpose(0, 1)
        rests = rows.t()[self.complements].transpose(1, 2)
        return _on_sphere(self.of_complements, rests), _on_sphere(
            self.of_windows, windows
        )


def _complements(n_columns: int, size: int) -> Tensor:
    """Return the columns outside each window, (n_columns - size + 1, rest) int64."""
    columns = torch.arange(n_columns)
    starts = range(n_columns - size + 1)
    return torch.stack([torch.cat([columns[:j], columns[j + size :]]) for j in starts])


def _on_sphere(encoder: Encoder, parts: Tensor) -> Codes:
    """Encode; scale each dimension over the windows of a row, then measure each code.

    The first step is in the authors' code, not in the paper. It takes away the
    dimensions' sizes, in which all windows of a row are alike.
    """
    codes, passed = encoder.record(parts)
    over_windows = (codes.square().sum(dim=0) + _TINY).rsqrt_()
    # In place: the encoder's gradient needs the signs of its outputs only.
    codes *= over_windows
    over_code = (codes.square().sum(dim=2) + _TINY).rsqrt_()
    return Codes(codes, over_windows, over_code, passed)


def _products(complements: Codes, windows: Codes, tau: float) -> Tensor:
    """Return the products of a row's complements and windows, by the temperature.

    Window j is chosen among all windows of the row by its product with complement j
    (section 3, equation 1). The shape is (rows, complements, windows).
    """
    products = torch.bmm(
        complements.scaled.transpose(0, 1), windows.scaled.permute(1, 2, 0)
    )
    return products.mul_(_lengths(complements, windows)).div_(tau)


def _lengths(complements: Codes, windows: Codes) -> Tensor:
    return complements.over_code.t()[:, :, None] * windows.over_code.t()[:, None, :]


def _of_codes(ours: Codes, theirs: Tensor, weights: Tensor, along: Tensor) -> Tensor:
    """Return the gradient of the loss by an encoder's outputs.

    Parameters
    ----------
    ours : Codes
        Of that encoder.
    theirs : tensor of shape (windows, rows, hidden)
        The other encoder's scaled codes.
    weights : tensor of shape (rows, windows, windows)
        The gradient by the products of scaled codes, ours first.
    along : tensor of shape (rows, windows)
        The part of the gradient by each of our codes that is along that code.
    """
    # Products of batches are fastest with the batch first.
    scaled = ours.scaled.transpose(0, 1)
    gradient = torch.bmm(weights, theirs.transpose(0, 1))
    inward = (along * ours.over_code.t().square()).neg_()
    gradient.addcmul_(scaled, inward[:, :, None])
    inward = (gradient * scaled).sum(dim=1, keepdim=True).neg_()
    gradient.addcmul_(scaled, inward)
    found = torch.empty_like(ours.scaled)
    return torch.mul(gradient.transpose(0, 1), ours.over_windows, out=found)
