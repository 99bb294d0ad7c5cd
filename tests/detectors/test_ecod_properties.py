"""Invariances of ECOD, such as to the order of rows and columns."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from odbench_detectors.copod.detector import COPOD
from odbench_detectors.ecod.detector import ECOD
from odbench_detectors.hbos.detector import HBOS
from tests.reference import ecod as slow

FLOATS = st.floats(-1e6, 1e6, allow_subnormal=False) | st.integers(-3, 3).map(float)


@st.composite
def tables(draw):
    """Train rows and rows to score, with ties and shared values."""
    n, m = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    d = draw(st.integers(1, 4))
    both = draw(arrays(np.float64, (n + m, d), elements=FLOATS))
    return both[:n], both[n:]


EVERY = [ECOD, lambda: ECOD("columns"), COPOD, HBOS]
quick = settings(max_examples=50, deadline=None)


@pytest.mark.parametrize("aggregate", ["sums", "columns"])
@given(tables())
@quick
def test_equals_counting(aggregate, table):
    train, rows = table

    scores = ECOD(aggregate).fit(train).decision_function(rows)

    expected = slow.ecod(train.tolist(), rows.tolist(), aggregate)
    assert_allclose(scores, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("make", EVERY)
@given(tables(), st.randoms(use_true_random=False))
@quick
def test_order_of_rows_does_not_matter(make, table, random):
    train, rows = table
    shuffled = random.sample(range(len(train)), len(train))
    turned = random.sample(range(len(rows)), len(rows))

    plain = make().fit(train).decision_function(rows)

    other = make().fit(train[shuffled]).decision_function(rows[turned])
    assert_array_equal(other, plain[turned])


@pytest.mark.parametrize("make", EVERY)
@given(tables(), st.randoms(use_true_random=False))
@quick
def test_order_of_columns_does_not_matter(make, table, random):
    train, rows = table
    order = random.sample(range(train.shape[1]), train.shape[1])

    plain = make().fit(train).decision_function(rows)

    other = make().fit(train[:, order]).decision_function(rows[:, order])
    assert_allclose(other, plain, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("make", EVERY)
@given(tables())
@quick
def test_a_row_alone_equals_the_row_in_a_batch(make, table):
    train, rows = table
    detector = make().fit(train)
    together = detector.decision_function(np.vstack((rows, rows[:1])))

    alone = [detector.decision_function(row[None])[0] for row in rows]

    assert_array_equal(alone, together[:-1])
    assert together[-1] == together[0]


@given(tables())
@quick
def test_increasing_transforms_do_not_matter_without_the_skew(table):
    train, rows = table
    plain = ECOD("columns").fit(train).decision_function(rows)

    # Doubling is exact, so no two values fall together.
    bent = ECOD("columns").fit(np.where(train < 0, 2 * train, 4 * train))

    scores = bent.decision_function(np.where(rows < 0, 2 * rows, 4 * rows))
    assert_array_equal(scores, plain)


@given(tables())
@quick
def test_increasing_transforms_that_keep_the_skews_sign_do_not_matter(table):
    train, rows = table
    plain = ECOD().fit(train)
    bent = ECOD().fit(np.where(train < 0, 2 * train, 4 * train))
    assume(((plain.columns_.skewness < 0) == (bent.columns_.skewness < 0)).all())

    scores = bent.decision_function(np.where(rows < 0, 2 * rows, 4 * rows))

    assert_array_equal(scores, plain.decision_function(rows))


@given(tables(), st.integers(-3, 3))
@quick
def test_scaling_keeps_the_skew_and_so_the_sums(table, power):
    train, rows = table
    plain = ECOD().fit(train).decision_function(rows)

    scaled = ECOD().fit(train * 2.0**power).decision_function(rows * 2.0**power)

    assert_array_equal(scaled, plain)


@given(tables())
@quick
def test_doubled_train_rows_move_scores_by_the_ones_alone(table):
    train, rows = table
    n = len(train)
    doubled = ECOD("columns").fit(np.vstack((train, train))).decision_function(rows)

    expected = np.zeros(len(rows))
    for j in range(train.shape[1]):
        at_most = (train[:, None, j] <= rows[:, j]).sum(axis=0)
        at_least = (train[:, None, j] >= rows[:, j]).sum(axis=0)
        least = 2 * np.minimum(at_most, at_least) + 1
        expected -= np.log(least / (2 * n + 1))
    assert_allclose(doubled, expected, rtol=1e-12, atol=1e-12)
