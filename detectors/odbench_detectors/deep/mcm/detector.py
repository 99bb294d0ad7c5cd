"""MCM: cells hidden by masks that a network learns are predicted from the others."""

from __future__ import annotations

from torch import Tensor

from odbench_detectors.deep.base import DeepDetector
from odbench_detectors.deep.mcm.network import MaskedCells, errors, likeness
from odbench_detectors.deep.training import train
from odbench_detectors.shared.estimator import check_counts, check_ranges, is_number

_FADING = 0.98  # factor of the learning rate per epoch


class MCM(DeepDetector):
    """Reconstruction error, averaged over learnt masks [1]_.

    Several networks look at a row and return a mask each. An autoencoder reconstructs
    the row from each masked row. Training minimises the mean distance between rows and
    their reconstructions, plus `diversity` times how alike a row's masks are; the score
    is the distance. The learning rate falls by 2 % per epoch, and the network with the
    lowest training loss is kept, because the first epochs' steps are large.

    Parameters
    ----------
    masks : int, default=15
        Number of masks.
    diversity : float, default=5.0
        Weight of the likeness of masks in the loss.
    hidden, code : int, default=256 and 128
        Sizes of the autoencoder's hidden layers and of its code.
    epochs, batch_size, lr, weight_decay, device, random_state
        As in `DeepDetector`.

    Notes
    -----
    Two things are as in the authors' code rather than in the paper: distances are not
    squared, and the likeness of masks is that of their logits. The mask networks have
    ``3 masks n_columns^2`` weights, 190 MB for 15 masks and 1,024 columns, and Adam
    needs three times as much in addition.

    References
    ----------
    .. [1] Yin et al., "MCM: masked cell modeling for anomaly detection in tabular
       data", ICLR 2024.
    """

    name = "mcm"
    network: MaskedCells

    def __init__(
        self,
        *,
        masks: int = 15,
        diversity: float = 5.0,
        hidden: int = 256,
        code: int = 128,
        epochs: int = 200,
        batch_size: int = 512,
        lr: float = 0.05,
        weight_decay: float = 1e-5,
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.masks = masks
        self.diversity = diversity
        self.hidden = hidden
        self.code = code
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.device = device
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        super().check_params()
        check_counts(self, masks=1, hidden=1, code=1)
        check_ranges(
            self.name,
            ("diversity", self.diversity, is_number(self.diversity, 0), ">= 0"),
        )

    def build(self, rows: Tensor) -> MaskedCells:
        """Return the mask networks and the autoencoder."""
        return MaskedCells(rows.shape[1], self.masks, self.hidden, self.code)

    def learn(self, rows: Tensor) -> list[float]:
        """Train with a learning rate that fades, and keep the best epoch."""
        return train(
            self.network,
            rows,
            self.loss,
            epochs=self.epochs,
            batch_size=self.batch_size,
            lr=self.lr,
            weight_decay=self.weight_decay,
            schedule=lambda epoch: _FADING**epoch,
            keep_best=True,
        )

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean error plus the weighted likeness of masks."""
        reconstructions, logits = self.network(rows)
        error = errors(rows, reconstructions).mean()
        return error + self.diversity * likeness(logits).mean()

    def score(self, rows: Tensor) -> Tensor:
        """Return the distance of each row to its reconstructions."""
        return errors(rows, self.network(rows)[0])
