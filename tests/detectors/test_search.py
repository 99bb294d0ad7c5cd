"""Values located in ascending ones, against NumPy's search."""

import numpy as np
import pytest

from odbench_detectors.shared.search import below_columns, below_each


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 100])
def test_values_are_counted_below_as_numpy_does(n):
    rng = np.random.default_rng(n)
    ordered = np.sort(np.round(rng.normal(size=n), 1))
    values = np.concatenate([ordered, ordered + 0.05, [-9.0, 9.0]])
    values = np.concatenate([values, [0.0, -0.0]])
    counted = below_each(ordered, values)
    assert (counted == np.searchsorted(ordered, values)).all()


@pytest.mark.parametrize(("n", "m", "d"), [(1, 5, 1), (50, 16, 3), (300, 37, 8)])
def test_every_column_is_searched_for_its_own_values(n, m, d):
    rng = np.random.default_rng(n)
    ordered = np.sort(np.round(rng.normal(size=(d, n)), 1), axis=1)
    values = np.round(rng.normal(size=(m, d)), 1)

    expected = [np.searchsorted(ordered[j], values[:, j]) for j in range(d)]

    assert (below_columns(ordered, values) == np.transpose(expected)).all()
    # Any layout of the values will do.
    assert (
        below_columns(ordered, np.asfortranarray(values)) == np.transpose(expected)
    ).all()
