"""The causal model follows its definition, and every outlier is visible in a column."""

import numpy as np
import pytest
from scipy import stats

from odbench.synbench import scm, scm_outliers
from odbench.synbench.draw import Sizes
from odbench.synbench.stream import seeded
from tests.reference import synbench as reference

SIZES = Sizes(n_columns=5, n_inliers=2000, n_anomalies=300)
PRIORS = {
    "measurement": scm_outliers.draw_measurement,
    "structural": scm_outliers.draw_structural,
}


def network(key, d=6):
    for attempt in range(50):
        drawn = scm.draw_network(seeded(31, (key, attempt)), d)
        if drawn is not None:
            return drawn[0]
    raise AssertionError


@pytest.mark.parametrize("key", range(4))
def test_nodes_agree_with_the_loop_over_rows(key):
    model = network(key)
    noise = model.noise(seeded(32, (key,)).normal(model.n_nodes, 20))

    nodes = model.nodes(noise)

    for i in range(20):
        wanted = reference.run_network(
            model.weights.tolist(),
            model.activations,
            noise[:, i].reshape(model.mu.shape).tolist(),
        )
        np.testing.assert_allclose(
            nodes[:, i], np.array(wanted).reshape(-1), rtol=1e-11, atol=1e-12
        )


@pytest.mark.parametrize("key", range(6))
def test_reaching_nodes_are_those_with_a_walk_to_a_column(key):
    model = network(key, d=3)

    wanted = reference.reaching(model.weights.tolist(), set(model.features.tolist()))

    np.testing.assert_array_equal(model.reaching(), wanted)


def test_noise_is_log_normal_with_the_nodes_parameters():
    model = network(1)

    logs = np.log(model.noise(seeded(33, ()).normal(model.n_nodes, 4000)))

    z = (logs - model.mu.reshape(-1, 1)) / model.sigma.reshape(-1, 1)
    assert stats.kstest(z.reshape(-1), "norm").pvalue > 1e-3


@pytest.mark.parametrize("d", [2, 5, 17, 50, 100])
def test_drawn_models_keep_to_their_ranges(d):
    models = [network(1000 + i, d) for i in range(12)]

    for model in models:
        layers, width = model.mu.shape
        assert 2 <= layers <= 5
        assert layers * width >= d
        assert width >= max(2, -(-d // layers))
        assert len(set(model.features.tolist())) == d
        assert np.abs(model.mu).max() <= 0.5
        assert 0.05 <= model.sigma.min() <= model.sigma.max() <= 0.5
    kept = np.concatenate([(m.weights != 0).reshape(-1) for m in models])
    assert stats.binomtest(int(kept.sum()), kept.size, 0.6).pvalue > 1e-3
    weights = np.concatenate([m.weights[m.weights != 0] for m in models])
    assert stats.kstest(weights, "norm").pvalue > 1e-3


@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS.keys())
@pytest.mark.parametrize("d", [2, 5, 30])
def test_every_outlier_has_a_change_that_reaches_a_column(prior, d):
    sizes = Sizes(n_columns=d, n_inliers=400, n_anomalies=60)
    drawn = first(prior, sizes)

    counts = drawn.parameters["changes_that_reach_a_column"]
    assert 1 <= counts["fewest"] <= counts["mean"] <= counts["most"]


@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS.keys())
def test_a_row_whose_change_does_not_show_is_drawn_again(prior, monkeypatch):
    """With changes made invisible no outlier is accepted, and the set is refused."""
    monkeypatch.setattr(scm_outliers, "_MAX_ROUNDS", 3)
    monkeypatch.setattr(scm_outliers, "VISIBLE", 1e9)

    drawn = [prior(seeded(34, (i,)), SIZES) for i in range(5)]

    assert drawn == [None] * 5


def test_changed_edges_give_the_rows_of_a_changed_network():
    """Rows of `change_edges` are rows of a network with zeroed or flipped weights."""
    model = network(2, d=3)
    live = np.argwhere(np.abs(model.weights) > scm_outliers.SMALLEST_EDGE)
    noise = model.noise(seeded(35, ()).normal(model.n_nodes, 40))
    # The same words decide here, edge by edge, as there.
    words = seeded(36, ())
    u = np.array([words.uniform(40) for _ in live])

    nodes, residual, counts = scm_outliers.change_edges(
        model, noise, seeded(36, ()), p=0.3
    )

    reaching = reference.reaching(model.weights.tolist(), set(model.features.tolist()))
    for row in range(40):
        weights = model.weights.copy()
        reached = 0
        for edge, draw in zip(live, u[:, row], strict=True):
            if draw < 0.3:
                weights[tuple(edge)] *= -1 if draw < 0.15 else 0
                reached += reaching[edge[0]][edge[1]]
        layered = noise[:, row].reshape(model.mu.shape).tolist()
        wanted = reference.run_network(weights.tolist(), model.activations, layered)
        np.testing.assert_allclose(
            nodes[:, row], np.array(wanted).reshape(-1), rtol=1e-11, atol=1e-12
        )
        assert counts[row] == reached
    # The unchanged model needs the residual as noise to give the same nodes.
    np.testing.assert_allclose(model.nodes(residual), nodes, rtol=1e-9, atol=1e-9)


def test_boosted_nodes_are_as_many_as_asked():
    sizes = Sizes(n_columns=60, n_inliers=400, n_anomalies=500)
    drawn = first(scm_outliers.draw_measurement, sizes)
    q = drawn.parameters["boost_probability"]

    mean = drawn.parameters["changes_that_reach_a_column"]["mean"]
    reaching = int(drawn.law.reaching().sum())

    # With this many nodes, rows without a visible change are rare.
    assert q == pytest.approx(0.2 * 50 / 110)
    error = 4 * np.sqrt(reaching * q * (1 - q) / 500)
    assert mean == pytest.approx(q * reaching, abs=error)


def test_probabilities_follow_the_formulas():
    assert scm_outliers.boost_probability(49) == 0.2
    assert scm_outliers.boost_probability(50) == 0.1
    assert scm_outliers.change_probability(2) == pytest.approx(0.2 * 50 / 52)
    assert scm_outliers.change_probability(100) == pytest.approx(0.2 * 50 / 150)


def test_boost_score_is_the_log_likelihood_ratio():
    model = network(3)
    z = seeded(37, ()).normal(model.n_nodes, 50) * 1.5
    mu, sigma = model.mu.reshape(-1), model.sigma.reshape(-1)
    wanted = np.zeros(50)
    for node in np.flatnonzero(model.reaching()):
        noise = np.exp(mu[node] + sigma[node] * z[node])
        plain = stats.lognorm(sigma[node], scale=np.exp(mu[node]))
        boosted = stats.lognorm(sigma[node], scale=5 * np.exp(mu[node]))
        ratio = boosted.logpdf(noise) - plain.logpdf(noise)
        wanted += np.logaddexp(np.log(0.8), np.log(0.2) + ratio)

    np.testing.assert_allclose(
        scm_outliers.boost_score(model, z, 0.2), wanted, rtol=1e-9
    )


def first(prior, sizes):
    for attempt in range(50):
        drawn = prior(seeded(38, (sizes.n_columns, attempt)), sizes)
        if drawn is not None:
            return drawn
    raise AssertionError
