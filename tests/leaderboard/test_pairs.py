"""Two configurations are compared on every suite that has both, and per slice."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest

import odbench
from odbench.cli import main
from odbench.errors import ResultsError, UsageError
from odbench.leaderboard.formats import csv_bytes
from odbench.leaderboard.pair_text import render_pairs
from odbench.leaderboard.pairs import compare_methods, find_method, runs_below
from odbench.leaderboard.tables import Settings
from odbench.scoring.cells import Method
from tests.reference.trials import frame, place, random_trials, trial

QUICK = Settings(permutations=200)
METHODS = (
    Method("knn", "default", "1"),
    Method("knn", "k=20,method=mean", "2"),
    Method("pca", "floor=1e-12", "3"),
    Method("egmm", "components=[1, 2],ridge=0.1", "4"),
    Method("egmm", "components=[1, 3]", "5"),
)


@pytest.fixture
def results(rng):
    trials = random_trials(rng, datasets=30, seeds=3, failing=0.05, missing=0)
    return frame(trials)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("knn", 0),
        ("knn:k=20,method=mean", 1),
        ("knn:method=mean, k=20", 1),
        ("knn[k=20,method=mean]", 1),
        ("pca", 2),
        ("pca:floor=1e-12", 2),
        ("egmm[components=[1, 2],ridge=0.1]", 3),
        ("egmm:ridge=0.1,components=(1,2)", 3),
        ("egmm:components=[1,3]", 4),
        ("egmm:components=[1,2]", None),
        ("knn:k=21", None),
        ("lof", None),
    ],
)
def test_configurations_are_named_as_they_are_typed(text, at):
    assert find_method(METHODS, text) == at


def test_a_pair_has_a_row_per_metric_and_slice(results):
    table = compare_methods(results, "method 0", "method 1", settings=QUICK)

    whole = table[table["slice"] == "all"].set_index("metric")
    board = odbench.build_leaderboard(results, settings=QUICK).set_index("detector")
    for metric in ("auroc", "ap"):
        means = board[f"mean_{metric}"]
        apart = means["method 0"] - means["method 1"]
        assert whole.loc[metric, "difference"] == pytest.approx(apart)
        row = whole.loc[metric]
        assert row["wins"] + row["ties"] + row["losses"] == row["n_datasets"] == 30
    assert {"domain", "size"} < set(table["slice"])
    assert (table["p_holm"] >= table["p"]).all()
    assert table["n_families"].max() == 10


def test_turned_round_the_differences_change_sign(results):
    one = compare_methods(results, "method 0", "method 1", settings=QUICK)
    other = compare_methods(results, "method 1", "method 0", settings=QUICK)

    np.testing.assert_allclose(one["difference"], -other["difference"])
    np.testing.assert_allclose(one["low"], -other["high"])
    assert one["wins"].tolist() == other["losses"].tolist()


def test_noisy_seeds_widen_the_band():
    def band(noise):
        trials = [
            trial(f"set {d}", name, 0.8 + sign * noise, seed=seed)
            for d in range(10)
            for name in ("a", "b")
            for seed, sign in enumerate((-1, 1))
        ]
        table = compare_methods(frame(trials), "a", "b", settings=QUICK)
        return table["median_band"].iloc[0]

    # Two seeds at 0.8 plus and minus 0.1: the variance of their mean is 0.01.
    assert band(0.1) ** 2 - band(0.0) ** 2 == pytest.approx(1.96**2 * 2 * 0.01)


def test_data_sets_that_only_one_tried_are_left_out():
    trials = [trial(f"set {d}", "a", 0.8) for d in range(9)]
    trials += [trial(f"set {d}", "b", 0.7) for d in range(6)]

    table = compare_methods(frame(trials), "a", "b", settings=QUICK)

    assert table["n_datasets"].iloc[0] == 6


def test_a_name_that_is_not_there_is_told(results):
    with pytest.raises(
        UsageError, match="compare 'method 0' with 'nope': on no public data set"
    ):
        compare_methods(results, "method 0", "nope")


def test_a_small_probability_is_not_written_as_zero():
    trials = [
        trial(f"set {k}", name, value)
        for k in range(80)
        for name, value in (("knn", 0.9), ("lof", 0.5 + k / 1000))
    ]

    written = csv_bytes(compare_methods(frame(trials), "knn", "lof")).decode()

    found = pd.read_csv(io.StringIO(written))["p_wilcoxon"]
    assert found.between(1e-16, 1e-12).all()


def test_of_many_names_the_first_are_told():
    trials = [trial("a", f"{'n' * 200} {k:03d}", 0.5) for k in range(300)]
    private = [trial("b", name, 0.5, partition="private") for name in ("knn", "lof")]

    with pytest.raises(UsageError, match=r"and 290 more$") as many:
        compare_methods(frame(trials), "knn", "lof")
    with pytest.raises(UsageError, match=r"no public data set .* hold nothing"):
        compare_methods(frame(private), "knn", "lof")

    assert len(str(many.value)) < 800


def test_the_text_fits_into_a_terminal_and_is_whole_in_a_pipe(results):
    table = compare_methods(results, "method 0", "method 1", settings=QUICK)
    table.loc[1, "level"] = "a level " * 9
    text = render_pairs(table, width=80)

    assert max(map(len, text.splitlines())) <= 80
    assert "a level " * 8 not in text
    assert "a level " * 8 in render_pairs(table)
    assert "nan" not in text
    assert re.search(r"wins/ties/losses of a +\d+/\d+/\d+ +\d+/\d+/\d+", text)


def test_one_data_set_is_counted_in_the_singular(results):
    one = results[results["dataset"] == results["dataset"].iloc[0]]
    first, second = list(dict.fromkeys(one["detector"]))[:2]

    text = render_pairs(compare_methods(one, first, second, settings=QUICK))

    assert "1 data set in 1 family, on which both were tried" in text


def test_few_families_and_long_names_fit_into_a_terminal(results):
    few = results[results["dataset"].isin(sorted(set(results["dataset"]))[:3])]
    table = compare_methods(few, "method 0", "method 1", settings=QUICK)
    table["a"] = "a_detector[of=many,parameters=and,a_long=name]"
    text = render_pairs(table, width=80)

    assert "unknown: few families" in text
    assert max(map(len, text.splitlines()[4:])) <= 80


def test_runs_are_found_below_a_leaderboard(results, tmp_path):
    run = place(results, tmp_path / "board" / "runs" / "one")

    assert runs_below(run) == [run]
    assert runs_below(tmp_path / "board") == [run]
    assert runs_below(tmp_path / "board" / "runs") == [run]
    with pytest.raises(ResultsError, match=r"has no results\.parquet; name a run"):
        runs_below(tmp_path)


def test_the_command_prints_tables_json_and_csv(results, tmp_path, capsys):
    run = str(place(results, tmp_path / "run"))
    call = [
        "leaderboard",
        "compare",
        run,
        "method 0",
        "method 1",
        "--permutations",
        "99",
    ]
    texts = {}
    for form in ("table", "json", "csv"):
        with pytest.raises(SystemExit) as stopped:
            main([*call, "--format", form])
        assert stopped.value.code == 0
        texts[form] = capsys.readouterr().out

    rows = json.loads(texts["json"])
    assert rows[0]["verdict"] in ("better", "worse", "undecided", "equivalent")
    assert len(texts["csv"].splitlines()) == len(rows) + 1
    assert "a = method 0" in texts["table"]


def test_the_command_names_what_is_missing(results, tmp_path, capsys):
    run = str(place(results, tmp_path / "run"))

    with pytest.raises(SystemExit) as stopped:
        main(["leaderboard", "compare", run, "method 0", "nope"])

    assert stopped.value.code == 2
    assert "'nope': on no public data set" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["knn:k=5", "knn[method=largest]", "knn"])
def test_the_command_knows_default_parameters(results, tmp_path, capsys, text):
    named = results.assign(detector=results["detector"].replace("method 1", "knn"))
    run = str(place(named, tmp_path / "run"))

    with pytest.raises(SystemExit) as stopped:
        main(["leaderboard", "compare", run, "method 0", text, "--permutations", "99"])

    assert stopped.value.code == 0
    assert "b = knn\n" in capsys.readouterr().out
