"""GOAD: random transformations of an anomaly are taken for one another."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from odbench_detectors.deep.base import DeepDetector
from odbench_detectors.deep.goad.network import (
    Transformed,
    misplacement,
    triplet_loss,
)
from odbench_detectors.shared.estimator import check_counts, check_ranges, is_number


class GOAD(DeepDetector):
    """Classification of random linear transformations [1]_.

    A row goes through random linear transformations, and a network encodes the results
    so that codes of one transformation lie together. The score is the negative
    log-probability that the row's codes belong to the transformations they come from.

    Parameters
    ----------
    transformations : int, default=256
        Number of transformations.
    width : int, default=32
        Columns of a transformed row.
    code : int, default=8
        Length of a code.
    margin : float, default=1.0
        Of the triplet-centre loss.
    triplet : float, default=0.1
        Weight of that loss, which is added to the cross-entropy of a classifier.
    epochs, batch_size, lr, device, random_state
        As in `DeepDetector`.

    Notes
    -----
    The encoder has five layers without biases, as for the paper's larger tables. With
    the single linear layer that the paper uses on small ones, the mean codes of
    standardised rows are 0 for every transformation, and rounding decides the scores.

    References
    ----------
    .. [1] Bergman, Hoshen, "Classification-based anomaly detection for general data",
       ICLR 2020.
    """

    name = "goad"
    network: Transformed
    block_rows = 64

    def __init__(
        self,
        *,
        transformations: int = 256,
        width: int = 32,
        code: int = 8,
        margin: float = 1.0,
        triplet: float = 0.1,
        epochs: int = 1,
        batch_size: int = 64,
        lr: float = 1e-3,
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.transformations = transformations
        self.width = width
        self.code = code
        self.margin = margin
        self.triplet = triplet
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.device = device
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        super().check_params()
        check_counts(self, transformations=2, width=1, code=1)
        check_ranges(
            self.name,
            ("margin", self.margin, is_number(self.margin, 0), ">= 0"),
            ("triplet", self.triplet, is_number(self.triplet, 0), ">= 0"),
        )

    def build(self, rows: Tensor) -> Transformed:
        """Draw the transformations, and return the network."""
        return Transformed(rows.shape[1], self.transformations, self.width, self.code)

    def learn(self, rows: Tensor) -> list[float]:
        """Train, and keep the mean code of each transformation."""
        losses = super().learn(rows)
        with torch.no_grad():
            sums = [self.network(part).sum(dim=0) for part in rows.split(1024)]
            self.network.centres = torch.stack(sums).sum(dim=0) / len(rows)
        return losses

    def loss(self, rows: Tensor) -> Tensor:
        """Return the cross-entropy plus the weighted triplet-centre loss."""
        codes = self.network(rows)
        logits = self.network.logits(codes).flatten(0, 1)
        truth = torch.arange(codes.shape[1], device=rows.device).repeat(len(rows))
        entropy = functional.cross_entropy(logits, truth)
        return entropy + self.triplet * triplet_loss(codes, self.margin)

    def score(self, rows: Tensor) -> Tensor:
        """Return the negative log-probability of each row's transformations."""
        return misplacement(self.network(rows), self.network.centres)
