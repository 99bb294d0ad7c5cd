"""Tests of differences equal exact enumeration and other libraries."""

import numpy as np
import pytest
import scikit_posthocs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from odbench.scoring import aggregate, significance
from odbench.scoring.clusters import clusters_of
from tests.reference import inference
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


def test_under_the_null_small_p_values_are_as_rare_as_they_say(rng):
    differences = rng.normal(size=(30, 2000))

    p = significance.sign_flip(differences, rng=rng, permutations=999)

    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.015)


@patient
@given(st.lists(st.integers(0, 100).map(lambda k: k / 100), min_size=1, max_size=9))
def test_holm_equals_the_slow_one(p):
    corrected = significance.holm(np.array(p))

    assert corrected.tolist() == pytest.approx(reference.holm(p))


def test_signed_ranks_of_many_differences_equal_scipys(rng):
    for zeros in (0, 30):
        differences = np.round(rng.normal(0.2, 1.0, size=90), 1)
        differences[:zeros] = 0.0

        p = significance.signed_rank(differences)

        theirs = stats.wilcoxon(differences, zero_method="pratt", method="approx")
        assert p == pytest.approx(theirs.pvalue, rel=1e-9)


def test_signed_ranks_of_few_differences_are_exact(rng):
    differences = rng.normal(0.5, 1.0, size=12)

    p = significance.signed_rank(differences)

    assert p == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)


@patient
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_signed_ranks_with_ties_and_zeros_equal_enumeration(values):
    p = significance.signed_rank(np.array(values, dtype=float))

    assert p == pytest.approx(inference.exact_signed_rank(values))


def test_five_differences_of_one_sign_are_not_significant():
    # Two of the 32 assignments are as extreme.
    assert significance.signed_rank(np.full(5, 0.3)) == pytest.approx(2 / 32)
    assert significance.signed_rank(np.zeros(5)) == 1.0


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


def test_copies_of_data_sets_in_families_change_no_rank_test(rng):
    rank = aggregate.ranks(rng.random((12, 4)))
    names = [f"family {t}" for t in range(12)]

    copied = significance.friedman(
        np.repeat(rank, 3, axis=0), clusters_of(36, np.repeat(names, 3).tolist())
    )

    np.testing.assert_allclose(copied, significance.friedman(rank))


def test_rank_tests_over_families_equal_the_definition(rng):
    rank = aggregate.ranks(np.round(rng.random((9, 3)), 1))
    families = ["a", None, "a", "b", "b", "b", None, None, "a"]

    test = significance.friedman(rank, clusters_of(9, families))

    expected = inference.friedman_over_families(rank.tolist(), families)
    assert test.statistic == pytest.approx(expected[0])
    alone = significance.friedman(rank).critical_difference
    assert test.critical_difference == pytest.approx(alone * expected[1] ** 0.5)


@pytest.mark.parametrize("sizes", [[1] * 60, [4] * 20, [1] * 60 + [20]])
def test_equal_methods_are_rarely_called_different_whatever_the_families(sizes, rng):
    family = np.repeat(np.arange(len(sizes)), sizes)
    clusters = clusters_of(len(family), [f"family {g}" for g in family])
    wrong = np.zeros(2)
    for _ in range(400):
        liking = 2.0 * rng.standard_normal((len(sizes), 5))
        rank = aggregate.ranks(rng.standard_normal((len(family), 5)) + liking[family])
        test = significance.friedman(rank, clusters)
        span = np.ptp(rank.mean(axis=0))
        wrong += [test.p <= 0.05, span >= test.critical_difference]

    # Three standard errors above 5 %.
    assert (wrong / 400 <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5).all()


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
