"""Draws follow their distributions and depend only on the key."""

import numpy as np
import pytest
from scipy import stats

from odbench.synbench import stream

MAKERS = {
    "seeded": lambda *key: stream.seeded(1, key),
    "secret": lambda *key: stream.secret(b"k" * 32, key),
}
BOTH = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


@BOTH
def test_the_same_key_gives_the_same_draws_and_another_key_others(make):
    first, again, other = make(0, 1).uniform(100), make(0, 1).uniform(100), make(0, 2)

    np.testing.assert_array_equal(first, again)
    assert not np.intersect1d(first, other.uniform(100)).size


@BOTH
def test_uniform_and_normal_laws(make):
    source = make(3)

    assert stats.kstest(source.uniform(20_000), "uniform").pvalue > 1e-3
    assert stats.kstest(source.normal(20_000), "norm").pvalue > 1e-3


def test_uniform_never_reaches_an_end():
    lowest, highest = np.array([0], dtype=np.uint64), np.array([2**64 - 1], np.uint64)

    low = stream.Stream(lambda _: lowest.copy()).uniform(1)
    high = stream.Stream(lambda _: highest.copy()).uniform(1)

    assert low == 2.0**-53
    assert high == 1.0 - 2.0**-53


@BOTH
def test_integers_are_uniform_with_both_ends(make):
    counts = np.bincount(make(4).integers(2, 5, 40_000), minlength=7)

    assert counts[[0, 1, 6]].sum() == 0
    assert stats.chisquare(counts[2:6]).pvalue > 1e-3


@BOTH
def test_permutation_holds_everything_once(make):
    np.testing.assert_array_equal(np.sort(make(5).permutation(1000)), np.arange(1000))


@BOTH
def test_subsets_have_the_asked_sizes_and_no_favourites(make):
    sizes = np.tile([1, 2, 3], 4000)

    chosen = make(6).subsets(5, sizes)

    np.testing.assert_array_equal(chosen.sum(axis=0), sizes)
    assert stats.chisquare(chosen.sum(axis=1)).pvalue > 1e-3


def test_seeded_words_are_those_of_the_named_seed_sequence():
    sequence = np.random.SeedSequence(7, spawn_key=(2, 11))
    words = np.random.PCG64(sequence).random_raw(5)

    found = stream.seeded(7, (2, 11)).uniform(5)

    np.testing.assert_array_equal(found, ((words >> 12) + 0.5) / 2.0**52)


def test_a_retry_is_the_next_spawn_of_the_set():
    child = np.random.SeedSequence(7, spawn_key=(2, 11)).spawn(2)[1]
    words = np.random.PCG64(child).random_raw(3)

    found = stream.seeded(7, (2, 11, 1)).uniform(3)

    np.testing.assert_array_equal(found, ((words >> 12) + 0.5) / 2.0**52)
