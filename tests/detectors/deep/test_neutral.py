"""NeuTraL AD against its slow version."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench_detectors.deep.neutral.detector import NeuTraL  # noqa: E402
from odbench_detectors.deep.neutral.network import (  # noqa: E402
    Transformations,
    contrast,
)
from tests.reference import contrasts  # noqa: E402


def test_contrast_is_the_slow_one(rng):
    codes = rng.normal(size=(5, 4, 3))

    found = contrast(torch.from_numpy(codes), tau=0.5).numpy()

    np.testing.assert_allclose(found, [contrasts.neutral(one, 0.5) for one in codes])


def test_transformations_add_their_networks_output_to_the_row():
    torch.manual_seed(0)
    network, rows = Transformations(3, 2, 4, (8, 5)), torch.randn(6, 3)

    codes = network(rows)

    versions = [rows]
    for first, second in zip(network.first, network.second, strict=True):
        versions.append(rows + torch.relu(rows @ first) @ second)
    for k, version in enumerate(versions):
        expected = torch.nn.functional.normalize(network.encoder(version), dim=1)
        torch.testing.assert_close(codes[:, k], expected)


def test_it_learns_and_rows_off_the_line_score_high(rng):
    train, inliers = (rng.normal(size=(n, 1)) * [1.0, -1.0, 2.0] for n in (300, 100))
    anomalies = inliers * [1.0, 1.0, -1.0]

    detector = NeuTraL(epochs=30, random_state=0).fit(train)

    assert detector.losses[-1] < detector.losses[0]
    low, high = (detector.decision_function(rows) for rows in (inliers, anomalies))
    assert (high[:, None] > low).mean() > 0.8
