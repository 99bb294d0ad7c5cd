"""Each law's score is the likelihood ratio: against slow versions, and by its mean."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from odbench.synbench.stream import seeded
from odbench.synbench.suite import ARCHETYPES
from odbench.synbench.v2 import build, copula, gmm, scm
from odbench.synbench.v2.law import MixedRatio, at_least_one, log_sum_exp

D = 4
STRENGTHS = {
    "gmm-subspace": 1.5,
    "scm-measurement": 0.3,
    "scm-structural": 0.4,
    "copula-probabilistic": 0.8,
    "copula-dependence": 0.5,
}


def law_of(archetype, d=D, key=1):
    return build._LAWS[archetype](seeded(77, (key,)), d)


def rows_of(law, strength, n=6, key=2):
    stream = seeded(77, (key,))
    return law.anomalies(law.plan(stream, n), strength)


def test_mixtures_against_scipy():
    law = law_of("gmm-subspace")
    rows = rows_of(law, 1.5)
    wider = np.ones(D)
    wider[law.subspace] = 2.5

    def density(row, width):
        return np.mean(
            [
                stats.multivariate_normal(m, np.diag(v * width)).pdf(row)
                for m, v in zip(law.means, law.variances, strict=True)
            ]
        )

    ratio = [density(row, wider) / density(row, np.ones(D)) for row in rows[0].T]
    np.testing.assert_allclose(law.score(rows, 1.5), np.log(ratio), rtol=1e-9)


def subsets(d):
    return list(itertools.product((False, True), repeat=d))


def test_boosted_noise_against_all_subsets_of_nodes():
    law = law_of("scm-measurement")
    rows = rows_of(law, 0.3)
    scores = law.score(rows, 0.3)
    noise = law.graph.noise(rows[1])

    for i in range(noise.shape[1]):
        total = plain = 0.0
        for chosen in subsets(D):
            chance = density = 1.0
            for j, boosted in enumerate(chosen):
                chance *= law.share if boosted else 1 - law.share
                median = math.exp(law.graph.mu[j] + 0.3 * boosted)
                node = stats.lognorm(law.graph.sigma[j], scale=median)
                density *= node.pdf(noise[j, i])
            total += chance * density
            plain = density if not any(chosen) else plain
        assert scores[i] == pytest.approx(math.log(total / plain), rel=1e-9)


def test_noise_follows_from_the_columns():
    """All causes are columns, so that the ratio of the noise is that of the columns."""
    law = law_of("scm-measurement", d=12)
    base, z = rows_of(law, 0.3)
    graph = law.graph
    noise = base.copy()
    shown = graph.shown(base)
    for layer, weights in enumerate(graph.weights, start=1):
        noise[graph.places[layer]] -= weights @ shown[graph.places[layer - 1]]

    np.testing.assert_allclose(noise, graph.noise(z), rtol=1e-9)


def test_weakened_edges_against_a_density_per_node():
    law = law_of("scm-structural", d=5)
    rows = rows_of(law, 0.4)
    scores, graph = law.score(rows, 0.4), law.graph
    shown = graph.shown(rows[0])

    for i in range(shown.shape[1]):
        total = 0.0
        for layer, weights in enumerate(graph.weights, start=1):
            above, place = graph.places[layer - 1], graph.places[layer]
            for k, row in enumerate(weights):
                j = place.start + k
                law_of_noise = stats.norm(graph.means[j], graph.resolution[j])
                value, cause = rows[0][j, i], shown[above, i]
                plain = law_of_noise.pdf(value - row @ cause)
                changed = []
                for e in np.flatnonzero(law.node == j):
                    other = row.copy()
                    other[law.cause[e] - above.start] -= 0.4 * law.size[e]
                    changed.append(law_of_noise.pdf(value - other @ cause))
                mixed = (1 - law.share) * plain + law.share * np.mean(changed)
                total += math.log(mixed / plain)
        assert scores[i] == pytest.approx(total, rel=1e-8, abs=1e-9)


def test_pushed_tails_against_all_subsets_of_innovations():
    law = law_of("copula-probabilistic")
    strength = 0.8
    rows = rows_of(law, strength)
    scores = law.score(rows, strength)
    s, p = math.exp(-strength), 1 + strength / (1 + strength)
    # The innovations follow from the columns.
    innovation = np.linalg.solve(law.copula.lower, rows[0])
    tail = 2 * stats.norm.sf(np.abs(innovation))

    for i in range(tail.shape[1]):
        total = 0.0
        for chosen in subsets(D):
            term = 1.0
            for t, pushed in zip(tail[:, i], chosen, strict=True):
                density = (t / s) ** (1 / p - 1) / (p * s) if t < s else 0.0
                term *= law.share * density if pushed else 1 - law.share
            total += term
        assert scores[i] == pytest.approx(math.log(total), rel=1e-7, abs=1e-9)


def test_broken_blocks_against_whole_covariances():
    law = law_of("copula-dependence", d=6)
    w = 0.5
    rows = rows_of(law, w)
    scores = law.score(rows, w)
    inlier = stats.multivariate_normal(np.zeros(6), law.copula.correlation)
    c = math.sqrt(1 - w * w)
    broken = []
    for block in law.blocks:
        scale = np.where(block.columns, c, 1.0)
        covariance = law.copula.correlation * scale[:, None] * scale[None, :]
        covariance += np.diag(np.where(block.columns, w * w, 0.0))
        np.testing.assert_allclose(np.diagonal(covariance), 1.0)
        broken.append(stats.multivariate_normal(np.zeros(6), covariance))

    for row, score in zip(rows[0].T, scores, strict=True):
        ratio = sum(law.pdf(row) for law in broken) / inlier.pdf(row)
        assert score == pytest.approx(math.log(ratio), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("archetype", ARCHETYPES)
def test_a_strength_near_zero_separates_nothing(archetype):
    from odbench.synbench.v2.difficulty import oracle_auroc

    law = law_of(archetype, d=8)
    stream = seeded(78, (1,))
    inliers, plan = law.inliers(stream, 4000), law.plan(stream, 4000)

    reached = [
        oracle_auroc(law, inliers, plan, strength)
        for strength in (law.strengths[0], STRENGTHS[archetype])
    ]
    assert abs(reached[0] - 0.5) < 0.05
    assert reached[1] > 0.53


@pytest.mark.parametrize("archetype", ARCHETYPES)
def test_shown_columns_rise_with_the_base(archetype):
    law = law_of(archetype, d=8)
    base = law.inliers(seeded(79, (1,)), 500)[0]

    shown = law.shown(base)

    for before, after in zip(base, shown, strict=True):
        order = np.argsort(before)
        assert (np.diff(after[order]) > 0).all()


def test_resolution_is_at_most_the_deviation_given_the_others():
    law = law_of("copula-dependence", d=8)
    inverse = np.linalg.inv(law.copula.correlation)
    np.testing.assert_allclose(law.resolution, 1 / np.sqrt(np.diagonal(inverse)))


def test_at_least_one_is_the_conditional_law():
    marks = at_least_one(seeded(80, ()), 2, 40_000, 0.2)

    assert marks.any(axis=0).all()
    both = 0.04 / (1 - 0.64)
    assert marks.all(axis=0).mean() == pytest.approx(both, abs=0.006)


def test_sums_of_exponentials_and_mixed_ratios_against_numpy():
    rng = np.random.default_rng(1)
    terms = list(rng.normal(0, 300, (5, 20)))
    np.testing.assert_allclose(
        log_sum_exp(terms), np.logaddexp.reduce(np.array(terms)), rtol=1e-13
    )
    mixed = MixedRatio(0.2, 20)
    wanted = np.zeros(20)
    for _ in range(11):
        pair = rng.normal(0, 60, (2, 20))
        mixed.add(*pair)
        mean = np.logaddexp(*pair) - math.log(2)
        wanted += np.logaddexp(math.log(0.8), math.log(0.2) + mean)
    np.testing.assert_allclose(mixed.total(), wanted, rtol=1e-10)


def test_priors_are_named_as_in_version_1():
    assert tuple(build._LAWS) == ARCHETYPES
    assert {type(law_of(a)) for a in ARCHETYPES} == {
        gmm.WiderMixture, scm.BoostedNoise, scm.WeakenedEdges,
        copula.PushedTails, copula.BrokenBlocks,
    }  # fmt: skip
