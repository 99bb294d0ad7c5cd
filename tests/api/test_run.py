"""`odbench.run` leaves the same files as `odbench run`."""

import os
import subprocess
import sys
import time

import pandas as pd
import pytest

import odbench
import odbench.errors
from odbench.cli import main
from odbench.sweep.places import remove_working_folders
from odbench.sweep.request import RunRequest

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
    expected = pd.DataFrame(odbench.build_leaderboard(results))
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
    assert not list(tmp_path.glob("odbench-*"))


def test_the_folder_of_a_call_that_was_killed_is_removed_by_a_later_run(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    call = "import odbench; odbench.run('synbench-mini', detectors='iforest', jobs=1)"
    with subprocess.Popen(
        [sys.executable, "-c", call], env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as caller:
        while caller.poll() is None and not list(tmp_path.glob("*/run.json")):
            time.sleep(0.05)
        remove_working_folders()
        was_kept = bool(list(tmp_path.glob("*/run.json")))
        caller.kill()
    # Its workers end a moment after it.
    for _ in range(100):
        remove_working_folders()
        if not list(tmp_path.glob("odbench-*")):
            break
        time.sleep(0.1)

    assert was_kept
    assert not list(tmp_path.glob("odbench-*"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"jobs": "two"}, "jobs: got 'two', wanted a whole number, or None"),
        ({"jobs": 1.5}, "jobs: got 1.5, wanted a whole number, or None"),
        ({"jobs": True}, "jobs: got True, wanted a whole number, or None"),
        ({"jobs": 0}, "jobs: got 0, wanted 1 or more"),
        ({"timeout": "1h"}, "timeout: got '1h', wanted a number of seconds"),
        ({"timeout": float("nan")}, "timeout: got nan, wanted more than 0 seconds"),
        ({"datasets": ["a*"]}, r"datasets: got \['a\*'\], wanted a text, or None"),
        ({"grid": "yes"}, "grid: got 'yes', wanted True or False"),
        ({"backend": None}, "backend: got None, wanted one of loky, "),
        ({"timeout": 10**400}, "timeout: got 1000.*, wanted more than 0 seconds"),
        ({"memory_limit": float("inf")}, "memory_limit: got inf, wanted more than 0"),
        ({"memory_limit": 1e300}, r"memory_limit: got 1e\+300, wanted .* less than"),
        ({"seeds": 10**22}, "seeds: got 10+, wanted 1 to 10000"),
        ({"scheduler": "x"}, "scheduler: got 'x' with backend 'loky'; wanted it with"),
        ({"detectors": 5}, "detectors: got int, wanted names, or a list of detectors"),
        ({"mirror": 5}, "mirror: got 5, wanted the path of a folder, or None"),
    ],
)
def test_an_option_that_cannot_be_is_one_line(options, words):
    with pytest.raises(odbench.errors.UsageError, match=f"^{words}") as raised:
        odbench.run("synbench-mini", **options)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("suite", [5, None, [5], [b"synbench-mini"]])
def test_a_suite_that_is_no_name_is_one_line(suite):
    with pytest.raises(odbench.errors.UsageError, match=r"^suite: got .* a name"):
        odbench.run(suite)


def test_no_suite_is_one_line():
    with pytest.raises(odbench.errors.UsageError, match=r"^suite: got no name"):
        odbench.run([])


def test_an_option_that_does_not_exist_is_named():
    with pytest.raises(TypeError, match="unexpected keyword argument 'jbos'"):
        odbench.run("synbench-mini", jbos=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"jbos": 1}, r"run: no option 'jbos'; did you mean 'jobs'\? it has suites, "),
        ({"colour": "red"}, "run: no option 'colour'; it has suites, detectors, grid"),
    ],
)
def test_a_request_names_the_option_that_was_meant(options, words):
    with pytest.raises(odbench.errors.UsageError, match=f"^{words}"):
        RunRequest.of(suites=("synbench-mini",), **options)
