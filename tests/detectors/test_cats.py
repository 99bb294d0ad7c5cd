"""CATS as a detector: batches, ties, p-values and explanations."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from odbench.errors import DetectorError
from odbench_detectors.cats.detector import CATS
from odbench_detectors.cats.info import CATS as INFO
from odbench_detectors.cats.plot import plot_explanation
from odbench_detectors.cats.views import VIEWS


class Sharing:
    """A workspace that keeps everything."""

    def __init__(self, sizes):
        self.sizes, self.kept, self.asked = sizes, {}, 0

    def obtain(self, kind, rows, make, *, sample=None):
        self.asked += 1
        key = (kind, *map(id, rows))
        if key not in self.kept:
            self.kept[key] = make(self.sizes.get(kind, 0))
        return self.kept[key]


def mixed_table(rng, n):
    X = rng.normal(size=(n, 5)) @ rng.normal(size=(5, 5))
    X[:, 0] = np.round(X[:, 0])
    X[:, 1] = np.exp(X[:, 1])
    return X


def test_scores_do_not_depend_on_the_batch_to_the_last_bit(rng):
    X, queries = mixed_table(rng, 300), mixed_table(rng, 80) * 1.3
    detector = CATS().fit(X)
    together = detector.decision_function(queries)
    alone = np.concatenate([detector.decision_function(q[None]) for q in queries])
    assert (together == alone).all()
    assert (together[::-1] == detector.decision_function(queries[::-1].copy())).all()


def test_two_fits_agree_to_the_last_bit(rng):
    X, queries = mixed_table(rng, 300), mixed_table(rng, 50)
    scores = [CATS().fit(X).decision_function(queries) for _ in range(2)]
    assert (scores[0] == scores[1]).all()


def test_a_workspace_changes_no_bit_and_is_used(rng):
    X, queries = mixed_table(rng, 200), mixed_table(rng, 40)
    X, queries = (X - X.mean(0)) / X.std(0), (queries - X.mean(0)) / X.std(0)
    alone = CATS().fit(X).decision_function(queries)
    detector = CATS()
    workspace = Sharing({**detector.shared_needs(), "odbench.neighbours": 50})
    detector.use_workspace(workspace)
    shared = detector.fit(X).decision_function(queries)
    assert (alone == shared).all()
    assert {key[0] for key in workspace.kept} == set(INFO.shares)
    assert set(detector.shared_needs()) == set(INFO.shares)


def test_columns_may_come_in_any_unit(rng):
    X, queries = mixed_table(rng, 300), mixed_table(rng, 60)
    units, origin = np.array([1e-3, 7.0, 1e6, 1.0, 42.0]), np.arange(5.0)
    here = CATS().fit(X).decision_function(queries)
    there = CATS().fit(X * units + origin).decision_function(queries * units + origin)
    # Rounding may break ties of equal values.
    assert np.mean(np.abs(here - there) < 1e-6) > 0.95


# All of 15 train rows are candidates; among more, ties would decide.
@pytest.mark.parametrize(("columns", "n"), [(1, 15), (4, 600)])
@pytest.mark.parametrize(("unit", "origin"), [(3.0, 0.0), (10.0, 0.0), (1.0, 7.0)])
def test_equal_distances_are_equal_in_any_unit(rng, columns, n, unit, origin):
    X = rng.integers(0, 1000, size=(n, columns)).astype(float)
    queries = rng.integers(0, 1000, size=(600, columns)).astype(float)
    here = CATS().fit(X).decision_function(queries)
    there = CATS().fit(X * unit + origin).decision_function(queries * unit + origin)
    assert there == pytest.approx(here, abs=1e-9)


@pytest.mark.parametrize("n", [2, 3, 5, 19, 21, 22])
@pytest.mark.parametrize("d", [1, 2])
def test_tiny_tables_get_finite_scores(rng, n, d):
    detector = CATS().fit(rng.normal(size=(n, d)))
    scores = detector.decision_function(rng.normal(size=(7, d)) * 10)
    assert scores.shape == (7,)
    assert np.isfinite(scores).all()


def test_more_columns_than_rows(rng):
    detector = CATS().fit(rng.normal(size=(30, 200)))
    assert np.isfinite(detector.decision_function(rng.normal(size=(5, 200)))).all()


def test_all_rows_alike_make_anything_else_stand_out():
    detector = CATS().fit(np.full((50, 3), 2.5))
    alike, other = detector.decision_function(np.array([[2.5] * 3, [2.5, 2.5, 3]]))
    assert other > alike
    assert np.isfinite([alike, other]).all()


@pytest.mark.parametrize("size", [1e8, 1e30, 1e150, 1e300])
def test_huge_values_are_finite_and_rank_highest(rng, size):
    X = rng.normal(size=(200, 3))
    queries = np.vstack([rng.normal(size=(20, 3)), [[size, 0, 0], [-size, size, 0]]])
    scores = CATS().fit(X).decision_function(queries)
    assert np.isfinite(scores).all()
    assert scores[-2:].min() > scores[:-2].max()
    X[0, 0] = size
    assert np.isfinite(CATS().fit(X).decision_function(queries)).all()


def test_input_is_neither_changed_nor_required_in_one_layout(rng):
    X, queries = mixed_table(rng, 100), mixed_table(rng, 20)
    expected = CATS().fit(X).decision_function(queries)
    X.flags.writeable = queries.flags.writeable = False
    fortran = CATS().fit(np.asfortranarray(X))
    assert (fortran.decision_function(np.asfortranarray(queries)) == expected).all()


def test_each_kind_of_anomaly_is_found_by_its_view(rng):
    base = rng.normal(size=(500, 1))
    X = np.column_stack([base, base + 0.1 * rng.normal(size=(500, 1))])
    X = np.column_stack([X, rng.integers(0, 3, size=500) * 10])
    detector = CATS().fit(X)
    edge, novel, against = detector.explain(
        np.array([[6.0, 6.0, 10.0], [0.0, 0.0, 15.0], [1.5, -1.5, 10.0]]),
        ["a", "b", "c"],
    )
    inlier = detector.decision_function(np.array([[0.0, 0.0, 10.0]]))[0]
    assert min(edge.score, novel.score, against.score) > inlier
    assert next(iter(novel.columns)) == "c"
    assert novel.views["gap"] > novel.views["tail"]
    assert against.views["whitened"] > against.views["tail"]
    assert list(against.columns)[-1] == "c"


def test_explanations_add_up_to_the_score(rng):
    X, queries = mixed_table(rng, 300), mixed_table(rng, 30) * 2
    detector = CATS().fit(X)
    explained = detector.explain(queries)
    scores = detector.decision_function(queries)
    assert [e.score for e in explained] == pytest.approx(list(scores), rel=1e-12)
    for i, e in enumerate(explained):
        assert e.row == i
        assert set(e.views) == set(VIEWS)
        assert sum(e.views.values()) == pytest.approx(1.0)
        assert sum(e.columns.values()) == pytest.approx(1.0)
        assert list(e.views.values()) == sorted(e.views.values(), reverse=True)


def test_columns_of_one_name_keep_their_shares(rng):
    detector, row = CATS().fit(rng.normal(size=(200, 3))), np.array([[4.0, 1.0, -2.0]])
    (apart,) = detector.explain(row, pd.Index(["a", "b", "c"]))
    (alike,) = detector.explain(row, pd.Index(["a", "b", "a"]))
    assert alike.columns["a"] == pytest.approx(apart.columns["a"] + apart.columns["c"])
    assert sum(alike.columns.values()) == pytest.approx(1.0)
    assert list(alike.columns) == sorted(alike.columns, key=lambda n: -alike.columns[n])


@pytest.mark.parametrize("names", [[], ["a", "b"], ["a", "b", "c", "d"]])
def test_another_number_of_names_than_of_columns_is_refused(rng, names):
    detector = CATS().fit(rng.normal(size=(20, 3)))
    with pytest.raises(
        DetectorError, match=f"expected 3 column names, got {len(names)}"
    ):
        detector.explain(rng.normal(size=(1, 3)), names)


def test_an_explanation_reads_and_draws(rng):
    X = rng.normal(size=(300, 3))
    (explanation,) = (
        CATS().fit(X).explain(np.array([[0.0, 9.0, 0.0]]), ["height", "weight", "age"])
    )
    assert "weight" in str(explanation)
    assert "row 0 scores" in str(explanation)
    figure = plot_explanation(explanation)
    labels = [t.get_text() for t in figure.axes[1].get_yticklabels()]
    assert labels[-1] == "weight"


def test_p_values_of_fresh_inliers_are_uniform(rng):
    p = []
    for _ in range(40):
        X = mixed_table(rng, 300)
        mixing = rng.normal(size=(5, 5))
        X, fresh = (
            rng.normal(size=(200, 5)) @ mixing,
            rng.normal(size=(100, 5)) @ mixing,
        )
        p.append(CATS().fit(X).p_values(fresh))
    p = np.concatenate(p)
    for level in (0.05, 0.1, 0.25, 0.5, 0.9):
        # Rows of one table share their calibration: about 3 standard errors.
        spread = 3 * np.sqrt(level * (1 - level) * (1 / 4000 + 1 / 4000))
        assert np.mean(p <= level) == pytest.approx(level, abs=spread + 1 / 101)


def test_p_values_leave_scores_as_they_were(rng):
    X, queries = mixed_table(rng, 200), mixed_table(rng, 30)
    detector = CATS().fit(X)
    before = detector.decision_function(queries)
    p = detector.p_values(queries)
    assert (detector.decision_function(queries) == before).all()
    assert (detector.p_values(queries) == p).all()
    assert p.min() >= 1 / 101
    assert p.max() <= 1


def test_flagging_keeps_false_discoveries_at_the_asked_rate(rng):
    false, found = [], []
    for _ in range(30):
        X, inliers = rng.normal(size=(400, 3)), rng.normal(size=(90, 3))
        queries = np.vstack([inliers, rng.normal(size=(10, 3)) + 8])
        chosen = CATS().fit(X).flag(queries, fdr=0.2)
        false.append(chosen[:90].sum() / max(chosen.sum(), 1))
        found.append(chosen[90:].mean())
    assert np.mean(false) < 0.2 + 0.05
    assert np.mean(found) > 0.8


@pytest.mark.parametrize("fdr", [0, 1, -0.1, float("nan")])
def test_a_rate_that_is_none_is_refused(rng, fdr):
    detector = CATS().fit(rng.normal(size=(20, 2)))
    with pytest.raises(DetectorError, match="between 0 and 1"):
        detector.flag(rng.normal(size=(3, 2)), fdr=fdr)


def test_wrong_tables_are_refused_in_one_line(rng):
    with pytest.raises(DetectorError, match="at least 2 train rows"):
        CATS().fit(np.zeros((1, 3)))
    with pytest.raises(DetectorError, match="NaN or infinity"):
        CATS().fit(np.array([[0.0], [np.nan], [1.0]]))
    detector = CATS().fit(rng.normal(size=(3, 2)))
    with pytest.raises(DetectorError, match="expected 2 columns"):
        detector.decision_function(np.zeros((1, 3)))
    with pytest.raises(DetectorError, match="at least 4 train rows"):
        detector.p_values(np.zeros((1, 2)))


def test_one_train_row_is_refused_in_one_line():
    with pytest.raises(DetectorError, match=r"at least 2 train rows, got shape \(1, 3"):
        CATS().fit(np.zeros((1, 3)))


METHODS = ["decision_function", "p_values", "flag", "explain"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_without_a_place_is_refused_in_one_line(rng, method, bad):
    # Five columns: with fewer, the search finds neighbours by chance.
    detector, queries = CATS().fit(rng.normal(size=(300, 5))), rng.normal(size=(9, 5))
    queries[[4, 7], 2] = bad
    with pytest.raises(DetectorError, match=r"^row 4 holds NaN or infinity"):
        getattr(detector, method)(queries)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_scored_before_fit(rng, method):
    with pytest.raises(DetectorError, match="no train rows yet: call fit first"):
        getattr(CATS(), method)(rng.normal(size=(3, 2)))


def test_a_table_that_the_caller_uses_again_changes_nothing(rng):
    X, queries = mixed_table(rng, 200), mixed_table(rng, 40)
    X, queries = (X - X.mean(0)) / X.std(0), (queries - X.mean(0)) / X.std(0)
    detector, other = CATS().fit(X), CATS().fit(X.copy())
    X[:] = 0.0
    for method in ("decision_function", "p_values"):
        kept, expected = (getattr(c, method)(queries) for c in (detector, other))
        assert (kept == expected).all()


def test_calibration_is_bounded_and_close_to_the_whole(rng, monkeypatch):
    X, queries = mixed_table(rng, 3000), mixed_table(rng, 300)
    whole = CATS().fit(X)
    monkeypatch.setattr("odbench_detectors.cats.scoring.CALIBRATION", 1000)
    bounded = CATS().fit(X)
    assert len(bounded.tails["gap"].scores) == 1000
    a, b = (c.decision_function(queries) for c in (whole, bounded))
    assert np.corrcoef(a, b)[0, 1] > 0.98


def test_looking_at_the_info_loads_nothing_heavy():
    code = (
        "import sys, odbench_detectors.cats.info;"
        "print([m for m in ('numba', 'scipy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert INFO.build().get_params() == {}
