"""DROCC: its adversarial points against automatic differentiation, and its schedule."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench_detectors.deep.drocc.adversary import (  # noqa: E402
    adversarial_points,
    onto_shell,
    uphill,
)
from odbench_detectors.deep.drocc.detector import DROCC, fading  # noqa: E402
from odbench_detectors.deep.layers import MLP  # noqa: E402


def test_uphill_is_the_gradient_of_calling_points_anomalies():
    torch.manual_seed(0)
    network, points = MLP((3, 7, 1)), torch.randn(9, 3, requires_grad=True)

    found = uphill(network, points.detach()).detach()

    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        network(points).squeeze(1), torch.zeros(9), reduction="sum"
    )
    (gradient,) = torch.autograd.grad(loss, points)
    expected = torch.nn.functional.normalize(gradient, dim=1)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_uphill_is_zero_where_no_unit_is_active():
    network = MLP((2, 4, 1))
    with torch.no_grad():
        network.layers[0].bias.fill_(-100.0)

    assert uphill(network, torch.zeros(1, 2)).tolist() == [[0.0, 0.0]]


def test_points_end_on_the_shell_and_points_within_it_stay(rng):
    rows = torch.zeros(3, 2)
    points = torch.tensor([[0.5, 0.0], [0.0, 1.5], [-8.0, 0.0]])

    found = onto_shell(points, rows, 1.0, 2.0)

    torch.testing.assert_close(
        found, torch.tensor([[1.0, 0.0], [0.0, 1.5], [-2.0, 0.0]])
    )


def test_adversarial_points_lie_around_their_rows():
    torch.manual_seed(0)
    rows = torch.randn(40, 5)

    found = adversarial_points(
        MLP((5, 8, 1)), rows, radius=3.0, gamma=2.0, steps=20, rate=0.1
    )

    distances = (found - rows).norm(dim=1)
    assert (distances > 2.999).all()
    assert (distances < 6.001).all()


def test_more_steps_make_points_more_adversarial():
    torch.manual_seed(0)
    network, rows = MLP((5, 32, 1)), torch.randn(200, 5)

    def logit(steps):
        torch.manual_seed(1)
        points = adversarial_points(
            network, rows, radius=1.0, gamma=3.0, steps=steps, rate=0.1
        )
        return float(network(points).detach().mean())

    assert logit(10) > logit(0)
    assert logit(50) > logit(10)


def test_the_learning_rate_falls_three_times():
    assert [fading(epoch, 100) for epoch in (0, 30, 31, 60, 61, 90, 91)] == [
        1, 1, 0.1, 0.1, 0.01, 0.01, 0.001,
    ]  # fmt: skip


def test_it_learns_and_far_rows_score_high(rng):
    train, inliers = rng.normal(size=(2, 300, 3))
    settings = {"warm_up": 5, "epochs": 60, "lr": 1e-2, "radius": 2.0}

    detector = DROCC(random_state=0, **settings).fit(train)

    low, high = (detector.decision_function(rows) for rows in (inliers, 5 * inliers))
    assert len(detector.losses) == 60
    assert (high[:, None] > low).mean() > 0.9


def test_a_warm_up_longer_than_training_is_all_of_it(rng):
    losses = DROCC(warm_up=50, epochs=3, random_state=0).fit(rng.normal(size=(20, 2)))

    assert len(losses.losses) == 3
    assert np.isfinite(losses.losses).all()


def test_rows_that_do_not_fill_a_batch_are_left_out(rng, monkeypatch):
    seen, loss = [], DROCC.loss_of_rows
    monkeypatch.setattr(
        DROCC,
        "loss_of_rows",
        lambda self, rows: (seen.append(len(rows)), loss(self, rows))[1],
    )

    DROCC(warm_up=2, epochs=3, ascent_steps=0, batch_size=16).fit(
        rng.normal(size=(39, 2))
    )

    assert seen == [16, 16] * 3
