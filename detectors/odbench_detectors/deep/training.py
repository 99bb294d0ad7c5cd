"""Train a network: seeded mini-batches of rows, and nothing of the test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from odbench.errors import DetectorError

# An epoch whose mean loss falls by less than this share has not improved.
_IMPROVEMENT = 1e-4

Loss = Callable[[Tensor], Tensor]


def train(
    network: nn.Module,
    rows: Tensor,
    loss: Loss,
    *,
    epochs: int,
    batch_size: int,
    lr: float,
    weight_decay: float = 0.0,
    patience: int | None = None,
    schedule: Callable[[int], float] | None = None,
    optimizer: type[torch.optim.Adam] = torch.optim.Adam,
) -> list[float]:
    """Minimise the mean of a loss over mini-batches.

    Each epoch takes every row once, in a random order from torch's global generator;
    call it inside `session.session`, which seeds that. There is no validation set and
    no test set: if training stops early, it does so by the training loss.

    Parameters
    ----------
    network : Module
        Its parameters are trained in place. Left in evaluation mode.
    rows : tensor of shape (n, ...)
        The training rows, on the device.
    loss : callable
        Takes a batch of rows, of shape (b, ...), returns their mean loss, a scalar.
    epochs : int
        Passes over the rows, 0 or more.
    batch_size : int
        Rows per step. A single row left over joins the batch before it.
    lr : float
        Learning rate of the first epoch.
    weight_decay : float
        Of the optimizer: a squared penalty for `Adam`, decoupled for `AdamW`.
    patience : int, optional
        Stop when the mean loss of an epoch has not fallen by 0.01 % for so many epochs.
        Never by default.
    schedule : callable, optional
        Takes an epoch, from 0, returns the factor of `lr` in that epoch.
    optimizer : type
        `torch.optim.Adam` or `torch.optim.AdamW`.

    Returns
    -------
    list of float
        The mean loss of each epoch that ran.

    Raises
    ------
    DetectorError
        If the loss becomes NaN or infinite.
    """
    weights = [one for one in network.parameters() if one.requires_grad]
    steps = optimizer(weights, lr=lr, weight_decay=weight_decay, fused=True)
    losses: list[float] = []
    network.train()
    for epoch in range(epochs):
        if schedule is not None:
            steps.param_groups[0]["lr"] = lr * schedule(epoch)
        losses.append(_epoch(rows, loss, steps, batch_size))
        if not math.isfinite(losses[-1]):
            msg = (
                f"training: the loss became {losses[-1]} in epoch {epoch + 1}; "
                f"wanted a finite one: use a smaller lr than {lr}"
            )
            raise DetectorError(msg)
        if patience is not None and _has_stalled(losses, patience):
            break
    network.eval()
    return losses


def _epoch(
    rows: Tensor, loss: Loss, steps: torch.optim.Optimizer, batch_size: int
) -> float:
    """Take one step per batch; return the mean loss of a row."""
    total = torch.zeros((), device=rows.device)
    for chosen in batches(len(rows), batch_size, rows.device):
        value = loss(rows.index_select(0, chosen))
        steps.zero_grad()
        value.backward()
        steps.step()
        total.add_(value.detach(), alpha=len(chosen))
    return float(total) / len(rows)


def batches(n: int, size: int, device: torch.device) -> Iterator[Tensor]:
    """Yield the indices of n rows in random order, `size` at a time.

    A single row left over joins the last batch, because the statistics of one row (a
    batch norm's, a contrast's) do not exist.
    """
    order = torch.randperm(n, device=device)
    start = 0
    while start < n:
        stop = n if n - start <= size + 1 else start + size
        yield order[start:stop]
        start = stop


def _has_stalled(losses: list[float], patience: int) -> bool:
    if len(losses) <= patience:
        return False
    before = min(losses[:-patience])
    return min(losses[-patience:]) > before - _IMPROVEMENT * abs(before)
