"""DTE-C against slow versions of its noise, its bins and its score."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench.errors import DetectorError  # noqa: E402
from odbench_detectors.deep.dte_c.detector import (  # noqa: E402
    DTEC,
    cross_entropy,
    deviations,
)
from odbench_detectors.deep.layers import drop  # noqa: E402
from tests.reference import deep as slow  # noqa: E402


def small(**params):
    params = {"hidden": (8, 6), "epochs": 3, "random_state": 1} | params
    return DTEC(**params)


def test_the_noise_is_that_of_the_diffusion():
    np.testing.assert_allclose(deviations(400), slow.deviations(400), rtol=1e-5)
    np.testing.assert_allclose(deviations(300), slow.deviations(300), rtol=1e-5)


def test_the_score_is_the_expected_bin(rng):
    rows = rng.normal(size=(30, 3))
    detector = small().fit(rows)
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    linear = detector.network.layers
    weights = [layer.weight.detach().numpy() for layer in linear]
    biases = [layer.bias.detach().numpy() for layer in linear]

    expected = [slow.expected_bin(slow.forward(weights, biases, row)) for row in z]

    np.testing.assert_allclose(detector.decision_function(rows), expected, rtol=1e-4)


def test_the_loss_is_the_cross_entropy_of_the_bins_of_noisy_rows(rng, monkeypatch):
    detector = small(steps=70, softmax="once", dropout=0.0)
    detector.fit(rng.normal(size=(30, 3)))
    rows = torch.zeros(70, 3)
    steps = torch.arange(70)
    monkeypatch.setattr(torch, "randint", lambda *_args, **_kwargs: steps)
    monkeypatch.setattr(torch, "randn_like", torch.ones_like)
    noisy = torch.tensor(slow.deviations(70))[:, None].expand(70, 3)

    found = detector.loss(rows)

    shares = detector.network(noisy.float()).softmax(dim=1).tolist()
    expected = [-math.log(shares[step][step // 10]) for step in range(70)]
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-5)


def test_rows_with_more_noise_have_later_bins(rng):
    rows = rng.normal(size=(300, 1)) @ np.ones((1, 4))
    detector = DTEC(epochs=30, lr=1e-3, random_state=0).fit(rows)

    means = [
        detector.decision_function(rows + rng.normal(size=rows.shape) * noise).mean()
        for noise in (0.0, 0.3, 1.0)
    ]

    assert means[0] < means[1] < means[2]


def test_far_rows_do_not_tie(rng):
    detector = DTEC(epochs=10, lr=1e-3, random_state=0).fit(rng.normal(size=(200, 3)))

    scores = detector.decision_function(np.linspace(5, 40, 50)[:, None] * np.ones(3))

    assert len(np.unique(scores)) == 50


@pytest.mark.parametrize("twice", [True, False])
def test_the_gradient_of_the_loss_is_that_of_automatic_differentiation(twice):
    logits = torch.tensor([[0.3, -1.0, 2.0], [4.0, 0.0, -4.0]], requires_grad=True)
    bins = torch.tensor([2, 1])

    loss, gradient = cross_entropy(logits.detach(), bins, twice=twice)

    outputs = logits.softmax(dim=1) if twice else logits
    expected = torch.nn.functional.cross_entropy(outputs, bins)
    expected.backward()
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(gradient, logits.grad)


def test_a_second_softmax_bounds_the_loss_from_below():
    sure = torch.tensor([[200.0, 0, 0, 0, 0, 0, 0]])

    twice, gradient = cross_entropy(sure, torch.tensor([0]), twice=True)

    assert twice.item() == pytest.approx(math.log(1 + 6 / math.e), rel=1e-6)
    assert gradient.abs().max().item() == 0
    assert cross_entropy(sure, torch.tensor([0]), twice=False)[0].item() == 0


def test_dropout_drops_the_share_and_keeps_the_mean():
    values = torch.ones(200, 333)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drop(values, 64)

    assert float((values == 0).float().mean()) == pytest.approx(0.25, abs=0.01)
    assert float(values.mean()) == pytest.approx(1.0, abs=0.02)
    assert values.unique().tolist() == [0.0, pytest.approx(4 / 3)]


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"bins": 1}, "dte_c wants bins a whole number >= 2; got bins=1"),
        ({"steps": 5}, "dte_c wants steps a whole number >= 7; got steps=5"),
        ({"dropout": 1.0}, "dte_c wants dropout from 0 to below 1"),
        (
            {"softmax": "thrice"},
            "dte_c wants softmax one of twice, once; got softmax='thrice'",
        ),
    ],
)
def test_impossible_parameters_are_refused_in_one_line(params, wanted):
    with pytest.raises(DetectorError, match=wanted):
        DTEC(**params).check_params()
