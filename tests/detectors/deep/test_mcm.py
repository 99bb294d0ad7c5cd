"""MCM against its slow version."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench_detectors.deep.mcm.detector import MCM  # noqa: E402
from odbench_detectors.deep.mcm.network import (  # noqa: E402
    MaskedCells,
    errors,
    likeness,
)
from tests.reference import contrasts  # noqa: E402


def test_errors_and_likeness_are_the_slow_ones(rng):
    rows, logits = rng.normal(size=(6, 3)), rng.normal(size=(4, 6, 3))

    error = errors(torch.from_numpy(rows), torch.from_numpy(logits)).numpy()
    alike = likeness(torch.from_numpy(logits)).numpy()

    for i, row in enumerate(rows):
        assert error[i] == pytest.approx(contrasts.mcm_error(row, logits[:, i]))
        assert alike[i] == pytest.approx(contrasts.mcm_likeness(logits[:, i]))


def test_equal_masks_are_the_most_alike(rng):
    one, several = rng.normal(size=(1, 5, 4)), rng.normal(size=(3, 5, 4))

    same = likeness(torch.from_numpy(np.repeat(one, 3, axis=0)))

    assert (likeness(torch.from_numpy(several)) < same).all()
    assert likeness(torch.from_numpy(one)).tolist() == [0.0] * 5


def test_each_mask_comes_from_a_network_of_its_own():
    torch.manual_seed(0)
    network, rows = MaskedCells(3, masks=4, hidden=8, code=2), torch.randn(5, 3)

    found = network.logits(rows)

    for k in range(4):
        first, second, third = (one[k] for one in network.generators)
        expected = torch.relu(torch.relu(rows @ first) @ second) @ third
        torch.testing.assert_close(found[k], expected)


def test_reconstructions_see_masked_cells_only():
    torch.manual_seed(0)
    network, rows = MaskedCells(3, masks=2, hidden=8, code=2), torch.randn(5, 3)

    found, logits = network(rows)

    for k in range(2):
        shown = torch.sigmoid(logits[k]) * rows
        torch.testing.assert_close(found[k], network.decoder(network.encoder(shown)))


@pytest.mark.parametrize("masks", [1, 2, 5])
def test_it_learns_and_far_rows_score_high(rng, masks):
    train, inliers = rng.normal(size=(2, 150, 4))
    settings = {"hidden": 16, "code": 4, "epochs": 15, "random_state": 0}

    detector = MCM(masks=masks, **settings).fit(train)

    assert min(detector.losses) < detector.losses[0]
    low, high = (detector.decision_function(rows) for rows in (inliers, 6 * inliers))
    assert (high > low).mean() > 0.95


def test_the_best_epoch_is_kept(rng):
    """With a learning rate that throws the weights far away, the start is best."""
    train = rng.normal(size=(64, 3))
    settings = {"masks": 2, "hidden": 8, "code": 2, "lr": 30.0, "random_state": 0}

    wild = MCM(epochs=4, **settings).fit(train)
    best = 1 + int(np.argmin(wild.losses))
    stopped = MCM(epochs=best, **settings).fit(train)

    assert best < 4
    np.testing.assert_array_equal(
        wild.decision_function(train), stopped.decision_function(train)
    )
