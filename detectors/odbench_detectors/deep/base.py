"""The base of neural detectors: scale, build, train, and score in blocks."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from odbench.arrays import FloatArray
from odbench_detectors.deep.scaling import Scaling
from odbench_detectors.deep.session import DEVICES, draw_seed, find_device, session
from odbench_detectors.deep.training import Loss, train
from odbench_detectors.shared.estimator import (
    SEED,
    Estimator,
    check_ranges,
    is_count,
    is_number,
    is_seed,
)

_LARGEST = float(torch.finfo(torch.float32).max)


class DeepDetector(Estimator):
    """A detector that trains a network on scaled rows, and scores with it.

    A subclass has a constructor with the parameters below and its own, and three
    methods: `build`, `loss` and `score`. It overrides `learn` if it trains otherwise
    than by `training.train`, or more than once. Everything that it keeps after `fit`
    must be reset by `build` or `learn`, because a detector can be fitted again. Tensors
    that scoring needs (centres, masks, projections) are buffers of the network, so that
    they move with it between devices and into pickles.

    All three methods run inside `session`: torch's global generators are seeded, so
    draw from them freely in `build`, `learn` and `loss`. `score` must not draw: keep
    random projections, masks and noise from `build` on, because a row's score must not
    depend on the rows beside it.

    Attributes
    ----------
    name : str
        The detector's registered name, for messages.
    block_rows : int
        Rows per call of `score`. Always exactly so many, padded with zeros, so that
        the order of sums, and with it a row's score, is the same in any batch.
    epochs, batch_size, lr, weight_decay, device, random_state
        Parameters that subclasses take in their constructors: passes over the training
        rows, rows per step, learning rate, weight decay, "auto" | "cpu" | "cuda", seed.
    """

    name: ClassVar[str] = "deep"
    block_rows: ClassVar[int] = 256

    epochs: int
    batch_size: int
    lr: float
    weight_decay: float = 0.0
    device: str = "auto"
    random_state: int | None = None

    def build(self, rows: Tensor) -> nn.Module:
        """Return an untrained network for the scaled training rows.

        Parameters
        ----------
        rows : float32 tensor of shape (n_rows, n_columns)
            On the device. The network is moved there afterwards.
        """
        raise NotImplementedError

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean loss of a batch, a scalar; `self.network` is in training."""
        raise NotImplementedError

    def score(self, rows: Tensor) -> Tensor:
        """Return one score per scaled row, higher is more anomalous; no gradients.

        Parameters
        ----------
        rows : float32 tensor of shape (`block_rows`, n_columns)
        """
        raise NotImplementedError

    def learn(self, rows: Tensor) -> list[float]:
        """Train `self.network` on the scaled rows; return the loss of each epoch."""
        return self.train(rows, self.loss)

    def train(self, rows: Tensor, loss: Loss) -> list[float]:
        """Minimise any mean loss of `rows` with the detector's own parameters."""
        return train(
            self.network,
            rows,
            loss,
            epochs=self.epochs,
            batch_size=self.batch_size,
            lr=self.lr,
            weight_decay=self.weight_decay,
        )

    def check_params(self) -> None:
        """Refuse impossible parameters that all neural detectors have."""
        check_ranges(
            self.name,
            ("epochs", self.epochs, is_count(self.epochs, 0), "a whole number >= 0"),
            (
                "batch_size",
                self.batch_size,
                is_count(self.batch_size, 1),
                "a whole number >= 1",
            ),
            ("lr", self.lr, is_number(self.lr, above=0), "> 0"),
            (
                "weight_decay",
                self.weight_decay,
                is_number(self.weight_decay, 0),
                ">= 0",
            ),
            ("device", self.device, self.device in DEVICES, f"one of {DEVICES}"),
            ("random_state", self.random_state, is_seed(self.random_state), SEED),
        )

    def fit(self, X: FloatArray) -> Self:
        """Scale the rows and train.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite.

        Raises
        ------
        DetectorError
            If a parameter is out of range, the table is empty or not finite, the device
            is missing, or the loss becomes NaN.
        """
        self.check_params()
        X = self.train_rows(X)
        device = find_device(self.device)
        self._scaling = Scaling(X)
        with session(draw_seed(self.random_state), device):
            rows = self.scaled(X).to(device)
            self.network = self.build(rows).to(device)
            self.losses = self.learn(rows)
        # On the CPU it can be pickled and read where there is no CUDA.
        self.network.eval().cpu()
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows: float64 of shape (n_rows,), higher is more anomalous.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is NaN or
            infinite.
        """
        return self.score_scaled(self.scaled(self.rows_to_score(X)))

    def score_scaled(self, rows: Tensor) -> FloatArray:
        """Score scaled rows, a float32 tensor on the CPU, in blocks of `block_rows`.

        Overflow counts as the largest score: training was finite, so only a row far
        from all training rows can cause it.
        """
        device = find_device(self.device)
        scores = np.empty(len(rows))
        block = torch.zeros((self.block_rows, rows.shape[1]))
        with session(0, device), torch.inference_mode():
            self.network.to(device)
            for start in range(0, len(rows), self.block_rows):
                part = rows[start : start + self.block_rows]
                block[: len(part)] = part
                block[len(part) :] = 0.0
                found = self.score(block.to(device))[: len(part)]
                finite = found.nan_to_num(nan=_LARGEST, posinf=_LARGEST)
                scores[start : start + len(part)] = finite.cpu().numpy()
            self.network.cpu()
        return scores

    def scaled(self, X: FloatArray) -> Tensor:
        """Return scaled rows as a float32 tensor on the CPU."""
        # In torch's memory, whose alignment is fixed: the bits of MKL's products
        # depend on it.
        rows = torch.empty(X.shape, dtype=torch.float32)
        self._scaling.into(X, rows.numpy())
        return rows


def check_sizes(owner: str, name: str, sizes: object) -> None:
    """Refuse sizes of layers that are not a tuple of whole numbers >= 1."""
    are_sizes = isinstance(sizes, (tuple, list)) and all(
        is_count(size, 1) for size in sizes
    )
    check_ranges(owner, (name, sizes, are_sizes, "a tuple of whole numbers >= 1"))
