"""The explanations of CATS of a batch, and of the rows of one table."""

import numpy as np
import pytest

from odbench.errors import DetectorError
from odbench_detectors.cats.detector import CATS
from odbench_detectors.cats.explain import BATCH
from odbench_detectors.cats.robust import RANKING, Middle, surprise_of_rank
from odbench_detectors.cats.views import VIEWS

NAMES = ["height", "weight", "age"]


@pytest.fixture
def a_batch(rng):
    """Rows of which the last 60 are a group that stands out in weight alone."""
    train, batch = rng.normal(size=(300, 3)), rng.normal(size=(260, 3))
    batch[200:, 1] = rng.normal(size=60) * 0.05 + 1.0
    return CATS().fit(train), batch


@pytest.fixture
def a_table(rng):
    """A table whose last 20 rows are far out in weight alone."""
    X = rng.normal(size=(320, 3))
    X[300:, 1] += 7.0
    return X


def test_scores_of_a_batch_are_those_of_score_batch_to_the_last_bit(a_batch):
    detector, batch = a_batch
    scores = detector.score_batch(batch)
    rows = np.array([201, 3, 100])
    assert (detector.explain_batch(batch, NAMES).scores == scores).all()
    some = detector.explain_batch(batch, NAMES, rows)
    assert (some.scores == scores[rows]).all()
    assert [each.row for each in some] == [201, 3, 100]


def test_the_trees_add_what_the_batch_adds_to_the_score(a_batch):
    detector, batch = a_batch
    alone, together = detector.decision_function(batch), detector.score_batch(batch)
    told = detector.explain_batch(batch, NAMES)
    for row in (0, 150, 230):
        views = told[row].views
        assert set(views) == {*VIEWS, BATCH}
        assert views[BATCH] == pytest.approx(1 - alone[row] / together[row])
        assert sum(views.values()) == pytest.approx(1.0)
        # The views divide the rest as they do without a batch.
        own = detector.explain(batch[[row]], NAMES)[0].views
        rest = alone[row] / together[row]
        assert {v: views[v] for v in VIEWS} == pytest.approx(
            {v: rest * share for v, share in own.items()}
        )


def test_the_columns_that_tell_the_batch_from_train_are_named(a_batch):
    detector, batch = a_batch
    told = detector.explain_batch(batch, NAMES, np.arange(200, 260))
    assert np.median(told.shares[:, 1]) > 0.5
    table = told.table(5)
    assert list(table) == ["column", "value", "view", "share"]
    assert list(table.iloc[0][["column", "view"]]) == ["weight", BATCH]
    assert table["value"][0] == batch[205, 1]
    assert table["share"].sum() == pytest.approx(1.0)
    assert "batch: like other rows of the batch" in str(told[5])


def test_the_order_of_the_batch_and_copies_do_not_change_its_explanation(rng, a_batch):
    detector, batch = a_batch
    batch[:5] = batch[230]
    told = detector.explain_batch(batch)
    assert told.shares[:5] == pytest.approx(np.tile(told.shares[230], (5, 1)))
    for _ in range(3):
        order = rng.permutation(len(batch))
        moved = detector.explain_batch(batch[order])
        assert (moved.scores == told.scores[order]).all()
        assert moved.shares == pytest.approx(told.shares[order])
    assert detector.explain_batch(batch, rows=[230]).shares == pytest.approx(
        told.shares[[230]]
    )


def test_scores_of_own_rows_are_those_of_fit_score_to_the_last_bit(a_table):
    scores = CATS().fit_score(a_table)
    rows = np.array([310, 5, 319, 0])
    assert (CATS().explain_own(a_table, NAMES).scores == scores).all()
    some = CATS().explain_own(a_table, NAMES, rows)
    assert (some.scores == scores[rows]).all()
    assert [each.row for each in some] == rows.tolist()


def test_own_rows_are_explained_by_the_views_that_rank_them(a_table):
    detector = CATS()
    told = detector.explain_own(a_table, NAMES)
    core = np.isin(np.arange(320), _core(a_table))
    raw = detector._raw_of_all(a_table, core)[1]
    rows = (a_table - a_table.mean(axis=0)) / a_table.std(axis=0)
    raw["distance"] = Middle.of(rows[core]).distances(rows)
    squares = {view: surprise_of_rank(raw[view]) ** 2 for view in RANKING}
    total = sum(squares.values())
    for row in (0, 7, 305):
        assert told[row].views == pytest.approx(
            {view: square[row] / total[row] for view, square in squares.items()}
        )


def _core(X):
    return CATS().fit_own(X).learned


def test_the_column_of_an_anomaly_in_the_table_is_named(a_table):
    told = CATS().explain_own(a_table, NAMES)
    assert (told.shares[300:].argmax(axis=1) == 1).all()
    assert told.shares.sum(axis=1) == pytest.approx(np.ones(320))
    assert np.isfinite(told.shares).all()
    assert told.shares.min() >= 0.0
    assert set(told.table(310)["view"]) <= set(RANKING)


def test_a_row_of_the_core_is_not_compared_with_itself(rng):
    X = rng.normal(size=(40, 2))
    detector = CATS()
    learned = detector.fit_own(X).learned
    at = detector.train_placed(np.array([3]))
    assert (at.z[0] == detector._standard.apply(X)[learned[3]]).all()
    assert 3 not in at.candidates


@pytest.mark.parametrize("rows", [[], np.empty(0)])
def test_no_rows_are_explained_by_nothing(a_batch, a_table, rows):
    detector, batch = a_batch
    assert list(detector.explain_batch(batch, rows=rows)) == []
    assert list(CATS().explain_own(a_table, rows=rows)) == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([0, 400], "row 400 to explain: the table has rows 0 to 319"),
        ([-1], "row -1 to explain"),
        ([0.5], "wanted a list of row numbers"),
        ([True, False], "wanted a list of row numbers"),
    ],
)
def test_wrong_rows_are_refused_in_a_line(a_table, rows, said):
    with pytest.raises(DetectorError, match=said):
        CATS().explain_own(a_table, NAMES, rows)
    with pytest.raises(DetectorError, match="to explain"):
        CATS().fit(a_table).explain_batch(a_table, NAMES, rows)


@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 5), (20, 120)])
def test_small_and_wide_tables_are_explained(rng, n, d):
    X = rng.normal(size=(n, d))
    for told in (CATS().explain_own(X), CATS().fit(X).explain_batch(X[:1])):
        assert np.isfinite(told.shares).all()
        sums = told.shares.sum(axis=1)
        assert ((abs(sums - 1) < 1e-9) | (sums == 0)).all()
