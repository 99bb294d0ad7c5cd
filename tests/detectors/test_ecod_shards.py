"""ECOD on shards equals ECOD on the whole; in bounded memory the error is bounded."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from odbench.errors import DetectorError
from odbench_detectors.copod.detector import COPOD
from odbench_detectors.ecod.detector import ECOD
from odbench_detectors.shared.columns import sorted_columns
from odbench_detectors.shared.columns_sketch import ColumnSketch


def table(rng, n_rows):
    return np.column_stack(
        (
            rng.standard_normal((n_rows, 3)),
            rng.integers(-2, 4, (n_rows, 2)),
            np.exp(2 * rng.standard_normal(n_rows)),
            np.where(rng.random(n_rows) < 0.7, 0.0, rng.standard_normal(n_rows)),
        )
    )


@pytest.mark.parametrize(
    "make", [ECOD, lambda: ECOD("columns"), lambda: ECOD("columns", "batch"), COPOD]
)
def test_row_shards_equal_the_whole(rng, make):
    X, rows = table(rng, 1000), 1.3 * table(rng, 300)
    whole = make().fit(X).decision_function(rows)

    partial = make()
    for start in range(0, 1000, 170):
        partial.partial_fit(X[start : start + 170])
    merged = make().fit(X[:400]).merge(make().fit(X[400:]))

    assert_array_equal(partial.decision_function(rows), whole)
    assert_array_equal(merged.decision_function(rows), whole)


@pytest.mark.parametrize(
    "make",
    [ECOD, lambda: ECOD("columns", "batch"), lambda: ECOD(quantiles=16)],
    ids=["train", "batch", "quantiles"],
)
def test_a_buffer_can_be_filled_again(rng, make):
    X, rows = table(rng, 600), table(rng, 50)
    whole, partial = make(), make()
    buffer = np.empty((200, 7))

    for start in range(0, 600, 200):
        buffer[:] = X[start : start + 200]
        partial.partial_fit(buffer)
        whole.partial_fit(X[start : start + 200])

    assert_array_equal(partial.decision_function(rows), whole.decision_function(rows))


@pytest.mark.parametrize("quantiles", [0, 16])
def test_a_refused_block_leaves_nothing(rng, quantiles):
    X, rows = table(rng, 150), table(rng, 30)
    bad = X[50:].copy()
    bad[60, 2] = np.nan
    detector = ECOD(quantiles=quantiles).fit(X[:50])

    with pytest.raises(DetectorError, match="column 2 holds NaN"):
        detector.partial_fit(bad)

    plain = ECOD(quantiles=quantiles).fit(X[:50])
    assert detector.columns_.n_rows == 50
    assert_array_equal(detector.decision_function(rows), plain.decision_function(rows))


def test_a_refused_first_block_does_not_settle_the_columns(rng):
    X = table(rng, 100)
    detector = ECOD(quantiles=16)

    with pytest.raises(DetectorError, match="column 0 holds NaN"):
        detector.partial_fit(np.full((9, 3), np.nan))

    assert detector.partial_fit(X).columns_.n_columns == 7


def test_column_shards_exchange_three_vectors(rng):
    X, rows = table(rng, 800), 1.3 * table(rng, 300)
    whole = ECOD().fit(X).decision_function(rows)

    shards = [slice(0, 2), slice(2, 3), slice(3, 7)]
    sums = [ECOD().fit(X[:, part]).tail_sums(rows[:, part]) for part in shards]

    assert all(part.shape == (3, 300) for part in sums)
    assert_allclose(sum(sums).max(axis=0), whole, rtol=1e-12)


def test_fit_starts_anew(rng):
    X = table(rng, 200)
    again = ECOD().fit(table(rng, 50)).fit(X)

    assert_array_equal(again.decision_function(X), ECOD().fit(X).decision_function(X))


@pytest.mark.parametrize("size", [8, 64, 512])
def test_rank_error_is_bounded(rng, size):
    X = table(rng, 20_000)
    X[:, 0].sort()
    detector = ECOD(quantiles=size)
    for start in range(0, 20_000, 3001):
        detector.partial_fit(X[start : start + 3001])
    kept = detector.columns_
    probes = np.vstack((X[::7], 1.01 * X[::7]))
    bound = 20_000 * np.log2(20_000 / size) / (4 * size) + 20_000 / size

    assert 0 < detector.rank_error_ <= bound
    assert kept.values.shape[1] <= size * (np.log2(20_000 / size) + 3)
    worst = 0
    for j in range(X.shape[1]):
        column = np.sort(X[:, j])
        for side in ("left", "right"):
            at = np.searchsorted(kept.values[j], probes[:, j], side=side)
            exact = np.searchsorted(column, probes[:, j], side=side)
            worst = max(worst, abs(kept.ranks[j, at] - exact).max())
            near_end = (exact < size // 2) | (exact > 20_000 - size // 2)
            assert_array_equal(kept.ranks[j, at][near_end], exact[near_end])
    assert 0 < worst <= detector.rank_error_


def test_few_rows_are_kept_exactly(rng):
    X, rows = table(rng, 500), table(rng, 100)
    small = ECOD(quantiles=512).fit(X)

    assert small.rank_error_ == 0
    assert_array_equal(
        small.decision_function(rows), ECOD().fit(X).decision_function(rows)
    )


def test_sketches_merge(rng):
    X, rows = table(rng, 9000), table(rng, 400)
    a, b = ECOD(quantiles=256).fit(X[:4100]), ECOD(quantiles=256).fit(X[4100:])
    exact = ECOD().fit(X)

    merged = a.merge(b)

    assert merged.columns_.n_rows == 9000
    assert_allclose(merged.columns_.skewness, exact.columns_.skewness, rtol=1e-9)
    for j, column in enumerate(exact.columns_.values):
        at = np.searchsorted(merged.columns_.values[j], rows[:, j], side="right")
        exact_rank = np.searchsorted(column, rows[:, j], side="right")
        error = abs(merged.columns_.ranks[j, at] - exact_rank).max()
        assert error <= merged.rank_error_


def test_shards_that_do_not_fit_together_are_refused(rng):
    X = table(rng, 100)
    with pytest.raises(DetectorError, match="expected 7 columns as in fit, got 3"):
        ECOD().fit(X).merge(ECOD().fit(X[:, :3]))
    with pytest.raises(DetectorError, match="expected 7 columns as in fit, got 2"):
        ECOD().fit(X).partial_fit(X[:, :2])
    with pytest.raises(DetectorError, match="quantiles and exact"):
        ECOD().fit(X).merge(ECOD(quantiles=16).fit(X))
    with pytest.raises(DetectorError, match="reference 'train' into 'batch'"):
        ECOD(reference="batch").fit(X).merge(ECOD().fit(X))
    with pytest.raises(DetectorError, match="reference 'batch' into 'train'"):
        ECOD().fit(X).merge(ECOD(reference="batch").fit(X))
    with pytest.raises(DetectorError, match="size 32"):
        ECOD(quantiles=16).fit(X).merge(ECOD(quantiles=32).fit(X))
    with pytest.raises(DetectorError, match="from 8 up"):
        ECOD(quantiles=3).fit(X)
    with pytest.raises(DetectorError, match="batch"):
        ECOD(reference="batch", quantiles=64).fit(X)
    with pytest.raises(DetectorError, match="column 2 holds NaN"):
        ColumnSketch(3, 8).add(np.array([[0.0, 1.0, np.nan]]))


def test_detectors_share_one_sort(rng):
    class Workspace:
        def __init__(self):
            self.made = {}

        def obtain(self, kind, rows, make, *, sample=None):
            key = (kind, *map(id, rows))
            if key not in self.made:
                self.made[key] = make(0)
            return self.made[key]

    from odbench_detectors.hbos.detector import HBOS

    X, rows = table(rng, 300), table(rng, 50)
    workspace = Workspace()
    for make in (ECOD, COPOD, HBOS):
        sharing = make()
        assert sharing.shared_needs() == {"odbench.sorted_columns": 1}
        sharing.use_workspace(workspace)
        assert_array_equal(
            sharing.fit(X).decision_function(rows),
            make().fit(X).decision_function(rows),
        )

    assert len(workspace.made) == 1
    assert_array_equal(
        next(iter(workspace.made.values())).values, sorted_columns(X).values
    )
