"""GOAD against its slow version."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench_detectors.deep.goad.detector import GOAD  # noqa: E402
from odbench_detectors.deep.goad.network import (  # noqa: E402
    Transformed,
    misplacement,
    triplet_loss,
)
from tests.reference import contrasts  # noqa: E402


def test_triplet_loss_and_score_are_the_slow_ones(rng):
    codes, centres = rng.normal(size=(6, 5, 3)), rng.normal(size=(5, 3))

    loss = float(triplet_loss(torch.from_numpy(codes), margin=0.7))
    scores = misplacement(torch.from_numpy(codes), torch.from_numpy(centres)).numpy()

    assert loss == pytest.approx(contrasts.goad_triplet(codes, 0.7))
    np.testing.assert_allclose(
        scores, [contrasts.goad_score(one, centres) for one in codes]
    )


def test_folding_the_first_layer_changes_nothing():
    torch.manual_seed(0)
    network, rows = Transformed(3, 4, 6, 2), torch.randn(5, 3)

    codes = network(rows)

    for k in range(4):
        expected = (rows @ network.transformations[:, k]) @ network.trunk
        for layer in network.rest:
            expected = torch.nn.functional.leaky_relu(expected, 0.2) @ layer
        torch.testing.assert_close(codes[:, k], expected)


def test_centres_are_the_mean_codes_of_the_training_rows(rng):
    train = rng.normal(size=(50, 3))
    detector = GOAD(transformations=4, epochs=1, random_state=0).fit(train)

    rows = torch.from_numpy(
        ((train - train.mean(axis=0)) / train.std(axis=0)).astype(np.float32)
    )
    with torch.no_grad():
        expected = detector.network(rows).mean(dim=0)
    torch.testing.assert_close(detector.network.centres, expected)


def test_it_learns_and_far_rows_score_high(rng):
    train, inliers = rng.normal(size=(2, 150, 4))
    settings = {"transformations": 16, "epochs": 10, "random_state": 0}

    detector = GOAD(**settings).fit(train)

    assert detector.losses[-1] < detector.losses[0]
    low, high = (detector.decision_function(rows) for rows in (inliers, 6 * inliers))
    assert (high > low).mean() > 0.9
