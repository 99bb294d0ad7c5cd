"""NeuTraL AD: an anomaly's learnt transformations are hard to tell apart."""

from __future__ import annotations

from torch import Tensor

from odbench_detectors.deep.base import DeepDetector, check_sizes
from odbench_detectors.deep.neutral.info import HIDDEN
from odbench_detectors.deep.neutral.network import Transformations, contrast
from odbench_detectors.shared.estimator import check_counts, check_ranges, is_number


class NeuTraL(DeepDetector):
    """Neural transformation learning [1]_.

    Several networks transform a row, and an encoder maps the row and its
    transformations to a sphere. Training wants each transformation near the row and far
    from the other transformations; the same loss is the score.

    Parameters
    ----------
    transformations : int, default=11
        Number of transformations; each adds a network's output to the row.
    transformation_hidden : int, default=50
        Size of that network's hidden layer.
    hidden : tuple of int, default=(100, 50)
        Hidden layers of the encoder.
    outputs : int, default=128
        Dimensions of the codes.
    tau : float, default=0.1
        Temperature of the contrast.
    epochs, batch_size, lr, device, random_state
        As in `DeepDetector`.

    Notes
    -----
    The paper's settings differ by data set; the defaults are those of the library
    DeepOD, which has one setting for all.

    References
    ----------
    .. [1] Qiu et al., "Neural transformation learning for deep anomaly detection
       beyond images", ICML 2021.
    """

    name = "neutral"
    network: Transformations

    def __init__(
        self,
        *,
        transformations: int = 11,
        transformation_hidden: int = 50,
        hidden: tuple[int, ...] = HIDDEN,
        outputs: int = 128,
        tau: float = 0.1,
        epochs: int = 100,
        batch_size: int = 64,
        lr: float = 1e-3,
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.transformations = transformations
        self.transformation_hidden = transformation_hidden
        self.hidden = hidden
        self.outputs = outputs
        self.tau = tau
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.device = device
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        super().check_params()
        check_sizes(self.name, "hidden", self.hidden)
        check_counts(self, transformations=2, transformation_hidden=1, outputs=1)
        check_ranges(self.name, ("tau", self.tau, is_number(self.tau, above=0), "> 0"))

    def build(self, rows: Tensor) -> Transformations:
        """Return the transformations and the encoder."""
        return Transformations(
            rows.shape[1],
            self.transformations,
            self.transformation_hidden,
            (*self.hidden, self.outputs),
        )

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean contrast of a batch."""
        return self.score(rows).mean()

    def score(self, rows: Tensor) -> Tensor:
        """Return each row's contrast."""
        return contrast(self.network(rows), self.tau)
