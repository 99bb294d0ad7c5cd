"""ICL against its slow version, and its fallback for one or two columns."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench.errors import DetectorError  # noqa: E402
from odbench_detectors.deep.icl.detector import ICL  # noqa: E402
from odbench_detectors.deep.icl.network import (  # noqa: E402
    Contrast,
    contrast_loss,
    window_size,
)
from tests.reference import contrasts  # noqa: E402


def chained(rng, n, d=5):
    """Rows whose columns are one number, seen five ways."""
    return rng.normal(size=(n, 1)) * np.ones(d) + 0.05 * rng.normal(size=(n, d))


def test_loss_is_the_slow_one(rng):
    complements, windows = rng.normal(size=(2, 4, 6, 3))

    found = contrast_loss(
        torch.from_numpy(complements), torch.from_numpy(windows), tau=0.1
    )

    expected = [
        contrasts.icl(a, b, 0.1) for a, b in zip(complements, windows, strict=True)
    ]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("d", [3, 7, 41, 170])
def test_every_window_meets_the_rest_of_its_row(rng, d):
    network = Contrast(d, hidden=8)
    row = torch.from_numpy(rng.normal(size=(1, d)).astype(np.float32))
    seen = {}
    network.of_windows[0].register_forward_hook(
        lambda _, given, __: seen.update(windows=given[0])
    )
    network.of_complements[0].register_forward_hook(
        lambda _, given, __: seen.update(rests=given[0])
    )

    network(row)

    windows, rests = contrasts.windows_and_rests(row[0].tolist(), window_size(d))
    assert seen["windows"][0].tolist() == windows
    assert seen["rests"][0].tolist() == rests


@pytest.mark.parametrize(
    ("d", "size"), [(3, 2), (40, 2), (41, 10), (160, 10), (161, 11), (1024, 874)]
)
def test_window_sizes_are_the_published_ones(d, size):
    assert window_size(d) == size


def test_codes_have_unit_length(rng):
    rows = torch.from_numpy(rng.normal(size=(9, 6)).astype(np.float32))

    for codes in Contrast(6, hidden=16)(rows):
        np.testing.assert_allclose(
            codes.detach().square().sum(dim=2).numpy(), 1, atol=1e-4
        )


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
