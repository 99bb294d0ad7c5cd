"""Tests of differences equal exact enumeration and other libraries."""

import numpy as np
import pytest
import scikit_posthocs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from odbench.scoring import aggregate, significance
from tests.reference import scoring as reference

# Slow examples on a busy machine are not failures.
patient = settings(deadline=None)


def test_sign_flips_approach_the_exact_test(rng):
    differences = rng.normal(0.4, 1.0, size=(10, 3))

    p = significance.sign_flip(differences, rng=rng, permutations=100_000)

    exact = [reference.exact_sign_flip(column.tolist()) for column in differences.T]
    # Three standard errors of a share over 100,000 draws.
    np.testing.assert_allclose(p, exact, atol=3 * 0.5 / np.sqrt(100_000))


def test_sign_flips_agree_with_scipys(rng):
    differences = rng.normal(0.15, 1.0, size=(80, 1))

    p = significance.sign_flip(differences, rng=rng)

    theirs = stats.permutation_test(
        (differences[:, 0],),
        np.mean,
        permutation_type="samples",
        n_resamples=10_000,
        alternative="two-sided",
        rng=np.random.default_rng(1),
    )
    assert p[0] == pytest.approx(theirs.pvalue, abs=0.02)


def test_the_observed_signs_count_as_one_of_the_permutations():
    rng = np.random.default_rng(0)

    p = significance.sign_flip(np.full((60, 1), 0.1), rng=rng, permutations=999)

    assert p[0] == 1 / 1000


def test_equal_sums_count_as_extreme_in_spite_of_rounding(rng):
    # Every assignment gives the same absolute sum.
    differences = np.zeros((7, 1))
    differences[3] = 0.1

    assert significance.sign_flip(differences, rng=rng, permutations=99)[0] == 1.0


def test_methods_that_are_equal_everywhere_are_not_told_apart(rng):
    values = np.repeat(rng.random((20, 1)), 3, axis=1)

    assert significance.against_best(values, rng=rng).tolist() == [1.0, 1.0, 1.0]
    assert significance.wilcoxon_against_best(values).tolist() == [1.0, 1.0, 1.0]


def test_under_the_null_small_p_values_are_as_rare_as_they_say(rng):
    differences = rng.normal(size=(30, 2000))

    p = significance.sign_flip(differences, rng=rng, permutations=999)

    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.015)


@patient
@given(st.lists(st.integers(0, 100).map(lambda k: k / 100), min_size=1, max_size=9))
def test_holm_equals_the_slow_one(p):
    corrected = significance.holm(np.array(p))

    assert corrected.tolist() == pytest.approx(reference.holm(p))


def test_signed_ranks_equal_scipys(rng):
    differences = np.round(rng.normal(0.2, 1.0, size=(40, 6)), 1)
    differences[:10, 2] = 0.0

    p = significance.signed_rank(differences)

    theirs = [
        stats.wilcoxon(column, zero_method="pratt", method="approx").pvalue
        for column in differences.T
    ]
    np.testing.assert_allclose(p, theirs, rtol=1e-10)


def test_everyone_is_tested_against_the_best(rng):
    values = rng.normal([0.7, 0.9, 0.8], 0.01, size=(50, 3))

    p = significance.against_best(values, rng=rng)

    # Both others lose to 0.9 under every assignment: 1/10001, times two by Holm.
    assert p.tolist() == pytest.approx([2 / 10_001, 1.0, 2 / 10_001])


def test_friedman_equals_scipys_and_nemenyi_scikit_posthocs(rng):
    values = np.round(np.round(rng.random((25, 5)), 1) + np.arange(5) / 20, 2)
    rank = aggregate.ranks(values)

    test = significance.friedman(rank)

    theirs = stats.friedmanchisquare(*values.T)
    assert test.statistic == pytest.approx(theirs.statistic)
    assert test.p == pytest.approx(theirs.pvalue)
    pairwise = scikit_posthocs.posthoc_nemenyi_friedman(-values).to_numpy()
    average = rank.mean(axis=0)
    apart = np.abs(average[:, None] - average) >= test.critical_difference
    np.testing.assert_array_equal(apart, pairwise < 0.05)


@pytest.mark.parametrize("m", [2, 3, 10, 40, 100])
def test_quantiles_of_the_range_equal_scipys(m):
    q = significance.range_quantile(0.95, m)

    # scipy integrates to about 1e-8 here.
    assert q == pytest.approx(stats.studentized_range.ppf(0.95, m, np.inf), abs=1e-6)


def test_friedman_of_methods_that_always_tie_does_not_exist():
    test = significance.friedman(np.full((4, 3), 2.0))

    assert np.isnan(test.statistic)
    assert np.isfinite(test.critical_difference)


def test_friedman_of_one_method_does_not_exist():
    assert np.isnan(significance.friedman(np.ones((4, 1)))).all()


def test_cliques_are_the_longest_runs_within_the_distance():
    average = np.array([3.0, 1.0, 1.5, 2.2, 5.0])

    bars = significance.cliques(average, 1.0)

    assert bars == [[1, 2], [2, 3], [3, 0]]


def test_a_bar_inside_another_is_left_out():
    assert significance.cliques(np.array([1.0, 1.2, 1.3]), 1.0) == [[0, 1, 2]]


def test_gaps_say_how_far_and_whether_it_matters(rng):
    best = rng.uniform(0.7, 0.9, size=200)
    values = np.column_stack([best, best - 0.001, best - 0.05])

    gaps = significance.gaps_to_best(values, rng=rng)

    np.testing.assert_allclose(gaps.gap, [0.0, 0.001, 0.05])
    assert gaps.p_equivalent.tolist() == [1.0, 1.0, 0.0]


def test_the_interval_of_a_gap_is_about_that_of_the_mean(rng):
    difference = rng.normal(0.02, 0.1, size=400)
    values = np.column_stack([np.full(400, 0.9), 0.9 - difference])

    gaps = significance.gaps_to_best(values, rng=rng, draws=4000)

    half = 1.96 * difference.std() / np.sqrt(400)
    assert gaps.low[1] == pytest.approx(difference.mean() - half, abs=0.1 * half)
    assert gaps.high[1] == pytest.approx(difference.mean() + half, abs=0.1 * half)


def test_the_same_seed_gives_the_same_p_values(rng):
    values = rng.random((30, 4))

    first, second = (
        significance.against_best(values, rng=np.random.default_rng(1))
        for _ in range(2)
    )

    np.testing.assert_array_equal(first, second)
