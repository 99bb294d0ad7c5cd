"""DTE-C: a network tells how much noise a row carries; anomalies carry much."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from odbench_detectors.deep.base import DeepDetector, check_sizes
from odbench_detectors.deep.dte_c.info import HIDDEN
from odbench_detectors.deep.layers import MLP
from odbench_detectors.shared.estimator import check_ranges, is_count, is_number

SOFTMAX = ("twice", "once")
_FIRST_BETA, _LAST_BETA = 1e-4, 0.01


class DTEC(DeepDetector):
    """Diffusion time estimation by classification [1]_.

    In training a step t is drawn uniformly from 0 to T - 1 for each row, and Gaussian
    noise of variance ``1 - prod(1 - beta_0) ... (1 - beta_t)`` is added, with betas
    linear from 0.0001 to 0.01 (the row itself is not shrunk). The network learns, by
    cross-entropy, the bin ``floor(t bins / T)`` of the step. The score of a row is its
    expected bin.

    In the authors' code, with which the published results were made, the network ends
    in a softmax, and the cross-entropy applies another one to its outputs. The loss is
    then at least ``log(1 + (bins - 1) / e)``, and its gradient fades where the network
    is sure.

    Parameters
    ----------
    hidden : tuple of int, default=(256, 512, 256)
        Sizes of the hidden layers, with ReLU between them.
    bins : int, default=7
        Number of bins of steps, 2 or more.
    steps : int, default=400
        Number of steps T, at least as many as bins.
    dropout : float, default=0.5
        Share of the outputs of each hidden layer but the first that is dropped in
        training.
    softmax : {"twice", "once"}, default="twice"
        Whether the loss applies a softmax to the shares of bins again, as the authors'
        code does, or not, as the paper has it. The score applies one in both cases.
    epochs, batch_size, lr, weight_decay, device, random_state
        As in `DeepDetector`.

    References
    ----------
    .. [1] Livernoche, Jain, Hezaveh, Ravanbakhsh, "On diffusion modeling for anomaly
       detection", ICLR 2024, arXiv 2305.18593.
    """

    name = "dte_c"
    network: Clock

    def __init__(
        self,
        *,
        hidden: tuple[int, ...] = HIDDEN,
        bins: int = 7,
        steps: int = 400,
        dropout: float = 0.5,
        softmax: str = "twice",
        epochs: int = 400,
        batch_size: int = 64,
        lr: float = 1e-4,
        weight_decay: float = 5e-4,
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.hidden = hidden
        self.bins = bins
        self.steps = steps
        self.dropout = dropout
        self.softmax = softmax
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
        bins, steps = self.bins, self.steps
        # Not asked of bins that are not a number.
        enough = is_count(bins, 2) and is_count(steps, bins)
        check_ranges(
            self.name,
            ("bins", bins, is_count(bins, 2), "a whole number >= 2"),
            ("steps", steps, enough, f"a whole number >= {bins}"),
            (
                "dropout",
                self.dropout,
                is_number(self.dropout, 0, below=1),
                "from 0 to below 1",
            ),
            (
                "softmax",
                self.softmax,
                self.softmax in SOFTMAX,
                f"one of {', '.join(SOFTMAX)}",
            ),
        )

    def build(self, rows: Tensor) -> nn.Module:
        """Return the classifier of steps."""
        sizes = (rows.shape[1], *self.hidden, self.bins)
        return Clock(sizes, self.steps, self.dropout)

    def loss(self, rows: Tensor) -> Tensor:
        """Return the cross-entropy of the bins of random steps; add its gradient."""
        step = torch.randint(self.steps, (len(rows),), device=rows.device)
        noise = torch.randn_like(rows) * self.network.deviation[step, None]
        logits, inputs = self.network.record(rows + noise)
        bins = step * self.bins // self.steps
        loss, gradient = cross_entropy(logits, bins, twice=self.softmax == "twice")
        self.network.backward(inputs, gradient)
        return loss

    def score(self, rows: Tensor) -> Tensor:
        """Return the expected bin of each row, from 0 to bins - 1."""
        # In float32 the shares of far rows round to 1, and the rows tie.
        shares = self.network(rows).double().softmax(dim=1)
        bins = torch.arange(self.bins, dtype=shares.dtype, device=rows.device)
        return torch.mv(shares, bins)


class Clock(MLP):
    """Classifies rows by the bin of their step: outputs are the logits of bins.

    Parameters
    ----------
    sizes : tuple of int
        Columns, hidden layers, bins.
    steps : int
        Number of steps.
    dropout : float
        Follows each hidden layer but the first.
    """

    deviation: Tensor

    def __init__(self, sizes: tuple[int, ...], steps: int, dropout: float) -> None:
        super().__init__(sizes, dropout=dropout)
        self.register_buffer("deviation", deviations(steps))


def cross_entropy(
    logits: Tensor, bins: Tensor, *, twice: bool
) -> tuple[Tensor, Tensor]:
    """Return the mean cross-entropy, and its gradient by the logits.

    Parameters
    ----------
    logits : float32 tensor of shape (n, n_bins)
    bins : int64 tensor of shape (n,)
        The true bins.
    twice : bool
        Whether the shares, and not the logits, enter the cross-entropy as logits.
    """
    shares = logits.softmax(dim=1)
    logs = (shares if twice else logits).log_softmax(dim=1)
    true = bins[:, None]
    loss = -logs.gather(1, true).mean()
    gradient = logs.exp().scatter_add_(1, true, logs.new_full(true.shape, -1.0))
    gradient /= len(logits)
    if twice:
        gradient = shares * (gradient - (shares * gradient).sum(dim=1, keepdim=True))
    return loss, gradient


def deviations(steps: int) -> Tensor:
    """Return the standard deviation of the noise of each step, of shape (steps,)."""
    betas = torch.linspace(_FIRST_BETA, _LAST_BETA, steps, dtype=torch.float64)
    return (1.0 - torch.cumprod(1.0 - betas, dim=0)).sqrt().float()
