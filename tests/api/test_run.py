"""`odbench.run` leaves the same files as `odbench run`."""

import sys

import pandas as pd
import pytest

import odbench
from odbench.cli import main

COMMAND = "run --suite synbench-mini --detectors ecod,hbos --limit 3 -j 1"
ASKED = {"detectors": ["ecod", "hbos"], "limit": 3, "jobs": 1}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api") / "run"
    odbench.run("synbench-mini", out=folder, show_progress=False, **ASKED)
    return folder


def test_the_folder_holds_what_the_design_names(out):
    assert {"run.json", "results.parquet", "leaderboard.csv"} <= {
        path.name for path in out.iterdir()
    }
    results = odbench.read_results(out)
    table = pd.read_csv(out / "leaderboard.csv")
    expected = odbench.build_leaderboard(results)
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)


def test_the_command_finds_nothing_left_to_do_and_the_same_table(
    out, capsys, monkeypatch
):
    before = (out / "leaderboard.csv").read_bytes()
    monkeypatch.setattr(sys, "argv", ["odbench"])

    with pytest.raises(SystemExit) as ended:
        main(COMMAND.split() + ["--out", str(out)])

    assert ended.value.code == 0
    assert "nothing to do: all 6 trials" in capsys.readouterr().err
    assert (out / "leaderboard.csv").read_bytes() == before


def test_without_a_folder_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    results = odbench.run("synbench-mini", show_progress=False, **ASKED)

    assert len(results) == 6
    assert not list(tmp_path.glob("odbench-run-*"))
