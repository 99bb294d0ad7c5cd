"""SLAD: a network learns how much weight each subset of a row's columns has."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from odbench_detectors.deep.base import DeepDetector
from odbench_detectors.deep.slad.subspaces import (
    Subspaces,
    divergence_of_code,
    divergence_of_paper,
    draw_subspaces,
    linear_weights,
    repeats,
)
from odbench_detectors.deep.training import train
from odbench_detectors.shared.estimator import check_counts, check_ranges

DIVERGENCES = {"code": divergence_of_code, "paper": divergence_of_paper}


class SLAD(DeepDetector):
    """Scale learning [1]_.

    Random subsets of columns, in groups, take a row to vectors of one length. From a
    group's vectors, a network predicts the subsets' relative weights ("scales"). The
    score is the divergence of prediction and truth, averaged over groups: the network
    fails on rows unlike those of training.

    Parameters
    ----------
    groups : int, default=20
        Number of groups of subsets.
    members : int, default=10
        Subsets in a group.
    width : int, default=128
        Length of a subset's vector.
    hidden : int, default=100
        Size of the network's hidden layer.
    divergence : {"code", "paper"}, default="code"
        Loss and score: as the authors' code has it, which published results are of, or
        the Jensen-Shannon divergence of the paper.
    epochs, batch_size, lr, device, random_state
        As in `DeepDetector`. In an epoch, a row is drawn 50 times on average if there
        are fewer than 500 rows, 20 times below 1,000, 5 times below 5,000, else twice.

    References
    ----------
    .. [1] Xu et al., "Fascinating supervisory signals and where to find them: deep
       anomaly detection with scale learning", ICML 2023.
    """

    name = "slad"
    network: Scales

    def __init__(
        self,
        *,
        groups: int = 20,
        members: int = 10,
        width: int = 128,
        hidden: int = 100,
        divergence: str = "code",
        epochs: int = 100,
        batch_size: int = 128,
        lr: float = 1e-3,
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.groups = groups
        self.members = members
        self.width = width
        self.hidden = hidden
        self.divergence = divergence
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.device = device
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        super().check_params()
        check_counts(self, groups=1, members=2, width=1, hidden=1)
        check_ranges(
            self.name,
            (
                "divergence",
                self.divergence,
                self.divergence in list(DIVERGENCES),
                f"one of {', '.join(DIVERGENCES)}",
            ),
        )

    def build(self, rows: Tensor) -> Scales:
        """Draw the subsets, and return the network."""
        found = draw_subspaces(rows, self.groups, self.members, self.width)
        return Scales(found, self.hidden, DIVERGENCES[self.divergence])

    def learn(self, rows: Tensor) -> list[float]:
        """Train on batches of one group each, from a sample of the rows per group."""
        count = max(len(rows) // self.groups * repeats(len(rows)), 10)
        samples = torch.randint(len(rows), (self.groups, count), device=rows.device)

        def loss(groups: Tensor) -> Tensor:
            drawn = torch.randint(count, (self.batch_size,), device=rows.device)
            found = [
                self.network.of_group(rows[samples[group, drawn]], group).mean()
                for group in groups.tolist()
            ]
            return torch.stack(found).mean()

        return train(
            self.network,
            torch.arange(self.groups).repeat(math.ceil(count / self.batch_size)),
            loss,
            epochs=self.epochs,
            batch_size=1,
            lr=self.lr,
        )

    def score(self, rows: Tensor) -> Tensor:
        """Return the divergence of each row, averaged over groups."""
        return self.network.divergences(rows)


class Scales(nn.Module):
    """Predicts the scales of a group's subsets.

    Parameters
    ----------
    subspaces : Subspaces
    hidden : int
        Size of the hidden layer.
    divergence : callable
        Of logits (n, members) and scales (members,).
    """

    projections: Tensor
    scales: Tensor

    def __init__(
        self,
        subspaces: Subspaces,
        hidden: int,
        divergence: Callable[[Tensor, Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.register_buffer("projections", subspaces.projections)
        self.register_buffer("scales", subspaces.scales)
        self.divergence = divergence
        width = subspaces.projections.shape[3]
        self.first = nn.Parameter(linear_weights(width, hidden))
        self.second = nn.Parameter(linear_weights(hidden, 1))

    def of_group(self, rows: Tensor, group: int) -> Tensor:
        """Return each row's divergence in one group, of shape (n,).

        Projection and first layer are linear, so that their product is taken first: it
        costs as much as 100 rows do otherwise.
        """
        layer = self.projections[group] @ self.first
        hidden = rows @ layer.flatten(1)
        active = functional.leaky_relu(hidden.view(-1, *layer.shape[1:]))
        return self.divergence((active @ self.second).squeeze(2), self.scales[group])

    def divergences(self, rows: Tensor) -> Tensor:
        """Return each row's divergence, averaged over groups, of shape (n,)."""
        total = torch.zeros(len(rows), device=rows.device)
        for group in range(len(self.scales)):
            total += self.of_group(rows, group)
        return total / len(self.scales)
