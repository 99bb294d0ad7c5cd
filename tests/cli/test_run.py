"""``odbench run`` as users type it."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from odbench import load_dataset
from odbench.results import COLUMNS, read_results, scores_file
from odbench.scoring.intervals import trial_intervals

DESIGNED = [
    "suite",
    "partition",
    "detector",
    "config",
    "n_datasets",
    "n_failed",
    "mean_auroc",
    "mean_ap",
    "rank_auroc",
    "rank_ap",
    "elo_auroc",
    "elo_auroc_low",
    "elo_auroc_high",
    "elo_ap",
    "win_rate",
    "champion_delta",
    "rauc_ratio",
    "rauc_minmax",
    "top3_auroc",
    "top3_ap",
    "p_best",
    "total_rank",
    "median_fit_seconds",
    "median_score_seconds",
]


def odbench(*arguments: str, **options):
    return subprocess.run(
        # Like the installed command: the working folder is not on the path.
        [sys.executable, "-P", "-m", "odbench", *arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.fixture
def mine(tmp_path):
    source = tmp_path / "mine.py"
    source.write_text(
        "import numpy as np\n\n\n"
        "class Far:\n"
        "    def fit(self, X): self.m = X.mean(0); return self\n"
        "    def decision_function(self, X): return abs(X - self.m).sum(1)\n\n\n"
        "class Broken(Far):\n"
        "    def fit(self, X): raise ValueError('no')\n"
    )
    return source


@pytest.mark.slow
def test_a_run_leaves_what_the_design_names(tmp_path, mine):
    out = tmp_path / "out"

    done = odbench(
        "run", "--suite", "synbench-mini", "--limit", "2", "--detectors",
        f"ecod,{mine}:Far", "--keep-scores", "--out", str(out),
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "Far" in done.stdout
    results = read_results(out)
    assert list(results.columns) == list(COLUMNS)
    assert len(results) == 4
    assert (results["status"] == "ok").all()
    board = pd.read_csv(out / "leaderboard.csv")
    assert list(board.columns[: len(DESIGNED)]) == DESIGNED
    assert set(board["detector"]) == {"ecod", "Far"}
    run = json.loads((out / "run.json").read_text())
    assert run["asked"]["suites"] == ["synbench-mini"]
    assert run["versions"]["numpy"]
    assert run["machine"]["memory_bytes"] > 0
    assert set(run["configurations"]) == set(results["config_id"])
    assert len(list((out / "scores").rglob("*.npy"))) == 4
    for trial in results.itertuples():
        scores = np.load(scores_file(out, trial._asdict()))
        labels = load_dataset(f"synbench/{trial.dataset}").y_test
        for end, value in trial_intervals(labels, scores).items():
            # Scores are kept as float32, which may add ties.
            assert getattr(trial, end) == pytest.approx(value, abs=1e-4)


@pytest.mark.slow
def test_kept_scores_are_those_of_the_row_and_missing_ones_are_made(tmp_path, mine):
    out = tmp_path / "out"
    command = ["run", "--suite", "synbench-mini", "--limit", "1", "--out", str(out),
               "--detectors", f"{mine}:Far"]  # fmt: skip

    def kept():
        (row,) = read_results(out).to_dict("records")
        return scores_file(out, row)

    assert odbench(*command, "--keep-scores").returncode == 0
    old = np.load(kept())
    mine.write_text(mine.read_text().replace(".sum(1)", ".max(1)"))
    assert odbench(*command).returncode == 0
    assert not kept().exists()
    plan = odbench(*command, "--keep-scores", "--dry-run").stdout
    assert "1 scores not kept" in plan
    assert odbench(*command, "--keep-scores").returncode == 0
    assert not np.array_equal(np.load(kept()), old)
    assert "nothing to do" in odbench(*command, "--keep-scores").stderr


@pytest.mark.slow
def test_two_protocols_keep_their_scores_side_by_side(tmp_path):
    out = tmp_path / "out"
    common = ["run", "--suite", "synbench-mini", "--limit", "1", "--detectors", "ecod",
              "--keep-scores", "--out", str(out)]  # fmt: skip

    assert odbench(*common).returncode == 0
    assert odbench(*common, "--contamination", "0.01").returncode == 0

    for row in read_results(out).to_dict("records"):
        assert len(np.load(scores_file(out, row))) == row["n_test"]
    (rows,) = (out / "scores").rglob("test-rows-*.npy")
    assert "contaminated=0.01" in rows.name


@pytest.mark.long
@pytest.mark.slow
def test_a_folder_remembers_the_parameters_of_all_its_runs(tmp_path):
    out = tmp_path / "out"
    for spec in ("knn,knn:k=3", "ecod"):
        done = odbench(
            "run", "--suite", "synbench-mini", "--limit", "1", "--detectors", spec,
            "--out", str(out),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    known = json.loads((out / "run.json").read_text())["configurations"]
    results = read_results(out)
    assert len(known) == len(results) == 3
    assert results[["auroc_low", "ap_high"]].isna().all(axis=None)
    ks = {row.config: known[row.config_id].get("k")
          for row in results.itertuples() if row.detector == "knn"}  # fmt: skip
    assert ks["k=3"] == 3
    assert isinstance(ks["default"], int)
    assert ks["default"] != 3

    built = tmp_path / "board"
    done = odbench("leaderboard", "build", str(out), "--out", str(built))
    assert done.returncode == 0, done.stderr
    page = (built / "index.html").read_text()
    assert '["k","3"]' in page


@pytest.mark.slow
def test_without_any_data_set_the_shared_reason_is_told_once(tmp_path):
    out = tmp_path / "out"
    mine = ["--detectors", "ecod", "--limit", "2", "--out", str(out)]
    assert odbench("run", "--suite", "synbench-mini", *mine).returncode == 0
    before = (out / "run.json").read_bytes()

    done = odbench(
        "run", "--suite", "ovrbench", *mine, "--quiet",
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (3, "")
    (line,) = [x for x in done.stderr.splitlines() if x.startswith("odbench:")]
    assert "no data set could be loaded: hub" in line
    assert "HF_HUB_OFFLINE" in line
    assert (out / "run.json").read_bytes() == before


@pytest.mark.slow
def test_failures_give_exit_code_three_and_a_line(tmp_path, mine):
    done = odbench(
        "run", "--suite", "synbench-mini", "--limit", "2", "--detectors",
        f"{mine}:Far,{mine}:Broken", "--out", str(tmp_path / "out"),
    )  # fmt: skip

    assert done.returncode == 3
    (line,) = [x for x in done.stderr.splitlines() if x.startswith("odbench: Broken:")]
    assert "2 failed, mostly: ValueError: no (mine.py:10)" in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--suite", "oddbenhc"], ["'oddbenhc'", "oddbench"]),
        (["--suite", "synbench", "--detectors", "kn"], ["'kn'", "knn"]),
        (["--suite", "synbench", "--detectors", "knn:kk=3"], ["'kk'", "'k'"]),
        (["--suite", "synbench", "--detectors", ""], ["--detectors", "list"]),
        (["--suite", "synbench", "--datasets", "nosuch*"], ["nosuch*", "list"]),
        (["--suite", "synbench", "--jobs", "0"], ["jobs", "0", "1 or more"]),
        (["--suite", "synbench", "--timeout", "soon"], ["'soon'", "30m"]),
        (["--suite", "synbench", "--contamination", "1.5"], ["1.5", "below 0.5"]),
        (["--suite", "synbench", "--seeds", "9" * 30], ["seeds", "1 to 10000"]),
        (["--suite", "synbench", "--scheduler", "x"], ["'x'", "'loky'", "dask, ray"]),
        (["--suite", "synbench", "--nonsense"], ["--nonsense", "--help"]),
        (["--suite", "oddbench", "--mirror", "/no/such"], ["/no/such"]),
        ([], ["--suite"]),
    ],
)
def test_bad_input_is_one_line_that_helps_and_exit_code_two(tmp_path, arguments, words):
    done = odbench("run", *arguments, "--out", "out", cwd=tmp_path)

    assert done.returncode == 2
    assert not done.stdout
    (line,) = done.stderr.splitlines()
    for word in words:
        assert word in line
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_a_wrong_call(tmp_path):
    (tmp_path / "file").touch()

    done = odbench(
        *("run", "--suite", "synbench-mini", "--limit", "1", "--detectors", "ecod"),
        *("--out", str(tmp_path / "file" / "out"), "--quiet"),
    )

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "cannot be written (Not a directory); give another one with --out" in line


@pytest.mark.parametrize(
    "words", ["run -s synbench-mini -d ecod", "detectors check ecod"]
)
def test_a_working_folder_that_was_deleted_is_named(tmp_path, words):
    gone = tmp_path / "gone"
    gone.mkdir()
    enter = ("sh", "-c", 'cd "$0" && rmdir "$0" && exec "$@"', str(gone))
    done = subprocess.run(
        [*enter, sys.executable, "-P", "-m", "odbench", *words.split()],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "working folder: was deleted; change to another one" in line


def test_a_dry_run_says_what_it_would_do_and_does_nothing(tmp_path):
    done = odbench(
        "run", "--suite", "synbench-mini", "--detectors", "knn,iforest", "--dry-run",
        "--out", str(tmp_path / "out"),
    )  # fmt: skip

    assert done.returncode == 0
    assert "150 trials: 0 done, 150 to do" in done.stdout
    assert not (tmp_path / "out").exists()


def test_a_dry_run_of_a_detector_that_was_never_timed_knows_no_time(tmp_path):
    (tmp_path / "mine.py").write_text(
        "class Mine:\n"
        "    def fit(self, X): return self\n"
        "    def decision_function(self, X): return X.sum(axis=1)\n"
    )
    done = odbench(
        "run", "--suite", "synbench-mini", "--detectors", f"{tmp_path}/mine.py:Mine",
        "--dry-run",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "about" not in done.stdout
    assert "25 trials of configurations never timed" in done.stdout


def test_a_dry_run_says_which_part_of_its_estimate_is_guessed(tmp_path):
    (tmp_path / "mine.py").write_text(
        "class Mine:\n"
        "    def fit(self, X): return self\n"
        "    def decision_function(self, X): return X.sum(axis=1)\n"
    )
    done = odbench(
        "run", "--suite", "synbench-mini", "--dry-run",
        "--detectors", f"ecod,{tmp_path}/mine.py:Mine",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    said = done.stdout.partition("about ")[2]
    assert (
        "from earlier timings\n  25 trials of configurations never timed, guessed "
        in said
    )


@pytest.mark.slow
def test_the_oracle_stands_beside_the_detectors(tmp_path):
    out = tmp_path / "out"

    done = odbench(
        "run", "--suite", "synbench-mini", "--detectors", "ecod,oracle", "--limit", "5",
        "--out", str(out),
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    board = pd.read_csv(out / "leaderboard.csv").set_index("detector")
    assert board.loc["oracle", "mean_auroc"] > board.loc["ecod", "mean_auroc"]


@pytest.mark.slow
def test_contamination_moves_anomalies_and_is_another_protocol(tmp_path):
    out = tmp_path / "out"
    common = ["run", "--suite", "synbench-mini", "--limit", "1", "--detectors", "ecod"]

    odbench(*common, "--out", str(out))
    done = odbench(*common, "--contamination", "0.01", "--out", str(out))

    assert done.returncode == 0, done.stderr
    plain, dirty = (
        read_results(out).set_index("protocol").loc[label]
        for label in ("one-class", "contaminated=0.01")
    )
    assert dirty["n_anomalies"] < plain["n_anomalies"]
    assert dirty["n_train"] > plain["n_train"]


@pytest.mark.slow
def test_a_file_beside_the_command_does_not_stand_for_a_library(tmp_path):
    (tmp_path / "numbers.py").write_text("raise SystemExit('the wrong numbers')")

    done = odbench(
        "run", "--suite", "synbench-mini", "--limit", "1", "--detectors", "ecod",
        cwd=tmp_path,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_private_run_names_the_scores_and_the_next_command(tmp_path):
    drawn = odbench(
        "synbench", "private", "--seed-file", "secret", "--count", "2",
        "--out", "drawn", cwd=tmp_path,
    )  # fmt: skip
    assert drawn.returncode == 0, drawn.stderr

    done = odbench(
        "run", "--suite", "synbench", "--partition", "private", "--detectors", "ecod",
        "--mirror", "drawn/features", "--out", "mine", cwd=tmp_path,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "are they your own" not in done.stderr
    assert "no public labels, so no leaderboard; scores are in mine/scores" in (
        done.stderr
    )
    assert "next: `odbench submission pack mine`" in done.stderr
    assert list((tmp_path / "mine" / "scores").rglob("*.npy"))


@pytest.mark.slow
def test_a_call_that_finds_nothing_to_do_is_light_and_keeps_the_description(tmp_path):
    command = ["run", "--suite", "synbench-mini", "--limit", "1", "--detectors",
               "ecod", "--out", str(tmp_path / "out")]  # fmt: skip
    assert odbench(*command).returncode == 0
    before = (tmp_path / "out/run.json").read_bytes()
    assert b'"sandbox"' in before

    again = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "odbench", *command],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert "nothing to do" in again.stderr
    lines = [x for x in again.stderr.splitlines() if x.startswith("import time:")]
    imported = {line.rpartition("|")[2].strip() for line in lines}
    assert "pyarrow.parquet" in imported
    slow = {"joblib", "pandas", "psutil", "pyarrow.compute", "http.client", "numba"}
    assert not imported & slow
    assert (tmp_path / "out/run.json").read_bytes() == before


@pytest.mark.slow
def test_a_description_that_was_lost_is_written_again(tmp_path):
    command = ["run", "--suite", "synbench-mini", "--limit", "1", "--detectors",
               "ecod", "--out", str(tmp_path / "out")]  # fmt: skip
    assert odbench(*command).returncode == 0
    (tmp_path / "out/run.json").write_text("{")

    assert odbench(*command).returncode == 0

    assert json.loads((tmp_path / "out/run.json").read_text())["configurations"]
