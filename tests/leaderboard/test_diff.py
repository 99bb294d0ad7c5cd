"""A comparison names the methods that moved, and tells if the tables are the same."""

import pytest

from odbench.leaderboard.diff import compare, render_diff
from odbench.leaderboard.formats import csv_bytes
from odbench.leaderboard.load import load_leaderboard
from odbench.leaderboard.tables import build_leaderboard
from tests.reference.trials import frame, from_matrix, random_trials, trial


def board(values):
    return build_leaderboard(from_matrix(values))


@pytest.fixture
def sides():
    before = [[0.9, 0.8, 0.5]] * 8 + [[0.7, 0.8, 0.5]] * 2
    after = [[0.7, 0.8, 0.5]] * 9 + [[0.9, 0.8, 0.5]]
    return board(before), board(after)


def test_moves_are_named_by_place(sides):
    changes = compare(*sides).set_index("detector")

    assert changes["change"].to_dict() == {
        "method 0": "down", "method 1": "up", "method 2": "same",
    }  # fmt: skip
    assert changes.loc["method 0", ["place_before", "place_after"]].tolist() == [1, 2]


def test_a_move_beyond_the_interval_is_told_from_one_within(rng):
    values = rng.uniform(0.5, 1.0, size=(40, 3))
    lucky = values.copy()
    lucky[0] = lucky[0, ::-1]
    large = values.copy()
    large[:, 0] = 0.4

    slight = compare(board(values.tolist()), board(lucky.tolist()))
    grave = compare(board(values.tolist()), board(large.tolist()))

    assert slight["within_interval"].all()
    assert not grave.set_index("detector").loc["method 0", "within_interval"]


def test_a_table_agrees_with_itself(rng):
    table = build_leaderboard(frame(random_trials(rng)))

    changes = compare(table, table)

    assert (changes["change"] == "same").all()
    assert changes["within_interval"].all()


def test_means_that_a_file_rounds_alike_keep_their_places(tmp_path):
    table = build_leaderboard(
        frame([trial("a", "x", 0.5), trial("a", "y", 0.5 + 1e-7)])
    )
    (tmp_path / "public.csv").write_bytes(csv_bytes(table))

    changes = compare(table, load_leaderboard(tmp_path / "public.csv"))

    assert changes["place_after"].tolist() == [1.0, 2.0]
    assert changes["change"].tolist() == ["same", "same"]


def test_a_name_that_a_spreadsheet_would_run_is_the_same_in_a_file(tmp_path):
    trials = [trial("a", "=1+1", 0.5, config="-k"), trial("a", "knn", 0.6)]
    table = build_leaderboard(frame(trials))
    (tmp_path / "public.csv").write_bytes(csv_bytes(table))

    changes = compare(table, load_leaderboard(tmp_path / "public.csv"))

    assert b"'=1+1" in (tmp_path / "public.csv").read_bytes()
    assert changes["change"].tolist() == ["same", "same"]


def test_who_comes_and_who_goes_has_nothing_to_compare(sides):
    before, after = sides
    changes = compare(
        before[before["detector"] != "method 2"], after[after["detector"] != "method 0"]
    ).set_index("detector")

    assert changes.loc["method 2", "change"] == "new"
    assert changes.loc["method 0", "change"] == "gone"
    assert changes.loc["method 0", "within_interval"] is None


def test_the_text_shows_both_sides(sides):
    text = render_diff(compare(*sides))

    assert "toy / public, one-class" in text
    assert "1 > 2" in text
    assert max(map(len, text.splitlines())) <= 100


def test_tables_of_other_data_or_competitors_say_so():
    before = board([[0.9, 0.8]] * 5)
    other_data = board([[0.9, 0.8]] * 7)
    other_methods = board([[0.9, 0.8, 0.7]] * 5)

    assert "Different" not in render_diff(compare(before, before))
    assert "Different data sets (5 and 7)" in render_diff(compare(before, other_data))
    text = render_diff(compare(before, other_methods))
    assert "Different configurations" in text
    assert "data sets" not in text


def test_long_names_are_cut_to_the_terminal(sides):
    changes = compare(*sides)
    changes["config"] = "a_parameter=with_a_long_value,another=with_one_as_well"

    narrow = render_diff(changes, 80).splitlines()
    whole = render_diff(changes)

    assert max(map(len, narrow)) <= 80
    assert "…" in narrow[-1]
    assert "another=with_one_as_well" in whole


def test_a_table_that_only_one_side_has_is_one_line(sides):
    before, after = sides
    other = after.assign(suite="other")

    text = render_diff(compare(before, other))

    assert text.splitlines() == [
        "other / public, one-class: only in the second (3 configurations)",
        "",
        "toy / public, one-class: only in the first (3 configurations)",
    ]


def test_nothing_compared_with_nothing_is_said():
    empty = build_leaderboard(frame([]))

    assert render_diff(compare(empty, empty)) == "Nothing to compare."


def test_leaderboards_without_a_common_row_are_compared_in_silence(sides, recwarn):
    before, _ = sides
    changes = compare(before, before.iloc[:0].astype(object))

    assert set(changes["change"]) == {"gone"}
    assert changes["within_interval"].isna().all()
    assert not recwarn.list
