"""ICL: an anomaly's columns do not tell which of its other columns go with them."""

from __future__ import annotations

import math
from typing import cast

from torch import Tensor

from odbench_detectors.deep.base import DeepDetector
from odbench_detectors.deep.icl.gaussian import Gaussian
from odbench_detectors.deep.icl.network import Contrast
from odbench_detectors.deep.training import train
from odbench_detectors.shared.estimator import check_ranges, is_count, is_number

# Fewer columns do not make two different windows with a complement each.
_FEWEST_COLUMNS = 3


class ICL(DeepDetector):
    """Internal contrastive learning [1]_.

    A row is cut into windows of neighbouring columns. Two networks encode each window
    and the rest of its row, and learn to tell from the rest which of the row's windows
    is missing there. The score is the mean loss over windows: the parts of an anomaly
    do not fit each other.

    Windows have 2 columns up to 40 columns, 10 up to 160, and beyond that so many that
    the rest has 150. Training ends after `epochs` or with the epoch that reaches
    `steps`, and earlier when an epoch's mean loss is below 0.001 (up to 40 columns) or
    0.01.

    A table of one or two columns has nothing to contrast: its rows are scored by their
    squared Mahalanobis distance from the training rows' mean, without training.

    Parameters
    ----------
    hidden : int, default=200
        Dimensions of the codes, at least 4.
    tau : float, default=0.1
        Temperature of the contrast.
    steps : int, default=1000
        Limit of training steps, because a step of this detector is expensive and large
        tables need no more of them than small ones.
    epochs, batch_size, lr, device, random_state
        As in `DeepDetector`.

    References
    ----------
    .. [1] Shenkar, Wolf, "Anomaly detection for tabular data with internal contrastive
       learning", ICLR 2022: section 3.
    """

    name = "icl"
    network: Contrast | Gaussian
    block_rows = 128

    def __init__(
        self,
        *,
        hidden: int = 200,
        tau: float = 0.1,
        steps: int = 1000,
        epochs: int = 200,
        batch_size: int = 64,
        lr: float = 1e-3,
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.hidden = hidden
        self.tau = tau
        self.steps = steps
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.device = device
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        super().check_params()
        check_ranges(
            self.name,
            ("hidden", self.hidden, is_count(self.hidden, 4), "a whole number >= 4"),
            ("tau", self.tau, is_number(self.tau, above=0), "> 0"),
            ("steps", self.steps, is_count(self.steps, 1), "a whole number >= 1"),
        )

    def build(self, rows: Tensor) -> Contrast | Gaussian:
        """Return the two encoders, or one Gaussian for one or two columns."""
        if rows.shape[1] < _FEWEST_COLUMNS:
            return Gaussian(rows)
        return Contrast(rows.shape[1], self.hidden)

    def learn(self, rows: Tensor) -> list[float]:
        """Train the encoders until an epoch's loss is small enough."""
        if isinstance(self.network, Gaussian):
            return []
        longest = math.ceil(self.steps * self.batch_size / len(rows))
        return train(
            self.network,
            rows,
            self.loss,
            epochs=min(self.epochs, longest),
            batch_size=self.batch_size,
            lr=self.lr,
            enough=0.001 if rows.shape[1] <= 40 else 0.01,
        )

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean contrast of a batch; add its gradient."""
        return cast("Contrast", self.network).add_gradient(rows, self.tau)

    def score(self, rows: Tensor) -> Tensor:
        """Return each row's contrast, averaged over its windows."""
        if isinstance(self.network, Gaussian):
            return self.network.distances(rows)
        found: Tensor = self.network(rows, self.tau)
        return found.mean(dim=1)
