"""How far scores depend on the rows that are scored together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odbench.sweep.batch import NOT_SCORED, batch_difference, rows_to_repeat


def test_equal_scores_have_no_difference(rng):
    scores = rng.normal(size=500)

    assert batch_difference(scores[:64], scores) == 0


def test_the_difference_is_told_in_spreads(rng):
    scores = rng.normal(size=5000)
    spread = np.subtract(*np.percentile(scores, (75, 25)))
    alone = scores[:64].copy()
    near_the_middle = int(np.argmin(np.abs(alone)))
    alone[near_the_middle] += 0.1

    assert batch_difference(alone, scores) == pytest.approx(0.1 / spread)


@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_rounding_is_not_a_difference(rng, scale, offset):
    scores = (rng.lognormal(0, 3, size=500) + offset) * scale
    alone = scores[:64] * (1 + 1e-15)

    assert batch_difference(alone, scores) == 0


def test_single_precision_stays_far_below_what_counts(rng):
    scores = rng.lognormal(0, 3, size=500)
    alone = scores[:64].astype(np.float32).astype(np.float64)

    assert batch_difference(alone, scores) < 1e-6


def test_mostly_equal_scores_have_a_spread_too(rng):
    scores = np.zeros(1000)
    scores[::10] = rng.normal(size=100)
    alone = scores[:64].copy()
    alone[1] = 0.5

    assert batch_difference(alone, scores) > 1


def test_constant_scores_that_change_count():
    assert batch_difference(np.full(5, 2.0), np.full(10, 1.0)) > 1


def test_scores_that_could_not_be_made_count_as_a_spread():
    assert batch_difference(None, np.arange(10.0)) == NOT_SCORED


def test_scores_drawn_at_random_do_not_depend_on_the_batch(rng):
    together = rng.normal(size=500)
    alone = together[:64] + rng.normal(0, 0.01, size=64)
    again = together[:64] + rng.normal(0, 0.01, size=64)

    assert batch_difference(alone, together) > 1e-3
    assert batch_difference(alone, together, again=again) == 0


def test_a_batch_that_counts_more_than_chance_is_found(rng):
    together = rng.normal(size=500)
    alone = together[:64] + 1 + rng.normal(0, 0.01, size=64)
    again = together[:64] + 1 + rng.normal(0, 0.01, size=64)

    assert batch_difference(alone, together, again=again) > 0.5


@given(
    scores=st.lists(
        st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=40
    ),
    data=st.data(),
)
def test_the_difference_is_always_a_finite_number(scores, data):
    rows = rows_to_repeat(len(scores))
    any_score = st.floats(allow_nan=False, allow_infinity=False)
    alone = data.draw(st.lists(any_score, min_size=rows, max_size=rows))

    found = batch_difference(np.array(alone), np.array(scores))

    assert np.isfinite(found)
    assert found >= 0


def test_at_most_half_of_the_rows_are_scored_again():
    assert [rows_to_repeat(n) for n in (0, 1, 2, 3, 100, 10**6)] == [0, 0, 1, 1, 50, 64]
