"""Intervals of means cover from five data sets on, or are not shown."""

import numpy as np
import pytest

from odbench.scoring.clusters import clusters_of
from odbench.scoring.means import difference_interval, mean_interval

# Results look like this: bounded, skewed, with many values near one.
SHAPES = {
    "skewed": (4.0, 1.0),
    "two humps": (0.5, 0.5),
    "near one": (20.0, 1.0),
    "even": (2.0, 2.0),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("datasets", [5, 10, 60])
def test_mean_intervals_cover(shape, datasets):
    rng = np.random.default_rng(3)
    a, b = SHAPES[shape]
    values = rng.beta(a, b, size=(datasets, 4000))

    low, high = mean_interval(values, clusters_of(datasets))

    truth = a / (a + b)
    assert ((low <= truth) & (truth <= high)).mean() >= 0.93


def test_families_count_as_one_observation():
    rng = np.random.default_rng(3)
    values = np.repeat(rng.beta(4, 1, size=(12, 3000)), 5, axis=0)
    families = [f"family {t // 5}" for t in range(60)]

    low, high = mean_interval(values, clusters_of(60, families))
    alone, _ = mean_interval(values, clusters_of(60))

    assert ((low <= 0.8) & (high >= 0.8)).mean() >= 0.93
    assert (alone > low).all()


def test_values_that_never_vary_still_have_an_interval():
    low, high = mean_interval(np.ones((10, 1)), clusters_of(10))

    assert 0.5 < low[0] < 0.99
    assert high[0] == 1.0


def test_with_four_families_there_is_none():
    low, high = mean_interval(np.random.default_rng(0).random((4, 2)), clusters_of(4))

    assert np.isnan([low, high]).all()


@pytest.mark.parametrize("datasets", [5, 10, 60])
def test_intervals_of_differences_cover(datasets):
    rng = np.random.default_rng(3)
    first = rng.beta(4, 1, size=(datasets, 4000))
    differences = np.clip(first + rng.normal(0, 0.05, first.shape), 0, 1) - rng.beta(
        3, 1, size=first.shape
    )

    low, high = difference_interval(differences, clusters_of(datasets))

    many = rng.beta(4, 1, size=2_000_000)
    truth = np.clip(many + rng.normal(0, 0.05, many.shape), 0, 1).mean() - 0.75
    assert ((low <= truth) & (truth <= high)).mean() >= 0.93


# The mean of ten times 0.1 is 0.1, that of ten times 0.3 is another number than 0.3.
@pytest.mark.parametrize(("n", "value"), [(10, 0.1), (10, 0.3), (7, 0.7)])
def test_equal_differences_say_nothing_about_their_spread(n, value):
    low, _ = difference_interval(np.full((n, 1), value), clusters_of(n))

    assert np.isnan(low[0])


def test_values_in_the_middle_everywhere_say_nothing_about_their_spread():
    low, high = mean_interval(np.full((20, 1), 0.5), clusters_of(20))

    # The made-up value is in the middle, too, and adds no width.
    assert np.isnan([low[0], high[0]]).all()
