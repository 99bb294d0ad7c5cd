"""A built folder is complete, the same each time, and keeps private sets private."""

import hashlib
import json
import subprocess
import sys

import pandas as pd
import pytest

from odbench.errors import ResultsError, UsageError
from odbench.leaderboard.build import (
    TABLES,
    build_files,
    first_difference,
    write_files,
)
from odbench.leaderboard.formats import csv_bytes, rounded
from odbench.leaderboard.tables import COLUMNS, Settings, build_leaderboard
from tests.reference.trials import frame, place, random_trials, trial

SETTINGS = Settings(permutations=200)


@pytest.fixture
def run(rng, tmp_path):
    return place(frame(random_trials(rng, datasets=25)), tmp_path / "run")


def private(rng, datasets):
    return [t | {"partition": "private"} for t in random_trials(rng, datasets=datasets)]


def test_a_build_holds_every_table(run):
    built = build_files([run], settings=SETTINGS)

    assert set(built.files) == {
        "README.md", "index.html", "provenance.json", "toy/README.md",
        "toy/public.csv", "toy/complete_case.csv", "toy/policies.csv",
        "toy/per_dataset.csv", "toy/slices.csv", "toy/pareto.csv",
        "toy/significance.csv", "toy/critical_difference.json", "toy/conclusions.csv",
        "toy/power.csv",
    }  # fmt: skip


def test_a_build_tells_which_conclusions_change(run):
    built = build_files([run], settings=SETTINGS)

    (remark,) = built.remarks
    assert remark.startswith("toy/public (one-class): the first place by mean AUROC ")
    page = built.files["toy/README.md"].decode()
    assert page.index("## public, one-class") < page.index("### Which conclusions cha")
    assert "| conflict-free | AUROC | 18 of 25 |" in page
    assert "left out: distinct rows (the results do not have the facts)" in page


def test_the_main_table_is_the_leaderboard(run, tmp_path):
    built = build_files([run], settings=SETTINGS)
    write_files(built.files, tmp_path / "out")

    table = pd.read_csv(tmp_path / "out" / "toy" / "public.csv")

    assert list(table.columns) == list(COLUMNS)
    expected = build_leaderboard(
        pd.read_parquet(run / "results.parquet"), settings=SETTINGS
    )
    assert table["detector"].tolist() == expected["detector"].tolist()
    assert table["mean_auroc"].tolist() == pytest.approx(
        expected["mean_auroc"].tolist(), abs=1e-6
    )


def test_the_same_results_give_the_same_bytes(run):
    first = build_files([run], settings=SETTINGS).files
    second = build_files([run], settings=SETTINGS).files

    assert first == second


def test_the_order_of_the_runs_does_not_show(rng, tmp_path):
    trials = list(random_trials(rng, datasets=10))
    runs = [
        place(frame(trials[:40]), tmp_path / "one"),
        place(frame(trials[40:]), tmp_path / "two"),
    ]

    forwards = build_files(runs, settings=SETTINGS).files
    backwards = build_files(runs[::-1], settings=SETTINGS).files

    assert forwards == backwards


def test_provenance_names_inputs_settings_and_outputs(run):
    (run / "run.json").write_text(
        json.dumps(
            {
                "versions": {"odbench": "9.9"},
                "machine": {"cores": 2},
                "command": ["odbench", "run", "--mirror", "/home/somebody"],
            }
        )
    )

    files = build_files([run], settings=SETTINGS).files

    content = json.loads(files["provenance.json"])
    (source,) = content["runs"]
    digest = hashlib.sha256((run / "results.parquet").read_bytes()).hexdigest()
    assert source["name"] == "run"
    assert source["results_sha256"] == digest
    assert source["detectors"]["method 0"] == "1.0"
    assert source["run"] == {"versions": {"odbench": "9.9"}, "machine": {"cores": 2}}
    assert content["settings"]["permutations"] == 200
    page = hashlib.sha256(files["index.html"]).hexdigest()
    assert content["files"]["index.html"] == page
    assert str(run.parent) not in files["provenance.json"].decode()


def test_the_page_shows_all_parameters_that_the_run_knows(run):
    config_id = pd.read_parquet(run / "results.parquet")["config_id"].iloc[0]
    described = {config_id: {"k": 5, "metric": "</script>"}, "other": "nonsense"}
    (run / "run.json").write_text(json.dumps({"configurations": described}))

    page = build_files([run], settings=SETTINGS).files["index.html"].decode()

    assert '"params":[["k","5"],["metric","\\u003c/script\\u003e"]]' in page
    assert "nonsense" not in page


@pytest.mark.parametrize("described", [7, ["k"], None])
def test_parameters_of_another_shape_are_left_out(run, described):
    (run / "run.json").write_text(json.dumps({"configurations": described}))

    page = build_files([run], settings=SETTINGS).files["index.html"].decode()

    assert '"params":[]' in page


def test_a_broken_description_of_a_run_is_named(run):
    (run / "run.json").write_text("{")

    with pytest.raises(ResultsError, match=r"run\.json.*not JSON"):
        build_files([run], settings=SETTINGS)


def test_the_first_file_that_differs_is_found(run, tmp_path):
    files = build_files([run], settings=SETTINGS).files
    out = tmp_path / "out"
    write_files(files, out)
    assert first_difference(files, out) is None

    (out / "toy" / "public.csv").write_text("edited by hand")
    assert first_difference(files, out) == "toy/public.csv"
    (out / "toy" / "pareto.csv").unlink()
    assert first_difference(files, out) == "toy/pareto.csv"


def test_a_private_partition_shows_rounded_aggregates_only(rng, tmp_path):
    run = place(frame(private(rng, 20)), tmp_path / "run")

    files = build_files([run], settings=SETTINGS).files

    assert set(files) == {
        "README.md", "index.html", "provenance.json", "toy/README.md",
        "toy/private.csv",
    }  # fmt: skip
    for column in ("mean_auroc", "win_rate", "elo_auroc"):
        (tmp_path / "private.csv").write_bytes(files["toy/private.csv"])
        numbers = pd.read_csv(tmp_path / "private.csv")[column]
        assert numbers.equals(numbers.round(3))
    assert b"set 01" not in b"".join(files.values())


def test_a_private_partition_of_few_data_sets_is_not_shown(rng, tmp_path):
    few = private(rng, 19)
    run = place(frame([*few, trial("a", "knn", 0.5)]), tmp_path / "run")

    with pytest.warns(UserWarning, match="19 scored data sets; wanted at least 20"):
        files = build_files([run], settings=SETTINGS).files

    assert "toy/private.csv" not in files


def test_evaluated_submissions_are_not_written_over(rng, tmp_path):
    run = place(frame(private(rng, 20)), tmp_path / "run")
    files = build_files([run], settings=SETTINGS).files
    out = tmp_path / "out"
    (out / "toy").mkdir(parents=True)
    (out / "toy" / "private.csv").write_text("suite,method,archive_sha256\n")

    with pytest.raises(UsageError, match="holds evaluated submissions"):
        write_files(files, out)

    assert not (out / "README.md").exists()


def test_an_oracle_is_said_to_be_none_of_the_detectors(tmp_path):
    trials = [
        trial(name, detector, auroc)
        for name in ("a", "b")
        for detector, auroc in (("oracle", 0.99), ("knn", 0.8), ("lof", 0.7))
    ]

    files = build_files([place(frame(trials), tmp_path / "run")]).files

    assert "| knn, lof |" in files["README.md"].decode().splitlines()[-1]
    assert "`oracle` is not a detector" in files["toy/README.md"].decode()


def test_results_without_scores_cannot_be_built(tmp_path):
    run = place(frame([trial("a", "knn", None, status="ok")]), tmp_path / "run")

    with (
        pytest.warns(UserWarning, match="no public labels"),
        pytest.raises(ResultsError, match="results of run: hold no scores"),
    ):
        build_files([run], settings=SETTINGS)


def test_a_grid_adds_the_views(rng, tmp_path):
    trials = [
        t | {"config": config, "config_id": t["detector"] + config}
        for config in ("default", "k=1", "k=10", "k=20")
        for t in random_trials(rng, datasets=6, missing=0)
    ]

    files = build_files([place(frame(trials), tmp_path)], settings=SETTINGS).files

    assert files["toy/views.csv"].count(b"oracle: best on test") == 5
    assert files["toy/regret.csv"].count(b",grid mean,auroc,") == 5


def test_variants_that_somebody_tried_are_no_grid(rng, tmp_path):
    trials = [
        t | {"config": config, "config_id": t["detector"] + config}
        for config in ("default", "k=20")
        for t in random_trials(rng, datasets=6, missing=0)
    ]

    files = build_files([place(frame(trials), tmp_path)], settings=SETTINGS).files

    assert not {"toy/views.csv", "toy/regret.csv"} & set(files)


def test_each_page_says_how_much_of_the_suite_it_covers(rng, tmp_path):
    trials = [t | {"suite": "oddbench"} for t in random_trials(rng, datasets=6)]

    files = build_files([place(frame(trials), tmp_path)], settings=SETTINGS).files

    assert "6 of 690 data sets" in files["oddbench/README.md"].decode()
    assert "6 of 690 data sets" in files["README.md"].decode()


def test_numbers_are_rounded_and_gaps_stay_empty():
    table = pd.DataFrame(
        {
            "elo_auroc": [1000.123456],
            "mean_auroc": [0.12345678],
            "n_datasets.main": [3.0],
            "rank_auroc": [float("nan")],
            "zero": [-1e-9],
        }
    )

    text = csv_bytes(table).decode().splitlines()[1]

    assert text == "1000.12,0.123457,3,,0.0"
    assert rounded(table, decimals=3)["mean_auroc"].tolist() == [0.123]


def test_a_name_with_a_comma_or_a_bar_survives(rng, tmp_path):
    odd = {"config": 'k=20,method="me|an"', "config_id": "x"}
    run = place(frame([trial("a", "knn", 0.5, **odd)]), tmp_path / "run")

    files = build_files([run], settings=SETTINGS).files
    write_files(files, tmp_path / "out")

    table = pd.read_csv(tmp_path / "out" / "toy" / "public.csv")
    assert table.loc[0, "config"] == odd["config"]
    assert r"me\|an" in files["toy/README.md"].decode()


def test_a_suite_cannot_lead_out_of_the_folder(tmp_path):
    run = place(frame([trial("a", "knn", 0.5, suite=str(tmp_path))]), tmp_path / "run")

    with pytest.raises(ResultsError, match=r"suite .*; wanted 1 to 40"):
        build_files([run], settings=SETTINGS)


def test_a_folder_in_the_place_of_a_file_leaves_all_as_it_was(tmp_path):
    run = place(frame([trial("a", "knn", 0.5), trial("b", "knn", 0.6)]), tmp_path / "r")
    files = build_files([run], settings=SETTINGS).files
    (tmp_path / "out" / "toy" / "public.csv").mkdir(parents=True)

    with pytest.raises(UsageError, match=r"toy/public\.csv': cannot be written"):
        write_files(files, tmp_path / "out")

    assert [path.name for path in (tmp_path / "out").rglob("*")] == [
        "toy",
        "public.csv",
    ]


def test_a_strangers_name_is_neither_a_formula_nor_markup(tmp_path):
    trials = [trial("a", '=HYPERLINK("x")', 0.5), trial("a", "<img src=x>", 0.6)]

    files = build_files([place(frame(trials), tmp_path / "run")]).files

    for name in ("public", "per_dataset", "complete_case", "policies"):
        text = files[f"toy/{name}.csv"].decode()
        assert '"\'=HYPERLINK(""x"")"' in text
        assert "=HYPERLINK" not in text.replace("'=", "")
    for name in ("README.md", "toy/README.md"):
        assert r"\<img src=x\>" in files[name].decode()


@pytest.mark.parametrize("depth", [60, 900, 200_000])
def test_a_run_nested_without_end_is_named(run, depth):
    (run / "run.json").write_text('{"git": ' + "[" * depth + "]" * depth + "}")

    with pytest.raises(ResultsError, match=r"run\.json.*nested too deep"):
        build_files([run], settings=SETTINGS)


@pytest.mark.parametrize("value", ['"\\ud800"', "1e999", "9" * 5000])
def test_what_cannot_be_written_again_is_named(run, value):
    (run / "run.json").write_text(f'{{"machine": {{"cores": {value}}}}}')

    with pytest.raises(ResultsError, match=r"run\.json.*not JSON"):
        build_files([run], settings=SETTINGS)


def test_a_command_with_a_name_that_is_not_utf_8_is_no_fault(run):
    (run / "run.json").write_text('{"command": ["--out", "caf\\udce9"], "git": null}')

    content = json.loads(build_files([run], settings=SETTINGS).files["provenance.json"])

    assert content["runs"][0]["run"] == {"git": None}


def test_a_parameter_that_is_no_number_leaves_the_provenance_json(run):
    (run / "run.json").write_text('{"configurations": {"x": {"k": NaN}}}')

    files = build_files([run], settings=SETTINGS).files

    def refused(name):
        raise AssertionError(name)

    content = json.loads(files["provenance.json"], parse_constant=refused)
    assert content["runs"][0]["run"] == {"configurations": {"x": {"k": "NaN"}}}


def test_the_tables_are_those_that_a_build_may_write(rng, run, tmp_path):
    grid = [
        t | {"config": config, "config_id": t["detector"] + config}
        for config in ("default", "k=1", "k=10", "k=20")
        for t in random_trials(rng, datasets=6, missing=0)
    ]
    runs = [
        place(frame(grid), tmp_path / "grid"),
        place(frame(private(rng, 20)), tmp_path / "private"),
    ]
    made = set()
    for each in (run, *runs):
        files = build_files([each], settings=SETTINGS).files
        made |= {name.split("/")[1] for name in files if "/" in name}

    assert made == {*TABLES, "README.md"}


def test_tables_of_the_build_before_are_removed_and_nothing_else(rng, run, tmp_path):
    out = tmp_path / "out"
    write_files(build_files([run], settings=SETTINGS).files, out)
    (out / "toy" / "notes.md").write_text("mine")
    other = [t | {"suite": "other"} for t in random_trials(rng, datasets=6)]
    other = place(frame(other), tmp_path / "other_run")
    more = place(frame(private(rng, 20)), tmp_path / "more")

    files = build_files([other], settings=SETTINGS).files
    write_files(files, out)
    there = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert there == {*files, "toy/notes.md"}
    assert first_difference(files, out) is None

    write_files(build_files([more], settings=SETTINGS).files, out)
    assert not (out / "other").exists()


def test_a_table_that_no_build_gives_is_found_by_the_check(run, tmp_path):
    out = tmp_path / "out"
    files = build_files([run], settings=SETTINGS).files
    write_files(files, out)
    (out / "old").mkdir()
    (out / "old" / "private.csv").write_text("suite,method,archive_sha256\n")
    (out / "old" / "submissions.csv").write_text("suite,method,archive_sha256\n")
    assert first_difference(files, out) is None

    (out / "old" / "complete_case.csv").write_text("suite\n")

    assert first_difference(files, out) == "old/complete_case.csv"


def test_a_provenance_cannot_name_files_elsewhere_to_be_removed(run, tmp_path):
    out = tmp_path / "out"
    files = build_files([run], settings=SETTINGS).files
    write_files(files, out)
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "public.csv").write_text("mine")
    (out / "notes.md").write_text("mine")
    names = ["../x/public.csv", str(tmp_path / "x" / "public.csv"), "notes.md"]
    (out / "provenance.json").write_text(json.dumps({"files": dict.fromkeys(names)}))

    write_files(files, out)

    assert (tmp_path / "x" / "public.csv").is_file()
    assert (out / "notes.md").is_file()


@pytest.mark.slow
def test_a_full_disk_leaves_the_folder_as_it_was(run, tmp_path):
    before = build_files([run], settings=SETTINGS).files
    out = tmp_path / "out"
    write_files(before, out)
    # A limit on a file's size acts like a full disk.
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "from odbench.cli import main\n"
        "main(sys.argv[1:])"
    )
    for folder in (out, tmp_path / "new" / "folder"):
        done = subprocess.run(
            [sys.executable, "-c", code, "leaderboard", "build", str(run), "--out",
             str(folder), "--permutations", "10"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("odbench: leaderboard '")
        assert "cannot be written" in done.stderr
        assert done.stderr.count("\n") == 1

    assert not (tmp_path / "new").exists()
    assert first_difference(before, out) is None
    assert not [path for path in out.rglob(".*") if path.is_file()]
