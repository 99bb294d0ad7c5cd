"""Statistics over data sets equal loops that count, and other libraries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from odbench.scoring import aggregate
from tests.reference import scoring as reference

# Slow examples on a busy machine are not failures.
patient = settings(deadline=None)


@st.composite
def tables(draw):
    """Values with ties and cells that rank last."""
    n, m = draw(st.integers(1, 6)), draw(st.integers(2, 6))
    cell = st.integers(0, 6).map(lambda k: k / 6)
    values = draw(
        st.lists(st.lists(cell, min_size=m, max_size=m), min_size=n, max_size=n)
    )
    gone = st.integers(0, 5).map(lambda k: k == 0)
    last = draw(
        st.lists(st.lists(gone, min_size=m, max_size=m), min_size=n, max_size=n)
    )
    return values, last


@patient
@given(tables())
def test_every_statistic_equals_the_slow_one(table):
    values, last = table
    a, b = np.array(values), np.array(last)

    rank = aggregate.ranks(a, b)

    same = pytest.approx
    assert rank.tolist() == reference.rank_table(values, last)
    assert aggregate.win_rate(rank).tolist() == same(reference.win_rate(values, last))
    assert aggregate.top_share(rank, b).tolist() == same(
        reference.top_share(values, last)
    )
    assert aggregate.champion_delta(a).tolist() == same(
        reference.champion_delta(values)
    )
    assert aggregate.relative_to_best(a).tolist() == same(
        reference.relative_to_best(values)
    )
    assert aggregate.relative_in_range(a).tolist() == same(
        reference.relative_in_range(values)
    )


@patient
@given(tables())
def test_ranks_equal_scipys(table):
    values, _ = table

    rank = aggregate.ranks(np.array(values))

    expected = rankdata(-np.round(values, 5), axis=1)
    np.testing.assert_array_equal(rank, expected)


@patient
@given(tables())
def test_sizes_count_how_many_share_a_rank(table):
    keys = np.array(table[0])

    ranked = aggregate.average_ranks(keys)

    expected = (keys[:, :, None] == keys[:, None, :]).sum(axis=2)
    np.testing.assert_array_equal(ranked.size, expected)


def test_values_that_agree_to_five_decimals_are_ties():
    rank = aggregate.ranks(np.array([[0.900001, 0.900002, 0.90002]]))

    assert rank.tolist() == [[2.5, 2.5, 1.0]]


def test_a_cell_that_ranks_last_is_behind_a_lower_value():
    rank = aggregate.ranks(np.array([[0.3, 0.5]]), np.array([[False, True]]))

    assert rank.tolist() == [[1.0, 2.0]]


def test_a_failed_method_is_never_in_the_top_three():
    rank = aggregate.ranks(np.array([[0.9, 0.5]]), np.array([[False, True]]))

    assert aggregate.top_share(rank, np.array([[False, True]])).tolist() == [1.0, 0.0]


def test_one_method_wins_against_nobody():
    assert np.isnan(aggregate.win_rate(np.ones((3, 1)))).all()


def test_a_perfect_champion_has_nothing_to_save():
    delta = aggregate.champion_delta(np.array([[1.0, 0.75], [0.5, 0.75]]))

    # On the first set the champion saves all of the other's error, on the second half.
    assert delta.tolist() == [0.25, 0.5]


def test_the_total_rank_averages_places():
    total = aggregate.total_rank(
        higher=[np.array([0.9, 0.8, 0.8])], lower=[np.array([2.0, 1.0, 3.0])]
    )

    assert total.tolist() == [1.5, 1.75, 2.75]


def test_rounding_errors_decide_no_total_rank():
    total = aggregate.total_rank(higher=[np.array([0.1 + 0.2, 0.3])], lower=[])

    assert total.tolist() == [1.5, 1.5]
