"""KDSM: its noise against a slow version, its score against the known optimum."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench.errors import DetectorError  # noqa: E402
from odbench_detectors.deep.kdsm.detector import (  # noqa: E402
    KDSM,
    Denoiser,
    noise_of_columns,
)
from tests.reference import deep as slow  # noqa: E402


@pytest.mark.parametrize(("sigma", "slope"), [(0.5, 0.33), (0.2, 0.0), (1.0, 1.0)])
def test_noise_grows_with_the_kurtosis_of_a_column(rng, sigma, slope):
    rows = np.column_stack(
        [
            rng.normal(size=500),
            rng.uniform(size=500),
            rng.standard_t(3, size=500),
            rng.integers(2, size=500),
            np.full(500, 7.0),
        ]
    )
    spread = rows.std(axis=0)
    scaled = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)

    found = noise_of_columns(torch.from_numpy(scaled), sigma, slope)

    expected = [slow.noise_by_kurtosis(column, sigma, slope) for column in rows.T]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_step_is_the_best_one_for_a_gaussian(rng):
    rows = rng.normal(size=(4000, 2))
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    detector = KDSM(slope=0.0, epochs=20, width=32, lr=3e-3, random_state=0).fit(rows)
    near = rng.normal(size=(50, 2))

    found = detector.decision_function(near)

    # E[e | x + s e = z] = s z / (1 + s^2) for a standard normal x.
    expected = (near**2).sum(axis=1) * (0.5 / 1.25) ** 2
    assert np.corrcoef(found, expected)[0, 1] > 0.95
    assert found.mean() == pytest.approx(expected.mean(), rel=0.25)


def test_the_loss_is_the_squared_error_of_the_noise(rng, monkeypatch):
    detector = KDSM(epochs=0, copies=2, width=4).fit(rng.normal(size=(30, 3)))
    noise = torch.from_numpy(rng.normal(size=(10, 3))).float()
    monkeypatch.setattr(torch, "randn_like", lambda _: noise)
    rows = torch.from_numpy(rng.normal(size=(5, 3))).float()

    found = detector.loss(rows).item()

    total = 0.0
    sigma = detector.network.noise
    for i in range(10):
        predicted = detector.network((rows[i % 5] + sigma * noise[i])[None])[0]
        total += sum((predicted[j] - noise[i, j]).item() ** 2 for j in range(3)) / 3
    assert found == pytest.approx(total / 10, rel=1e-5)


@pytest.mark.parametrize("blocks", [1, 3])
def test_the_gradients_are_those_of_automatic_differentiation(blocks):
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = Denoiser(torch.tensor([0.5, 1.0, 2.0]), 8, blocks)
        rows = torch.randn(20, 3)
    ours = list(network.parameters())

    predicted, inputs = network.record(rows)
    network.backward(inputs, 2 * predicted)

    twins = [one.detach().clone().requires_grad_() for one in ours]
    expected = slow.residual(rows / network.noise.square().add(1).sqrt(), twins)
    expected.square().sum().backward()
    torch.testing.assert_close(predicted, expected.detach())
    torch.testing.assert_close([w.grad for w in ours], [w.grad for w in twins])


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"sigma": 0.0}, "kdsm wants sigma > 0; got sigma=0.0"),
        ({"copies": 0}, "kdsm wants copies a whole number >= 1; got copies=0"),
        ({"slope": -1.0}, "kdsm wants slope >= 0"),
    ],
)
def test_impossible_parameters_are_refused_in_one_line(params, wanted):
    with pytest.raises(DetectorError, match=wanted):
        KDSM(**params).check_params()
