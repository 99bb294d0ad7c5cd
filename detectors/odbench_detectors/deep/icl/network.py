"""The two encoders of internal contrastive learning, and their contrast."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_SLOPE = 0.2  # of the leaky rectifiers
_TINY = 1e-12  # keeps the gradient of a length of 0 finite


def window_size(n_columns: int) -> int:
    """Return the number of neighbouring columns in a window.

    2 up to 40 columns, 10 up to 160, and beyond that so many that the complement keeps
    150 columns and a row has 151 windows, which bounds time and memory.
    """
    if n_columns <= 40:
        return 2
    return 10 if n_columns <= 160 else n_columns - 150


class Contrast(nn.Module):
    """Encode each window of a row, and the rest of the row, into one space.

    Parameters
    ----------
    n_columns : int
        At least 3.
    hidden : int
        Dimensions of the common space, at least 4.
    """

    complements: Tensor

    def __init__(self, n_columns: int, hidden: int) -> None:
        super().__init__()
        self.size = window_size(n_columns)
        self.register_buffer("complements", _complements(n_columns, self.size))
        count, rest = self.complements.shape
        self.of_complements = nn.Sequential(
            nn.Linear(rest, hidden),
            nn.Tanh(),
            nn.BatchNorm1d(count),
            nn.Linear(hidden, 2 * hidden),
            nn.LeakyReLU(_SLOPE, inplace=True),
            nn.BatchNorm1d(count),
            nn.Linear(2 * hidden, hidden),
            nn.LeakyReLU(_SLOPE, inplace=True),
        )
        self.of_windows = nn.Sequential(
            nn.Linear(self.size, hidden // 4),
            nn.LeakyReLU(_SLOPE, inplace=True),
            nn.BatchNorm1d(count),
            nn.Linear(hidden // 4, hidden // 2),
            nn.LeakyReLU(_SLOPE, inplace=True),
            nn.Linear(hidden // 2, hidden),
            nn.LeakyReLU(_SLOPE, inplace=True),
        )

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes of complements and of windows, (n, windows, hidden) each."""
        windows = rows.unfold(1, self.size, 1)
        rests = rows[:, self.complements]
        return _on_sphere(self.of_complements(rests)), _on_sphere(
            self.of_windows(windows)
        )


def contrast_loss(complements: Tensor, windows: Tensor, tau: float) -> Tensor:
    """Return how surprising each window is, given its complement (section 3, eq. 1).

    The cross-entropy of choosing window j among all windows of the same row by its
    product with complement j, divided by the temperature `tau`.

    Parameters
    ----------
    complements, windows : tensors of shape (n, m, hidden)
        Codes of unit length.

    Returns
    -------
    tensor of shape (n, m)
        In nats, 0 or more.
    """
    products = torch.bmm(complements, windows.transpose(1, 2)) / tau
    return products.logsumexp(dim=2) - products.diagonal(dim1=1, dim2=2)


def _complements(n_columns: int, size: int) -> Tensor:
    """Return the columns outside each window, (n_columns - size + 1, rest) int64."""
    columns = torch.arange(n_columns)
    starts = range(n_columns - size + 1)
    return torch.stack([torch.cat([columns[:j], columns[j + size :]]) for j in starts])


def _on_sphere(codes: Tensor) -> Tensor:
    """Scale each dimension over the windows of a row, then each code, to length 1.

    The first step is in the authors' code, not in the paper. It takes away the
    dimensions' sizes, in which all windows of a row are alike.
    """
    return _unit(_unit(codes, dim=1), dim=2)


def _unit(codes: Tensor, dim: int) -> Tensor:
    """Divide by the length along `dim`; much faster than torch's own norm."""
    squares = codes.square().sum(dim=dim, keepdim=True)
    return codes * (squares + _TINY).rsqrt()
