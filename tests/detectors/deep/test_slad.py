"""SLAD against its slow version, and the properties of its subsets."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench_detectors.deep.slad.detector import SLAD, Scales  # noqa: E402
from odbench_detectors.deep.slad.subspaces import (  # noqa: E402
    column_weights,
    divergence_of_code,
    divergence_of_paper,
    draw_subspaces,
    repeats,
)
from tests.reference import contrasts  # noqa: E402


@pytest.mark.parametrize(
    ("fast", "slow"),
    [
        (divergence_of_paper, contrasts.jensen_shannon),
        (divergence_of_code, contrasts.slad_of_code),
    ],
)
def test_divergences_are_the_slow_ones(rng, fast, slow):
    logits, scales = rng.normal(size=(7, 5)), rng.dirichlet(np.ones(5))

    found = fast(torch.from_numpy(logits), torch.from_numpy(scales))

    expected = [slow(contrasts.softmax(one), scales) for one in logits]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)


def test_the_papers_divergence_is_zero_for_the_truth_and_at_most_log_two():
    scales = torch.tensor([0.2, 0.3, 0.5])
    far = torch.tensor([[100.0, 0.0, 0.0]])

    assert divergence_of_paper(scales.log()[None], scales) == pytest.approx(0, abs=1e-6)
    worst = divergence_of_paper(far, torch.tensor([0.0, 0.0, 1.0]))
    assert worst == pytest.approx(math.log(2))


def test_weights_are_scaled_mean_correlations(rng):
    rows = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4))

    found = column_weights(torch.from_numpy(rows.astype(np.float32)))

    means = np.abs(np.corrcoef(rows.T)).mean(axis=1)
    expected = (means - means.min()) / (means.max() - means.min())
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("d", [1, 2, 50])
def test_all_columns_weigh_the_same_where_correlations_tell_nothing(rng, d):
    rows = torch.from_numpy(rng.normal(size=(30, d)).astype(np.float32))

    assert column_weights(rows).tolist() == [1.0] * d


def test_a_constant_column_has_a_weight(rng):
    rows = torch.from_numpy(rng.normal(size=(30, 3)).astype(np.float32))
    rows[:, 1] = 0

    assert torch.isfinite(column_weights(rows)).all()


def test_scales_are_the_softmax_of_the_subsets_weights():
    torch.manual_seed(3)
    # From 50 columns on weights are 1 and subsets have distinct columns, which can be
    # counted in the projections.
    found = draw_subspaces(torch.randn(20, 60), groups=2, members=3, width=128)

    for projections, scales in zip(found.projections, found.scales, strict=True):
        sizes = [int((projections[:, m] != 0).any(dim=1).sum()) for m in range(3)]
        expected = contrasts.softmax([size * 200 / 128 for size in sizes])
        np.testing.assert_allclose(scales.numpy(), expected, rtol=1e-4, atol=1e-9)


def test_folding_the_first_layer_changes_nothing(rng):
    torch.manual_seed(0)
    rows = torch.randn(6, 4)
    network = Scales(draw_subspaces(rows, 2, 3, 16), 5, divergence_of_paper)

    found = network.of_group(rows, 1).detach()

    for row, one in zip(rows, found, strict=True):
        logits = []
        for member in range(3):
            vector = row @ network.projections[1, :, member]
            hidden = vector @ network.first
            active = torch.where(hidden > 0, hidden, 0.01 * hidden)
            logits.append(float((active @ network.second).detach()))
        scales = network.scales[1].tolist()
        expected = contrasts.jensen_shannon(contrasts.softmax(logits), scales)
        assert float(one) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("n", "times"),
    [(499, 50), (500, 20), (999, 20), (1000, 5), (5000, 2), (100_001, 1)],
)
def test_small_tables_are_drawn_more_often(n, times):
    assert repeats(n) == times


@pytest.mark.slow
@pytest.mark.parametrize("divergence", ["code", "paper"])
def test_it_learns_and_far_rows_score_high(rng, divergence):
    train, inliers = rng.normal(size=(2, 300, 6))

    detector = SLAD(groups=5, epochs=8, divergence=divergence, random_state=0).fit(
        train
    )

    assert detector.losses[-1] < detector.losses[0]
    low, high = (detector.decision_function(rows) for rows in (inliers, 6 * inliers))
    assert (high > low).mean() > 0.9


def test_one_column_has_two_sizes_of_subsets(rng):
    train = rng.normal(size=(40, 1))

    scores = (
        SLAD(groups=4, epochs=3, random_state=0).fit(train).decision_function(train)
    )

    assert len(np.unique(scores)) > 30
