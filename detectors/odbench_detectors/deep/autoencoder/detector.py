"""Autoencoder: rows pass through a narrow layer, and anomalies come back changed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from odbench.arrays import FloatArray
from odbench_detectors.deep.autoencoder import errors
from odbench_detectors.deep.autoencoder.info import HIDDEN
from odbench_detectors.deep.base import DeepDetector, check_sizes
from odbench_detectors.deep.layers import MLP
from odbench_detectors.shared.estimator import check_ranges, is_count, is_number
from odbench_detectors.shared.neighbours.graph import NeighbourGraph, NeighbourIndex

LOSSES = ("mse", "apre")
SCORINGS = ("error", "mean_shift")
# Below 0 a unit passes on this share, so that the narrow layer has no dead units.
_SLOPE = 0.01


class AutoEncoder(DeepDetector):
    """Reconstruction error of an autoencoder, with the two additions of [1]_.

    Parameters
    ----------
    loss : {"mse", "apre"}, default="mse"
        The error of a row that training minimises and that is its score, a mean over
        columns: squared, or the adjustable probabilistic error, for which the network
        predicts a mean and a variance of each value, see `errors.probabilistic`.
    scoring : {"error", "mean_shift"}, default="error"
        With "mean_shift" the mean of the k training rows nearest to a row is
        reconstructed in its place, and the reconstruction is compared with the row as
        it was. The score then holds the distance by which the row was moved and the
        error, and an anomaly that the network reconstructs well is not missed. In
        `fit_score` a row is not its own neighbour.
    hidden : tuple of int, default=(64, 32, 16)
        Sizes of the layers down to the narrowest; the way back mirrors them.
    error_weight, variance_weight : float, default=1
        Weights of "apre".
    k : int, default=20
        Number of neighbours of "mean_shift", 1 or more.
    epochs, batch_size, lr, weight_decay, device, random_state
        As in `DeepDetector`.

    References
    ----------
    .. [1] "Improving autoencoder-based outlier detection with adjustable probabilistic
       reconstruction error and mean-shift outlier scoring", arXiv 2304.00709.
    """

    name = "autoencoder"
    network: MLP

    def __init__(
        self,
        *,
        loss: str = "mse",
        scoring: str = "error",
        hidden: tuple[int, ...] = HIDDEN,
        error_weight: float = 1.0,
        variance_weight: float = 1.0,
        k: int = 20,
        epochs: int = 100,
        batch_size: int = 64,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        # The parameter hides the method of this name, which `learn` does not call.
        self.loss = loss  # type: ignore[method-assign,assignment]
        self.scoring = scoring
        self.hidden = hidden
        self.error_weight = error_weight
        self.variance_weight = variance_weight
        self.k = k
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
        weights = (self.error_weight, self.variance_weight)
        check_ranges(
            self.name,
            ("loss", self.loss, str(self.loss) in LOSSES, f"one of {LOSSES}"),
            ("scoring", self.scoring, self.scoring in SCORINGS, f"one of {SCORINGS}"),
            ("error_weight", weights[0], is_number(weights[0], above=0), "> 0"),
            ("variance_weight", weights[1], is_number(weights[1], 0), ">= 0"),
            ("k", self.k, is_count(self.k, 1), "a whole number >= 1"),
        )

    def build(self, rows: Tensor) -> nn.Module:
        """Return the network, and index the rows if they are needed as neighbours."""
        columns = rows.shape[1]
        self._index = None
        if self.scoring == "mean_shift":
            self._rows = rows.double().cpu().numpy()
            self._index = NeighbourIndex(self._rows)
        back = self.hidden[-2::-1]
        outputs = columns if self._is_squared else 2 * columns
        return MLP((columns, *self.hidden, *back, outputs), slope=_SLOPE)

    def learn(self, rows: Tensor) -> list[float]:
        """Minimise the mean error of the rows, each reconstructed from itself."""
        loss = self._squared_loss if self._is_squared else self._probabilistic_loss
        return self.train(rows, loss)

    def score(self, rows: Tensor) -> Tensor:
        """Return the error of each row.

        Parameters
        ----------
        rows : float32 tensor of shape (n, n_columns) or (n, 2 n_columns)
            The rows, and beside them the rows to reconstruct in their place, if any.
        """
        rows, *moved = rows.split(self._n_columns, dim=1)
        return self._errors(rows, self.network(*moved or [rows])).mean(dim=1)

    def fit_score(self, X: FloatArray) -> FloatArray:
        """Fit on rows and score them, none of them being its own neighbour.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)

        Returns
        -------
        float64 array of shape (n_rows,)
            Higher is more anomalous.
        """
        self.fit(X)
        rows = self.scaled(self.rows_to_score(X))
        if self._index is None or len(rows) == 1:
            return self.score_scaled(rows)
        return self._score_moved(rows, self._index.search_self(self.k))

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows: float64 of shape (n_rows,), higher is more anomalous."""
        rows = self.scaled(self.rows_to_score(X))
        if self._index is None:
            return self.score_scaled(rows)
        graph = self._index.search(rows.double().numpy(), self.k)
        return self._score_moved(rows, graph)

    @property
    def _is_squared(self) -> bool:
        return str(self.loss) == "mse"

    def _squared_loss(self, rows: Tensor) -> Tensor:
        outputs, inputs = self.network.record(rows)
        gap = outputs - rows
        self.network.backward(inputs, gap * (2.0 / gap.numel()))
        return gap.square().mean()

    def _probabilistic_loss(self, rows: Tensor) -> Tensor:
        return self._errors(rows, self.network(rows)).mean()

    def _errors(self, rows: Tensor, outputs: Tensor) -> Tensor:
        if self._is_squared:
            return errors.squared(rows, outputs)
        return errors.probabilistic(
            rows, outputs, self.error_weight, self.variance_weight
        )

    def _score_moved(self, rows: Tensor, graph: NeighbourGraph) -> FloatArray:
        """Score rows by the reconstruction of the mean of their neighbours."""
        moved = np.zeros(rows.shape)
        # One neighbour after the other, so that the order of sums is fixed.
        for nearest in graph.rows.T:
            moved += self._rows[nearest]
        moved /= graph.rows.shape[1]
        return self.score_scaled(torch.cat([rows, torch.from_numpy(moved)], dim=1))
