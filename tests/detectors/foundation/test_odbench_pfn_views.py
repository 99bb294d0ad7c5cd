"""The numbers that odbench_pfn gives its network, against slow versions."""

import numpy as np
import pytest

from odbench_detectors.foundation.odbench_pfn import candidates
from odbench_detectors.foundation.odbench_pfn.columns import place
from odbench_detectors.foundation.odbench_pfn.context import NEIGHBOURS, Context
from odbench_detectors.foundation.odbench_pfn.linear import Linear
from odbench_detectors.foundation.odbench_pfn.tails import Tails
from odbench_detectors.foundation.odbench_pfn.views import (
    COLUMN_NUMBERS,
    ROW_NUMBERS,
    Views,
)
from tests.reference import odbench_pfn as slow


@pytest.fixture
def rows(rng):
    """A table with a continuous, a coarse and a skewed column, and duplicates."""
    z = rng.normal(size=(60, 3))
    table = np.stack([z[:, 0], np.round(z[:, 1]), np.exp(z[:, 2] + z[:, 0])], axis=1)
    table[50:] = table[:10]
    return table


def test_values_are_placed_among_the_others_of_their_column(rows, rng):
    queries = np.vstack([rows[:5], rng.normal(size=(20, 3)) * 4])
    ordered = np.ascontiguousarray(np.sort(rows, axis=0).T)

    found = place(ordered, queries, own=False)

    for i, query in enumerate(queries):
        for j, value in enumerate(query):
            below, equal, gap, beyond = slow.place(rows[:, j], value)
            assert (found.below[i, j], found.equal[i, j]) == (below, equal)
            assert found.gap[i, j] == pytest.approx(gap)
            assert found.beyond[i, j] == pytest.approx(beyond)
            tail, score = found.tail()[i, j], found.normal_scores()[i, j]
            assert tail == pytest.approx(slow.tail(rows[:, j], value))
            assert score == pytest.approx(slow.normal_score(rows[:, j], value))


def test_a_context_row_is_placed_as_if_it_were_left_out(rows):
    ordered = np.ascontiguousarray(np.sort(rows, axis=0).T)

    own = place(ordered, rows, own=True)

    for i in range(len(rows)):
        rest = np.ascontiguousarray(np.sort(np.delete(rows, i, axis=0), axis=0).T)
        alone = place(rest, rows[i : i + 1], own=False)
        for name in ("below", "equal", "gap", "beyond"):
            assert np.array_equal(getattr(own, name)[i], getattr(alone, name)[0])


@pytest.mark.parametrize("own", [False, True])
def test_surprises_are_tail_probabilities(rng, own):
    values = np.round(rng.exponential(size=(40, 2)), 1)
    others = values if own else np.round(rng.exponential(size=(30, 2)) * 2, 1)

    found = Tails.of(values).surprise(others, own=own)

    calibrating = values.astype(np.float32).astype(float)
    for i, j in np.ndindex(others.shape):
        value = float(np.float32(others[i, j]))
        expected = slow.surprise(calibrating[:, j], value, own=own)
        assert found[i, j] == pytest.approx(expected)


def test_residuals_are_those_of_regressions(rng):
    rows = rng.normal(size=(80, 4)) @ rng.normal(size=(4, 4))
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    linear = Linear.of(rows)
    query = rng.normal(size=(1, 4))

    found, _ = linear.residuals(query, own=False)

    expected = slow.residuals(rows, query[0], 1 - linear.share)
    np.testing.assert_allclose(found[0], expected, rtol=1e-9)


def test_a_context_rows_residuals_are_nearly_those_without_it(rng):
    rows = rng.normal(size=(40, 5))
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    linear = Linear.of(rows)

    own, _ = linear.residuals(rows, own=True)
    naive, _ = linear.residuals(rows, own=False)

    rest = [np.delete(rows, i, axis=0) for i in range(len(rows))]
    pairs = zip(rest, rows, strict=True)
    without = np.array([slow.residuals(a, b, 1 - linear.share) for a, b in pairs])
    assert np.abs(own - without).mean() < 0.5 * np.abs(naive - without).mean()


def test_candidates_are_compared_column_by_column(rng):
    rows, context = np.round(rng.normal(size=(2, 30, 6)))
    near = rng.integers(30, size=(30, 4)).astype(np.int32)
    gaps = np.abs(rows[:, None] - context[near])

    by_row = candidates.manhattan(rows, context, near)
    changes = candidates.fewest_changes(rows, context, near)
    by_column = candidates.differences(rows, context, near, 3)

    np.testing.assert_allclose(by_row, gaps.mean(axis=2))
    np.testing.assert_allclose(changes, (gaps != 0).mean(axis=2).min(axis=1))
    np.testing.assert_allclose(by_column, gaps[:, :3].mean(axis=1))


def test_context_rows_have_the_surprises_of_chance(rng):
    views = Views(Context(rng.normal(size=(400, 5))))

    numbers, columns = views.own(views.calibrating)

    # -log of a uniform number has mean 1; numbers are divided by 3.
    calibrated = numbers[:, :11] * 3
    assert numbers.shape == (400, ROW_NUMBERS)
    assert columns.shape == (400, 5, COLUMN_NUMBERS)
    np.testing.assert_allclose(calibrated.mean(axis=0), 1.0, atol=0.02)


@pytest.mark.parametrize("n", [2, 3, NEIGHBOURS, 40])
@pytest.mark.parametrize("d", [1, 2, 60])
def test_small_and_wide_tables_give_finite_numbers(rng, n, d):
    context = Context(rng.normal(size=(n, d)))
    views = Views(context)

    of_queries = views.of(context.others(rng.normal(size=(4, d)) * 1e6))
    of_own = views.own(views.calibrating)

    assert all(np.isfinite(part).all() for part in (*of_queries, *of_own))


def test_constant_columns_and_equal_rows_give_finite_numbers():
    context = Context(np.ones((30, 3)))
    views = Views(context)

    same = views.of(context.others(np.ones((1, 3))))
    other = views.of(context.others(np.array([[1.0, 2.0, 1.0]])))

    assert all(np.isfinite(part).all() for part in (*same, *other))
    assert other[0][0, 1] > same[0][0, 1]
