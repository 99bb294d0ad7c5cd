"""The random subsets of columns of scale learning, and the scales to be learnt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

# Subsets draw columns with replacement up to so many columns.
_FEW_COLUMNS = 10
# All columns weigh the same from so many columns on.
_MANY_COLUMNS = 50
_SIZES = 50  # largest number of different sizes of subsets
_MAGNIFICATION = 200.0
_TINY = 1e-30


@dataclass(frozen=True, eq=False)
class Subspaces:
    """Groups of random subsets of columns.

    Attributes
    ----------
    projections : float32 tensor of shape (groups, n_columns, members, width)
        Takes a row to its vectors in a group's subsets, each of `width` numbers.
        Subsets of equal size share one random matrix.
    scales : float32 tensor of shape (groups, members)
        The relative weights of a group's subsets, positive, sum 1.
    """

    projections: Tensor
    scales: Tensor


def draw_subspaces(rows: Tensor, groups: int, members: int, width: int) -> Subspaces:
    """Draw subsets of columns from torch's global generator.

    Parameters
    ----------
    rows : float32 tensor of shape (n_rows, n_columns)
        Training rows, for the weights of columns.
    groups, members : int
        Number of groups, and of subsets in each.
    width : int
        Length of a subset's vector.
    """
    n_columns = rows.shape[1]
    weights = column_weights(rows)
    sizes = _draw_sizes(n_columns)
    matrices = {size: linear_weights(size, width) for size in sizes}
    projections = torch.zeros(groups, n_columns, members, width)
    sums = torch.empty(groups, members)
    for group in range(groups):
        for member in range(members):
            size = sizes[int(torch.randint(len(sizes), ()))]
            columns = _draw_columns(n_columns, size)
            projections[group, :, member].index_add_(0, columns, matrices[size])
            sums[group, member] = weights[columns].sum()
    return Subspaces(projections, torch.softmax(sums * _MAGNIFICATION / width, dim=1))


def column_weights(rows: Tensor) -> Tensor:
    """Return each column's mean absolute correlation with all, scaled to 0..1.

    1 for every column if there are 50 or more of them, or all are alike.

    Returns
    -------
    float32 tensor of shape (n_columns,)
    """
    n_columns = rows.shape[1]
    if n_columns >= _MANY_COLUMNS:
        return torch.ones(n_columns)
    centred = (rows - rows.mean(dim=0)).double()
    unit = centred / centred.norm(dim=0).clamp_min(1e-300)
    means = (unit.T @ unit).abs().mean(dim=1).float().cpu()
    spread = means.max() - means.min()
    return (means - means.min()) / spread if spread > 1e-6 else torch.ones(n_columns)


def repeats(n_rows: int) -> int:
    """Return how often a row is drawn in an epoch, on average: more in small tables."""
    if n_rows < 500:
        return 50
    if n_rows < 1000:
        return 20
    if n_rows < 5000:
        return 5
    return 2 if n_rows <= 100_000 else 1


def divergence_of_paper(logits: Tensor, scales: Tensor) -> Tensor:
    """Return the Jensen-Shannon divergence of distributions over a group's subsets.

    Parameters
    ----------
    logits : tensor of shape (n, members)
        Predicted logarithms of the scales, up to a constant.
    scales : tensor of shape (members,)
        Positive, sum 1.

    Returns
    -------
    tensor of shape (n,)
        In nats, from 0 to log 2.
    """
    logs = torch.log_softmax(logits, dim=1)
    found = logs.exp()
    middle = ((found + scales) / 2).clamp_min(_TINY).log()
    terms = found * (logs - middle) + torch.xlogy(scales, scales) - scales * middle
    return terms.sum(dim=1) / 2


def divergence_of_code(logits: Tensor, scales: Tensor) -> Tensor:
    """Return the divergence that the authors' code computes; see the paper's above.

    It takes the divergences of the middle from the two distributions, not of these from
    the middle; does not halve their sum; and applies a second softmax to both
    distributions before their logarithms are taken, so that it is never 0. Published
    results are of this form.
    """
    found = torch.softmax(logits, dim=1)
    middle = (found + scales) / 2
    both = torch.log_softmax(found, dim=1) + torch.log_softmax(scales, dim=0)
    return (middle * (2 * middle.clamp_min(_TINY).log() - both)).sum(dim=1)


def _draw_sizes(n_columns: int) -> list[int]:
    """Return the sizes that subsets may have, ascending."""
    # A single column is drawn once or twice, because one size has nothing to tell.
    largest = max(n_columns, 2)
    return (torch.randperm(largest)[:_SIZES] + 1).sort().values.tolist()


def _draw_columns(n_columns: int, size: int) -> Tensor:
    if n_columns <= _FEW_COLUMNS:
        return torch.randint(n_columns, (size,))
    return torch.randperm(n_columns)[:size]


def linear_weights(inputs: int, outputs: int) -> Tensor:
    """Return a random (inputs, outputs) matrix, drawn as `torch.nn.Linear` does."""
    bound = 1 / math.sqrt(inputs)
    return torch.empty(inputs, outputs).uniform_(-bound, bound)
