"""Families are clusters, and standard errors leave them out whole."""

import numpy as np
import pytest

from odbench.scoring.clusters import clusters_of, standard_error
from tests.reference import inference

FAMILIES = ["a", "b", "a", None, None, "", "b", "a"]


def test_a_data_set_without_a_family_is_one_by_itself():
    clusters = clusters_of(8, FAMILIES)

    assert clusters.family.tolist() == [0, 1, 0, 2, 3, 4, 1, 0]
    assert clusters.sizes.tolist() == [3, 2, 1, 1, 1]
    assert clusters_of(3).sizes.tolist() == [1, 1, 1]


def test_totals_add_the_rows_of_a_family(rng):
    values = rng.random((8, 2))
    family = [0, 1, 0, 2, 3, 4, 1, 0]

    found = clusters_of(8, FAMILIES).totals(values)

    np.testing.assert_allclose(found, inference.family_sums(values.tolist(), family))


def test_a_part_keeps_who_belongs_together():
    rows = np.array([True, False, True, True, True, False, True, False])

    part = clusters_of(8, FAMILIES).part(rows)

    assert part.family.tolist() == [0, 0, 2, 3, 1]
    assert part.sizes.tolist() == [2, 1, 1, 1]


def test_the_error_of_a_mean_is_that_of_leaving_families_out(rng):
    values = rng.random((8, 3))
    clusters = clusters_of(8, FAMILIES)

    error = standard_error((values - values.mean(axis=0)) / 8, clusters)

    left = [values[clusters.family != g].mean(axis=0) for g in range(5)]
    expected = inference.jackknife_error(left, values.mean(axis=0))
    np.testing.assert_allclose(error, expected)


def test_without_families_the_error_is_the_usual_one(rng):
    values = rng.random((20, 1))

    error = standard_error((values - values.mean()) / 20, clusters_of(20))

    assert error[0] == pytest.approx(values.std(ddof=1) / np.sqrt(20))


def test_one_large_family_counts_as_few():
    large = clusters_of(100, ["one"] * 95 + [None] * 5)

    assert large.effective < 2
    assert not large.enough
    assert clusters_of(5).enough
    assert not clusters_of(4).enough
    assert np.isinf(clusters_of(3, ["a"] * 3).quantile())
