"""DROCC: training rows lie on a manifold whose surroundings are empty."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from odbench_detectors.deep.adam import Adam
from odbench_detectors.deep.base import DeepDetector
from odbench_detectors.deep.drocc.adversary import adversarial_points
from odbench_detectors.deep.layers import MLP
from odbench_detectors.deep.training import Loss, train
from odbench_detectors.shared.estimator import check_counts, check_ranges, is_number


class DROCC(DeepDetector):
    """Deep robust one-class classification [1]_.

    A network calls training rows normal and adversarial points, at a distance between
    `radius` and `gamma` times `radius` from them, anomalies. The score is the negative
    logit of being normal. As in the authors' code, the rows of an epoch that do not
    fill a batch are left out, and the optimiser goes on after the warm-up as it was: a
    small table gets so few steps that both move the results.

    Parameters
    ----------
    hidden : int, default=128
        Size of the hidden layer.
    radius, gamma : float, default=3.0 and 2.0
        The shell around each row, in standard deviations of a column.
    adversarial : float, default=1.0
        Weight of the adversarial points' loss.
    ascent_steps, ascent_rate : int and float, default=50 and 0.001
        Number and length of the steps that make a point adversarial.
    warm_up : int, default=50
        First epochs, without adversarial points.
    epochs, batch_size, lr, device, random_state
        As in `DeepDetector`. The learning rate is a tenth, a hundredth and a thousandth
        after 30, 60 and 90 % of the epochs that follow the warm-up.

    References
    ----------
    .. [1] Goyal et al., "DROCC: deep robust one-class classification", ICML 2020:
       algorithm 1.
    """

    name = "drocc"
    network: MLP

    def __init__(
        self,
        *,
        hidden: int = 128,
        radius: float = 3.0,
        gamma: float = 2.0,
        adversarial: float = 1.0,
        ascent_steps: int = 50,
        ascent_rate: float = 0.001,
        warm_up: int = 50,
        epochs: int = 200,
        batch_size: int = 256,
        lr: float = 1e-4,
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.hidden = hidden
        self.radius = radius
        self.gamma = gamma
        self.adversarial = adversarial
        self.ascent_steps = ascent_steps
        self.ascent_rate = ascent_rate
        self.warm_up = warm_up
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.device = device
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        super().check_params()
        check_counts(self, hidden=1, ascent_steps=0, warm_up=0)
        rate = self.ascent_rate
        check_ranges(
            self.name,
            ("radius", self.radius, is_number(self.radius, above=0), "> 0"),
            ("gamma", self.gamma, is_number(self.gamma, 1), ">= 1"),
            ("adversarial", self.adversarial, is_number(self.adversarial, 0), ">= 0"),
            ("ascent_rate", rate, is_number(rate, above=0), "> 0"),
        )

    def build(self, rows: Tensor) -> MLP:
        """Return the classifier."""
        return MLP((rows.shape[1], self.hidden, 1))

    def learn(self, rows: Tensor) -> list[float]:
        """Train without adversarial points first, then with them."""
        warm_up = min(self.warm_up, self.epochs)
        optimiser = Adam(self.network.parameters(), lr=self.lr)

        rest = self.epochs - warm_up
        phases: tuple[tuple[Loss, int, Callable[[int], float]], ...] = (
            (self.loss_of_rows, warm_up, lambda _: 1.0),
            (self.loss, rest, lambda epoch: fading(epoch, rest)),
        )
        losses: list[float] = []
        for loss, epochs, schedule in phases:
            losses += train(
                self.network,
                rows,
                loss,
                epochs=epochs,
                batch_size=self.batch_size,
                lr=self.lr,
                schedule=schedule,
                whole_batches=True,
                optimiser=optimiser,
            )
        return losses

    def loss_of_rows(self, rows: Tensor) -> Tensor:
        """Return the mean loss of calling rows normal."""
        return functional.softplus(-self.network(rows)).mean()

    def loss(self, rows: Tensor) -> Tensor:
        """Return the loss of rows plus that of the adversarial points around them."""
        points = adversarial_points(
            self.network,
            rows,
            radius=self.radius,
            gamma=self.gamma,
            steps=self.ascent_steps,
            rate=self.ascent_rate,
        )
        of_points = functional.softplus(self.network(points)).mean()
        return self.loss_of_rows(rows) + self.adversarial * of_points

    def score(self, rows: Tensor) -> Tensor:
        """Return the negative logit of being normal."""
        logits: Tensor = self.network(rows)
        return -logits.squeeze(1)


def fading(epoch: int, epochs: int) -> float:
    """Return the factor of the learning rate in an epoch with adversarial points."""
    passed = sum(epoch > share * epochs for share in (0.3, 0.6, 0.9))
    return 10.0**-passed
