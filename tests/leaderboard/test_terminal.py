"""The table in the terminal is labelled and fits the width."""

import pytest

from odbench.errors import ResultsError, UsageError
from odbench.leaderboard.diff import compare, render_diff
from odbench.leaderboard.load import load_leaderboard
from odbench.leaderboard.tables import Settings, build_leaderboard
from odbench.leaderboard.terminal import render_table, shortened, sorted_by
from odbench.text import shown_width
from tests.reference.trials import frame, from_matrix, random_trials, trial


def test_the_header_says_suite_coverage_and_order(rng):
    trials = [t | {"suite": "ovrbench"} for t in random_trials(rng, datasets=5)]

    text = render_table(build_leaderboard(frame(trials)))

    first, second = text.splitlines()[:2]
    assert first == (
        "ovrbench / public, one-class: 5 configurations on 5 of 756 data sets"
    )
    assert second == "sorted by place (lower is better)"


def test_failed_and_missing_trials_are_told(rng):
    text = render_table(build_leaderboard(from_matrix([[0.5, None], [0.5, "absent"]])))

    assert "1 of 3 trials failed." in text
    assert "1 trial is missing" in text
    assert "ranked last" in text


def test_a_table_without_failures_has_no_remarks():
    assert "Failures" not in render_table(build_leaderboard(from_matrix([[0.5]])))


def test_one_configuration_without_an_interval_is_not_a_table_without_them():
    # The first by mean AUROC has the middle rank on every data set.
    values = [[0.6, 0.61, 0.1], [0.6, 0.1, 0.61]] * 5
    even = [[0.5, 0.51, 0.1], [0.5, 0.1, 0.51]] * 5

    table = build_leaderboard(from_matrix(values))

    assert table["elo_auroc_low"].isna().tolist() == [True, False, False]
    assert "No Elo intervals" not in render_table(table)
    assert "No other intervals" not in render_table(
        build_leaderboard(from_matrix(even))
    )


def test_long_names_and_many_rows_fit_into_a_hundred_columns(rng):
    results = frame(
        trial("a", "detector_with_a_long_name", 0.5, config=f"k={k},method=mean")
        for k in range(100, 130)
    )

    text = render_table(build_leaderboard(results), width=100)

    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("width", [60, 80, 90])
def test_a_narrow_terminal_loses_columns_and_is_told_which(width):
    results = frame(trial("a", f"a_rather_long_name_{k}", 0.5 + k / 10) for k in (0, 1))

    text = render_table(build_leaderboard(results), width=width)

    assert max(map(len, text.splitlines())) <= width
    assert "place 95 %" in text
    assert "Left out, wider than the terminal: rank" in " ".join(text.split())


def test_a_table_of_ties_says_so():
    trials = [trial(f"set {d}", m, 1.0, ap=1.0) for d in range(6) for m in "ab"]

    text = render_table(build_leaderboard(frame(trials)))

    assert "No Elo intervals: all comparisons are ties." in text


@pytest.mark.parametrize("name", ["slices", "views"])
def test_a_table_of_parts_is_not_one_leaderboard(tmp_path, rng, name):
    table = build_leaderboard(frame(random_trials(rng)))
    column = name.removesuffix("s")
    table.assign(**{column: "size", "level": "all"}).to_csv(tmp_path / f"{name}.csv")

    with pytest.raises(ResultsError, match=f"has a row per {column}"):
        load_leaderboard(tmp_path / f"{name}.csv")


def test_the_setting_is_broken_once():
    results = frame([trial("a", "knn", 0.5, protocol="transductive")])

    lines = render_table(build_leaderboard(results), width=80).splitlines()

    told = lines[2 : lines.index("")]
    assert all(len(line) > 60 for line in told[:-1])


def test_without_a_terminal_nothing_is_cut():
    results = frame([trial("a", "n" * 200, 0.5, config="k=" + "1" * 100)])

    text = render_table(build_leaderboard(results))

    assert "n" * 200 + "[k=" + "1" * 100 + "]" in text
    assert "Left out" not in text


def test_names_that_are_cut_still_differ():
    configs = ("aggregate=columns", "aggregate=columns,reference=batch")
    results = frame(
        trial("a", "a_long_name_of_a_detector", 0.5 + k / 10, config=config)
        for k, config in enumerate(configs)
    )

    lines = render_table(build_leaderboard(results), width=90).splitlines()

    names = {line.split()[0] for line in lines if "…" in line}
    assert len(names) == 2
    assert all(name.startswith("a_long") and name.endswith("]") for name in names)


@pytest.mark.parametrize("name", ["模型", "Lo\u0308f", "knn"])
@pytest.mark.parametrize("width", [None, 200])
def test_columns_are_below_each_other_with_wide_letters_and_marks(name, width):
    results = frame([trial("a", name, 0.5), trial("a", "an_ascii_name", 0.25)])

    lines = render_table(build_leaderboard(results), width=width).splitlines()

    head = next(line for line in lines if line.startswith("configuration"))
    end = head.index("AUROC") + len("AUROC")
    rows = {line.split()[0]: line for line in lines if " 50.00" in line}
    assert shown_width(rows[name].split(" 50.00")[0] + " 50.00") == end


def test_a_cut_name_takes_the_columns_that_it_may():
    for name in ("模型" * 20, "x模" * 20, "e\u0301" * 40, "n" * 40):
        for longest in range(4, 30):
            cut = shortened(name, longest)
            assert longest - 2 <= shown_width(cut) <= longest
            assert shown_width(cut.split("…")[1][:1]) != 0 or longest < 5


def test_each_partition_has_its_own_block():
    results = frame([trial("a", "knn", 0.5), trial("a", "knn", 0.5, suite="other")])

    lines = render_table(build_leaderboard(results)).splitlines()

    assert [line.split(":")[0] for line in lines if " / " in line] == [
        "other / public, one-class",
        "toy / public, one-class",
    ]


@pytest.mark.parametrize(
    ("column", "first"),
    [("mean_auroc", "b"), ("rank_auroc", "b"), ("median_fit_seconds", "a")],
)
def test_every_column_sorts_its_best_to_the_top(column, first):
    table = build_leaderboard(
        frame([trial("x", "a", 0.5, fit_seconds=1.0),
               trial("x", "b", 0.9, fit_seconds=2.0)])
    )  # fmt: skip

    assert sorted_by(table, column)["detector"].iloc[0] == first


def test_an_unknown_column_is_named(rng):
    with pytest.raises(UsageError, match="sort column 'auc': wanted one of suite"):
        render_table(build_leaderboard(from_matrix([[0.5]])), sort="auc")


def test_missing_intervals_and_times_are_dashes():
    quick = Settings(permutations=0)

    text = render_table(build_leaderboard(from_matrix([[None]]), settings=quick))

    assert text.splitlines()[4].endswith(" -")
    assert "nan" not in text


def test_nothing_to_rank_is_said():
    assert "no leaderboard" in render_table(build_leaderboard(frame([])))


def test_names_in_a_table_from_elsewhere_cannot_move_the_cursor(tmp_path):
    board = build_leaderboard(frame([trial("a", "knn", 0.5)]))
    board["detector"], board["protocol"] = "knn\x1b[2J", "one\x1b[1m"
    board.to_csv(tmp_path / "public.csv", index=False)

    tables = [board, load_leaderboard(tmp_path / "public.csv")]
    shown = [*map(render_table, tables), render_diff(compare(*tables))]

    for text in shown:
        assert "\x1b" not in text
        assert r"knn\x1b[2J" in text


@pytest.mark.parametrize("width", [None, 60, 80])
@pytest.mark.parametrize(
    ("column", "heading"),
    [("rank_auroc", "rank"), ("place_ap", "by AP 95 %"), ("win_rate", "win_rate")],
)
def test_the_column_that_rows_are_sorted_by_is_shown(rng, column, heading, width):
    table = build_leaderboard(frame(random_trials(rng)))

    lines = render_table(table, sort=column, width=width).splitlines()

    assert heading in next(line for line in lines if line.startswith("configuration"))
    assert heading not in lines[-1]


def test_names_are_in_order_and_none_is_better(rng):
    table = build_leaderboard(frame(random_trials(rng)))

    assert render_table(table, sort="detector").splitlines()[1] == "sorted by detector"
