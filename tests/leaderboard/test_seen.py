"""Data sets that weights were trained on are marked, counted and can be left out."""

import pytest

from odbench.leaderboard.slices import slice_table, slices_of
from odbench.leaderboard.tables import COLUMNS, Settings, build_leaderboard
from odbench.leaderboard.terminal import render_table
from odbench.scoring.cells import split_results
from odbench.scoring.policy import apply_policy
from tests.reference.trials import frame, trial

QUICK = Settings(permutations=0)


@pytest.fixture
def results():
    """A network that has seen two of three data sets, and a detector without any."""
    rows = [
        trial(name, "net", score, seen_in_training=seen)
        for name, score, seen in (("a", 0.9, True), ("b", 0.8, True), ("c", 0.4, False))
    ]
    rows += [trial(name, "knn", 0.6, seen_in_training=False) for name in "abc"]
    return frame(rows)


def test_a_table_counts_the_sets_that_were_seen(results):
    table = build_leaderboard(results, settings=QUICK).set_index("detector")

    assert table["n_seen"].to_dict() == {"net": 2, "knn": 0}


@pytest.mark.parametrize("values", [False, None])
def test_without_any_the_columns_are_as_ever(results, values):
    table = build_leaderboard(results.assign(seen_in_training=values), settings=QUICK)

    assert tuple(table.columns) == COLUMNS


def test_results_of_older_versions_have_seen_nothing(results):
    older = results.drop(columns="seen_in_training")

    assert "n_seen" not in build_leaderboard(older, settings=QUICK)


def test_a_slice_leaves_out_what_any_method_has_seen(results):
    (cells,) = split_results(results)
    found = {
        s.level: list(cells.datasets[s.rows])
        for s in slices_of(apply_policy(cells))
        if s.slice == "training"
    }

    assert found == {"not seen in training": ["c"], "seen in training": ["a", "b"]}
    table = slice_table(apply_policy(cells), QUICK)
    unseen = table[table["level"] == "not seen in training"].set_index("detector")
    assert unseen["mean_auroc"].to_dict() == {"knn": 0.6, "net": 0.4}


def test_the_terminal_marks_them_and_says_what_the_mark_means(results):
    text = render_table(build_leaderboard(results, settings=QUICK))

    assert "net †2" in text
    assert "knn †" not in text
    assert "†: number of these data sets that its weights were trained on" in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_page_holds_the_marks(results):
    from odbench.leaderboard.page.data import _seen

    (cells,) = split_results(results)
    packed = _seen(cells)["seen"]
    # Methods one after the other, knn first; places are differences.
    assert packed["places"] == [3, 1]
    assert packed["values"] == [1, 1]
    (unseen,) = split_results(results.assign(seen_in_training=False))
    assert _seen(unseen) == {}
