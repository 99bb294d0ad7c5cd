"""Place intervals know that the best was chosen on the same data."""

import tracemalloc

import numpy as np
import pytest

from odbench.scoring import places
from odbench.scoring.clusters import clusters_of
from tests.reference import inference


def pairs(values, families=None, permutations=2000, seed=0):
    return places.pair_tests(
        values,
        clusters_of(len(values), families),
        rng=np.random.default_rng(seed),
        permutations=permutations,
    )


def test_p_values_equal_enumeration_in_steps(rng):
    values = np.round(rng.random((10, 3)) + [0.3, 0.1, 0.0], 3)
    families = ["a", "a", None, None, None, "b", "b", "b", None, None]

    found = pairs(values, families, permutations=200_000)

    family = clusters_of(10, families).family.tolist()
    slow = inference.step_down_p(inference.family_sums(values.tolist(), family))
    for (k, j), p in slow.items():
        # Three standard errors of a share over 200,000 draws.
        assert found.p[k, j] == pytest.approx(p, abs=3 * 0.5 / np.sqrt(200_000))


def test_parts_of_the_pairs_give_what_all_pairs_at_once_give(rng, monkeypatch):
    values = np.round(rng.random((30, 20)) + np.linspace(0.0, 0.3, 20), 2)
    values[:, 3] = values[:, 17]

    found = {}
    for part in (7, 125, 10_000):
        monkeypatch.setattr(places, "_PART", part)
        found[part] = pairs(values, permutations=250)

    assert ((found[7].p > 0.01) & (found[7].p < 0.99)).any()
    for part in (125, 10_000):
        np.testing.assert_array_equal(found[part].p, found[7].p)
        assert found[part].critical == found[7].critical


def test_many_methods_need_little_memory(rng):
    values = rng.random((12, 200))

    tracemalloc.start()
    pairs(values, permutations=100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # 19,900 pairs under 100 assignments at once would be 16 MB, with their copies more.
    assert peak < 10_000_000


def test_equal_methods_may_all_be_best(rng):
    values = np.repeat(rng.random((30, 1)), 4, axis=1)

    found = places.places(pairs(values))

    assert found.low.tolist() == [1] * 4
    assert found.high.tolist() == [4] * 4
    assert found.p_best.tolist() == [1.0] * 4


def test_far_apart_methods_have_one_place_each(rng):
    values = rng.normal([0.7, 0.9, 0.8], 0.01, size=(50, 3))

    found = places.places(pairs(values))

    assert found.low.tolist() == [3, 1, 2]
    assert found.high.tolist() == [3, 1, 2]
    assert found.p_best[1] == 1.0
    assert found.p_best[[0, 2]].max() < 0.001


def test_the_set_of_the_best_and_the_p_values_agree(rng):
    for seed in range(5):
        values = np.random.default_rng(seed).normal([0.5, 0.52, 0.6], 0.1, (40, 3))
        found = places.places(pairs(values))
        np.testing.assert_array_equal(found.low == 1, found.p_best > 0.05)


@pytest.mark.parametrize("methods", [2, 14])
def test_false_positives_under_the_null_are_nominal(methods):
    rng = np.random.default_rng(11)
    families = [f"family {t // 3}" for t in range(60)]
    wrong = 0
    for seed in range(400):
        # The methods are equal, and alike within a family.
        shared = np.repeat(rng.normal(0, 0.1, size=(20, methods)), 3, axis=0)
        values = 0.8 + shared + rng.normal(0, 0.05, size=(60, methods))
        found = places.places(pairs(values, families, permutations=300, seed=seed))
        wrong += bool((found.p_best <= 0.05).any())
    # Three standard errors of 5 % over 400 simulations are 3.3 points.
    assert wrong / 400 == pytest.approx(0.05, abs=0.033)


def test_gaps_contain_the_truth_for_all_methods_at_once():
    rng = np.random.default_rng(2)
    truth = np.array([0.8, 0.8, 0.77, 0.7])
    held = 0
    for seed in range(300):
        values = rng.normal(truth, 0.1, size=(40, 4))
        low, high = places.gap_ends(values.mean(axis=0), pairs(values, None, 300, seed))
        gap = truth.max() - truth
        held += bool(((low <= gap) & (gap <= high)).all())
    assert held / 300 >= 0.93


@pytest.mark.parametrize("large", [(20,), (20, 20), (10,)])
def test_gaps_contain_the_truth_where_families_differ_in_size(large):
    sizes = [*large, *[1] * 50]
    family = np.repeat(np.arange(len(sizes)), sizes)
    names = [f"family {number}" for number in family]
    missed = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        effects = rng.normal(0.0, 0.08, (len(sizes), 4))[family]
        values = 0.7 + effects + rng.normal(0.0, 0.02, (len(family), 4))
        low, _ = places.gap_ends(values.mean(axis=0), pairs(values, names, 300, seed))
        # All are equal, so a gap above 0 is wrong.
        missed += bool((low > 0.0).any())

    assert missed / 120 <= 0.1


def test_one_family_that_outweighs_all_others_gives_no_gap(rng):
    values = rng.uniform(size=(110, 3))
    names = ["large"] * 100 + [f"family {number}" for number in range(10)]

    found = pairs(values, names)

    assert np.isnan(places.gap_ends(values.mean(axis=0), found)).all()
    assert np.isnan(places.detectable(found))


def test_five_families_exclude_nothing(rng):
    values = rng.normal([0.2, 0.9], 0.01, size=(5, 2))

    found = pairs(values)

    assert places.places(found).low.tolist() == [1, 1]
    assert np.isnan(places.gap_ends(values.mean(axis=0), found)).all()
    assert np.isnan(places.detectable(found))


def test_methods_that_are_equal_everywhere_tell_no_detectable_difference(rng):
    found = pairs(np.repeat(rng.random((30, 1)), 4, axis=1))

    assert np.isfinite(found.critical)
    assert np.isnan(places.detectable(found))


def test_the_detectable_difference_is_found_about_that_often():
    rng = np.random.default_rng(4)
    size = places.detectable(pairs(rng.normal(0, 0.1, size=(100, 4))))
    found = 0
    for seed in range(300):
        values = rng.normal([0, 0, 0, size], 0.1, size=(100, 4))
        found += bool(pairs(values, None, 300, seed).p[3, 0] <= 0.05)
    assert 0.72 <= found / 300 <= 0.9


def test_one_method_has_the_first_place(rng):
    found = places.places(pairs(rng.random((10, 1))))

    assert (found.low[0], found.high[0], found.p_best[0]) == (1, 1, 1.0)
