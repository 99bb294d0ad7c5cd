"""Copula outliers change only the tails or the dependence, as they should."""

import numpy as np
import pytest
from scipy import stats

from odbench.synbench import copula
from odbench.synbench.draw import Sizes
from odbench.synbench.stream import seeded
from tests.reference import synbench as reference


def laws_of(drawn):
    return [reference.column_law(law) for law in drawn.parameters["marginals"]]


def uniforms(drawn, columns):
    """The smaller tail probability and the side, by SciPy's laws."""
    laws = laws_of(drawn)
    below = np.array([law.cdf(x) for law, x in zip(laws, columns, strict=True)])
    above = np.array([law.sf(x) for law, x in zip(laws, columns, strict=True)])
    return np.minimum(below, above), below < above


SIZES = Sizes(n_columns=12, n_inliers=12_000, n_anomalies=3000)


@pytest.fixture(scope="module")
def dependence():
    return [copula.draw_dependence(seeded(21, (i,)), SIZES) for i in range(4)]


@pytest.fixture(scope="module")
def probabilistic():
    return [copula.draw_probabilistic(seeded(22, (i,)), SIZES) for i in range(4)]


def test_dependence_outliers_have_the_inliers_marginals(dependence):
    p = [
        stats.ks_2samp(inlier, anomaly).pvalue
        for drawn in dependence
        for inlier, anomaly in zip(drawn.inliers, drawn.anomalies, strict=True)
    ]

    assert min(p) > 1e-3 / len(p)
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_last_bits_do_not_tell_the_label(dependence):
    """Where marginals are the same, so must be the parity of every value's last bit."""
    for drawn in dependence:
        odd = [
            np.ascontiguousarray(rows).view(np.int64) & 1
            for rows in (drawn.inliers, drawn.anomalies)
        ]
        table = [[bits.sum(), bits.size - bits.sum()] for bits in odd]

        assert stats.chi2_contingency(table).pvalue > 1e-3


def test_inliers_follow_the_drawn_marginals(dependence):
    p = [
        stats.kstest(column, law.cdf).pvalue
        for drawn in dependence
        for column, law in zip(drawn.inliers, laws_of(drawn), strict=True)
    ]

    assert min(p) > 1e-3 / len(p)


def test_inliers_have_the_drawn_correlation(dependence):
    for drawn in dependence:
        small, lower = uniforms(drawn, drawn.inliers)
        z = np.where(lower, 1, -1) * stats.norm.ppf(small)
        wanted = drawn.law.correlation

        assert np.linalg.eigvalsh(wanted)[0] > 0
        # Four standard errors of a correlation from 6,000 rows.
        np.testing.assert_allclose(np.corrcoef(z), wanted, atol=4 / np.sqrt(6000))


def test_dependence_outliers_lose_dependence(dependence):
    for drawn in dependence:
        small, lower = uniforms(drawn, drawn.anomalies)
        found = np.corrcoef(np.where(lower, 1, -1) * stats.norm.ppf(small))
        wanted = drawn.law.correlation
        off = ~np.eye(len(wanted), dtype=bool)

        slope = (found[off] * wanted[off]).sum() / (wanted[off] ** 2).sum()
        # A pair keeps its correlation when both are outside the block, a fifth of it
        # when one is, and 0.04 of it when both are; blocks hold 5 to 8 of 12.
        assert 0.15 < slope < 0.5
        assert drawn.parameters["smallest_block"] == 5
        assert drawn.parameters["largest_block"] == 8


def test_correlations_are_signed(dependence):
    values = np.concatenate(
        [d.law.correlation[np.triu_indices(12, 1)] for d in dependence]
    )

    assert 0.4 < (values > 0).mean() < 0.6
    assert values.min() < -0.4
    assert values.max() > 0.4


def test_every_probabilistic_outlier_has_columns_in_a_tail(probabilistic):
    for drawn in probabilistic:
        law = drawn.parameters
        small, _ = uniforms(drawn, drawn.anomalies)
        deep = (small < law["strength"] / 2 + 1e-8).sum(axis=0)

        assert 0.2 <= law["strength"] <= 0.4
        assert (law["fewest_pushed"], law["most_pushed"]) == (1, 2)
        assert deep.min() >= 1


def test_pushed_values_are_uniform_in_both_tails():
    """With two columns exactly one is pushed: the other keeps the inliers' law."""
    sizes = Sizes(n_columns=2, n_inliers=2000, n_anomalies=20_000)
    drawn = copula.draw_probabilistic(seeded(23, ()), sizes)
    small, lower = uniforms(drawn, drawn.anomalies)
    edge = drawn.parameters["strength"] / 2

    tail = small[small < edge]
    either = (small < edge).any(axis=0)

    assert either.all()
    assert stats.kstest(tail / edge, "uniform").pvalue > 1e-3
    sides = lower[small < edge]
    assert stats.binomtest(int(sides.sum()), len(sides)).pvalue > 1e-3
    # Half of a column's values are pushed, the rest in the tails at the usual rate.
    share = 0.5 + 0.5 * 2 * edge
    assert (small < edge).mean() == pytest.approx(share, abs=0.01)


def test_block_and_push_sizes_follow_the_formulas():
    for d, block, pushed in (
        (2, (1, 1), (1, 1)), (3, (2, 2), (1, 1)), (7, (3, 4), (1, 1)),
        (10, (4, 6), (1, 2)), (51, (18, 34), (2, 10)), (100, (34, 66), (2, 20)),
    ):  # fmt: skip
        sizes = Sizes(n_columns=d, n_inliers=10, n_anomalies=4)
        law = copula.draw_dependence(seeded(1, (d,)), sizes).parameters
        assert (law["smallest_block"], law["largest_block"]) == block
        law = copula.draw_probabilistic(seeded(1, (d,)), sizes).parameters
        assert (law["fewest_pushed"], law["most_pushed"]) == pushed


def test_dependence_score_is_the_copula_density():
    law, _ = copula.draw_copula(seeded(4, ()), 5)
    z = law.sample_normal(seeded(5, ()), 200)

    joint = stats.multivariate_normal(cov=law.correlation).logpdf(z.T)
    density = joint - stats.norm.logpdf(z).sum(axis=0)

    score = copula.dependence_score(law, z)
    shift = np.linalg.slogdet(law.correlation)[1]
    np.testing.assert_allclose(score, -2 * density - shift, rtol=1e-8, atol=1e-8)


def test_tail_score_is_the_likelihood_ratio_of_one_pushed_column():
    law, _ = copula.draw_copula(seeded(6, ()), 4)
    z = law.sample_normal(seeded(7, ()), 60) * 1.3
    wanted = [reference.likelihood_ratio(law.correlation, row, 0.3) for row in z.T]

    found = copula.tail_score(law, z, 0.3)

    possible = np.array(wanted) > 0
    assert 0 < possible.sum() < 60
    np.testing.assert_allclose(
        found[possible], np.log(np.array(wanted)[possible] * 4), rtol=1e-8
    )
    assert found[~possible].max() < found[possible].min()
