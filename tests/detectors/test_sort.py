"""Sorting rows by buckets gives the same result as NumPy."""

import numpy as np
import pytest

from odbench_detectors.shared import sort
from odbench_detectors.shared.sort import sort_by_buckets, sort_rows, sorted_rows


def spread(rng, n):
    """Yield rows that one, two or no rounds of buckets resolve."""
    yield rng.normal(size=n)
    yield np.exp(1.5 * rng.normal(size=n))
    yield rng.standard_cauchy(n) ** 3
    yield np.round(10 * rng.normal(size=n))
    yield np.where(rng.random(n) < 0.5, 0.0, rng.normal(size=n))
    yield 2.0 ** rng.integers(-120, 120, n)
    yield 1.0 + 1e-15 * rng.integers(0, 9, n)
    yield np.full(n, -3.5)
    yield np.arange(n, 0.0, -1.0)
    yield rng.choice([-0.0, 0.0, 1.0], n)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 2, 3, 40, 1000, 30_000])
def test_buckets_sort_as_numpy_does(rng, n, dtype):
    rows = np.array(list(spread(rng, n)), dtype=dtype)
    expected = np.sort(rows, axis=1)
    sort_by_buckets(rows)
    assert rows.dtype == dtype
    assert np.array_equal(rows, expected)


@pytest.mark.parametrize(
    "odd", [[np.nan], [np.inf], [-np.inf, np.nan], [1e308, -1e308], [5e-324], [1e300]]
)
def test_rows_that_cannot_be_spread_are_sorted_too(rng, odd):
    for rest in (rng.normal(size=997), np.zeros(997)):
        rows = np.stack([np.concatenate([odd, rest]), np.concatenate([rest, odd])])
        expected = np.sort(rows, axis=1)
        sort_by_buckets(rows)
        assert np.array_equal(rows, expected, equal_nan=True)


@pytest.mark.parametrize("slow", [True, False])
def test_both_ways_give_the_same(rng, monkeypatch, slow):
    monkeypatch.setattr(sort, "_numpy_is_slow", lambda: slow)
    for n in (0, 1, 511, 512, 2000):
        rows = rng.normal(size=(5, n))
        expected = np.sort(rows, axis=1)
        assert np.array_equal(sorted_rows(rows.T.copy().T), expected)
        sort_rows(rows)
        assert np.array_equal(rows, expected)


# Of NumPy's sort, of its stable one and, only if these are close, of the buckets.
@pytest.mark.parametrize(
    ("seconds", "slow"),
    [([15, 200], False), ([150, 190, 30], True), ([150, 190, 140], False)],
)
def test_buckets_are_compiled_only_where_numpy_may_be_slow(monkeypatch, seconds, slow):
    left = list(seconds)
    monkeypatch.setattr(sort, "_seconds", lambda *_: left.pop(0))

    assert sort._numpy_is_slow.__wrapped__() is slow
    assert not left


def test_a_part_of_an_array_is_sorted_in_its_place(rng):
    whole = rng.normal(size=(6, 3000))
    before = whole.copy()
    sort_by_buckets(whole[2:4])
    assert np.array_equal(whole[2:4], np.sort(before[2:4], axis=1))
    assert np.array_equal(whole[[0, 1, 4, 5]], before[[0, 1, 4, 5]])
