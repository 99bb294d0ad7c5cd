"""Train a network: seeded mini-batches of rows, and nothing of the test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from odbench.errors import DetectorError
from odbench_detectors.deep.adam import Adam

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
    decoupled: bool = False,
    enough: float | None = None,
    keep_best: bool = False,
    whole_batches: bool = False,
    optimiser: Adam | None = None,
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
        It may add the gradients itself and return a loss without a graph, see
        `layers.MLP.backward`.
    epochs : int
        Passes over the rows, 0 or more.
    batch_size : int
        Rows per step. A single row left over joins the batch before it.
    lr : float
        Learning rate of the first epoch.
    weight_decay : float
        Of `Adam`: a squared penalty, unless `decoupled`.
    patience : int, optional
        Stop when the mean loss of an epoch has not fallen by 0.01 % for so many epochs.
        Never by default.
    schedule : callable, optional
        Takes an epoch, from 0, returns the factor of `lr` in that epoch.
    decoupled : bool
        Whether weights decay by themselves, as in AdamW.
    enough : float, optional
        Stop after the first epoch whose mean loss is below this. Never by default.
    keep_best : bool
        Whether to end with the weights of the epoch with the smallest mean loss, rather
        than those of the last; for learning rates so large that the loss jumps.
    whole_batches : bool
        Whether to leave out the rows of an epoch that do not fill a batch, unless that
        is all of them.
    optimiser : Adam, optional
        Of the same network, with its moments from training before. A new one by
        default, with `weight_decay` and `decoupled`.

    Returns
    -------
    list of float
        The mean loss of each epoch that ran.

    Raises
    ------
    DetectorError
        If the loss becomes NaN or infinite.
    """
    adam = optimiser
    if adam is None:
        weights = [one for one in network.parameters() if one.requires_grad]
        adam = Adam(weights, lr=lr, weight_decay=weight_decay, decoupled=decoupled)
    taken = len(rows)
    if whole_batches and taken > batch_size:
        taken -= taken % batch_size
    losses: list[float] = []
    network.train()
    for epoch in range(epochs):
        if schedule is not None:
            adam.lr = lr * schedule(epoch)
        losses.append(_epoch(rows, loss, adam, batch_size, taken))
        if not math.isfinite(losses[-1]):
            msg = (
                f"training: the loss became {losses[-1]} in epoch {epoch + 1}; "
                f"wanted a finite one: use a smaller lr than {lr}"
            )
            raise DetectorError(msg)
        if keep_best and losses[-1] <= min(losses):
            best = {name: one.clone() for name, one in network.state_dict().items()}
        if patience is not None and _has_stalled(losses, patience):
            break
        if enough is not None and losses[-1] < enough:
            break
    if keep_best and losses:
        network.load_state_dict(best)
    network.eval()
    return losses


def _epoch(rows: Tensor, loss: Loss, adam: Adam, batch_size: int, taken: int) -> float:
    """Take one step per batch of `taken` random rows; return the mean loss of a row."""
    total = torch.zeros((), device=rows.device)
    order = torch.randperm(len(rows), device=rows.device)[:taken]
    for chosen in batches(order, batch_size):
        batch = rows.index_select(0, chosen)
        value = adam.step(lambda: loss(batch))  # noqa: B023 - called at once
        total.add_(value, alpha=len(chosen))
    return float(total) / taken


def batches(order: Tensor, size: int) -> Iterator[Tensor]:
    """Yield the indices of rows in order, `size` at a time.

    A single row left over joins the last batch, because the statistics of one row (a
    batch norm's, a contrast's) do not exist.
    """
    n, start = len(order), 0
    while start < n:
        stop = n if n - start <= size + 1 else start + size
        yield order[start:stop]
        start = stop


def _has_stalled(losses: list[float], patience: int) -> bool:
    if len(losses) <= patience:
        return False
    before = min(losses[:-patience])
    return min(losses[-patience:]) > before - _IMPROVEMENT * abs(before)
