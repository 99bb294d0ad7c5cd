"""ICL against its slow version, and its fallback for one or two columns."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench.errors import DetectorError  # noqa: E402
from odbench_detectors.deep.icl.detector import ICL  # noqa: E402
from odbench_detectors.deep.icl.network import (  # noqa: E402
    Contrast,
    window_size,
)
from tests.reference import contrasts  # noqa: E402
from tests.reference import deep as slow  # noqa: E402


def chained(rng, n, d=5):
    """Rows whose columns are one number, seen five ways."""
    return rng.normal(size=(n, 1)) * np.ones(d) + 0.05 * rng.normal(size=(n, d))


def a_batch(n, d, hidden=16, seed=3):
    """A network whose norms do something, and rows."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Contrast(d, hidden)
        for name, weight in network.named_parameters():
            if "norms" in name:
                weight.data.add_(0.3 * torch.randn_like(weight))
        return network, torch.randn(n, d)


def unit_codes(codes):
    return (codes.scaled * codes.over_code[:, :, None]).transpose(0, 1).double().numpy()


def test_loss_is_the_slow_one():
    network, rows = a_batch(4, 7)
    network.eval()

    found = network(rows, 0.1)

    complements, windows = map(unit_codes, network.encode(rows))
    expected = [
        contrasts.icl(a, b, 0.1) for a, b in zip(complements, windows, strict=True)
    ]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("n", "d"), [(2, 3), (20, 7), (9, 45), (5, 170)])
@pytest.mark.parametrize("training", [True, False])
def test_the_codes_are_those_of_torchs_own_modules(n, d, training):
    network, rows = a_batch(n, d)
    twin = copy.deepcopy(network)
    network.train(training)
    twin.train(training)

    found = network(rows, 0.1)

    with torch.no_grad():
        expected = slow.contrast(twin, rows, 0.1)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-5)
    # Running means and variances have moved alike.
    torch.testing.assert_close(network.state_dict(), twin.state_dict())


@pytest.mark.parametrize(("n", "d"), [(2, 3), (20, 7), (9, 45)])
def test_the_gradients_are_those_of_automatic_differentiation(n, d):
    network, rows = a_batch(n, d)
    network, rows = network.double(), rows.double()
    twin = copy.deepcopy(network)

    loss = network.add_gradient(rows, 0.1)

    expected = slow.contrast(twin, rows, 0.1).mean()
    expected.backward()
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(
        {name: one.grad for name, one in network.named_parameters()},
        {name: one.grad for name, one in twin.named_parameters()},
        rtol=1e-5,
        atol=1e-7,
    )


@pytest.mark.parametrize("d", [3, 7, 41, 170])
def test_every_window_meets_the_rest_of_its_row(rng, d):
    network = Contrast(d, hidden=8)
    row = torch.from_numpy(rng.normal(size=(1, d)).astype(np.float32))

    complements, windows = network.eval().encode(row)

    parts, rests = contrasts.windows_and_rests(row[0].tolist(), window_size(d))
    assert windows.passed[0].inputs[:, 0].tolist() == parts
    assert complements.passed[0].inputs[:, 0].tolist() == rests


@pytest.mark.parametrize(
    ("d", "size"), [(3, 2), (40, 2), (41, 10), (160, 10), (161, 11), (1024, 874)]
)
def test_window_sizes_are_the_published_ones(d, size):
    assert window_size(d) == size


def test_codes_have_unit_length():
    network, rows = a_batch(9, 6)

    for codes in network.encode(rows):
        np.testing.assert_allclose((unit_codes(codes) ** 2).sum(axis=2), 1, atol=1e-4)


def test_parts_that_do_not_fit_score_high(rng):
    train, inliers = chained(rng, 300), chained(rng, 100)
    # Each value is an ordinary one; only the combination is new.
    anomalies = np.column_stack(
        [rng.permutation(chained(rng, 100)[:, j]) for j in range(5)]
    )

    detector = ICL(hidden=32, epochs=60, random_state=0).fit(train)

    low, high = (detector.decision_function(rows) for rows in (inliers, anomalies))
    assert (high[:, None] > low).mean() > 0.9


def test_steps_bound_the_epochs(rng):
    train = rng.normal(size=(256, 4))

    assert len(ICL(hidden=8, steps=9, random_state=0).fit(train).losses) == 3


def test_training_ends_when_the_loss_is_small(rng):
    train = np.arange(3.0) * rng.choice([-1.0, 1.0], size=(64, 1))

    losses = ICL(hidden=64, lr=3e-3, epochs=900, random_state=0).fit(train).losses

    assert losses[-1] < 0.001
    assert len(losses) < 900
    assert min(losses[:-1]) >= 0.001


@pytest.mark.parametrize("d", [1, 2])
def test_one_or_two_columns_are_scored_by_mahalanobis_distance(rng, d):
    train, rows = rng.normal(size=(500, d)) @ np.triu(np.ones((d, d))), np.eye(3, d) * 4

    found = ICL(random_state=0).fit(train).decision_function(rows)

    away = (rows - train.mean(axis=0)) @ np.linalg.inv(
        np.cov(train.T, bias=True).reshape(d, d)
    )
    expected = (away * (rows - train.mean(axis=0))).sum(axis=1)
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=1e-3)


def test_impossible_parameters_are_refused(rng):
    with pytest.raises(DetectorError, match="icl wants tau > 0; got tau=0"):
        ICL(tau=0).fit(rng.normal(size=(5, 3)))
