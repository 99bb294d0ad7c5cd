"""`odbench runs` from the outside: output, files and exit codes."""

import csv
import io
import json
import os
import shutil
import sys

import pandas as pd
import pytest

from odbench.cli import main
from odbench.leaderboard.run_table import table_of_run
from odbench.sweep.folder import locked
from odbench.sweep.journal import Journal
from tests.cli.advice import foreign_options
from tests.reference.sweep import row, write
from tests.reference.trials import frame, place, trial


@pytest.fixture
def run(tmp_path):
    """A run in which one detector has two versions and another one failed."""
    old = [trial(name, "knn", 0.6, generation=1) for name in "abc"]
    new = [trial("a", "knn", 0.7, generation=2, detector_version="2.0", seed=1)]
    lof = [trial(name, "lof", None, generation=1, reason="no") for name in "abc"]
    folder = place(frame([*old, *new, *lof]), tmp_path / "my runs/one")
    asked = {"suites": ["toy"], "seeds": 3, "jobs": None, "show_progress": False}
    (folder / "run.json").write_text(
        json.dumps({"asked": asked, "command": ["odbench", "run", "-s", "toy"]})
    )
    return folder


@pytest.fixture
def call(capsys):
    def called(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(["runs", *map(str, arguments)])
        streams = capsys.readouterr()
        return stopped.value.code, streams.out, streams.err

    return called


def test_list_has_a_row_per_run(call, run):
    code, text, _ = call("list", run.parent)
    _, rows, _ = call("list", run.parent, "--format", "json")
    _, cells, _ = call("list", run.parent, "--format", "csv")

    assert code == 0
    assert str(run) in text
    (row,) = json.loads(rows)
    assert row.pop("changed").endswith("+00:00")
    assert row == {
        "run": str(run), "suites": ["toy"], "trials": 7, "failed": 3, "versions": 3,
        "earlier": 3, "unfolded": 0,
    }  # fmt: skip
    assert next(csv.DictReader(io.StringIO(cells)))["trials"] == "7"


def test_list_goes_on_after_a_damaged_run(call, run):
    (run.parent / "two").mkdir()
    (run.parent / "two/results.parquet").write_bytes(b"hello")

    code, text, err = call("list", run.parent)

    assert code == 3
    assert str(run) in text
    assert "not written by a run" in err


def test_list_goes_on_after_a_journal_that_cannot_be_read(call, run):
    (run.parent / "odd" / "journal" / "host-1-ab.g1.jsonl").mkdir(parents=True)
    shutil.copy(run / "results.parquet", run.parent / "odd")

    code, out, err = call("list", run.parent)

    assert code == 3
    assert str(run) in out
    assert err.count("\n") == 1
    assert "host-1-ab.g1.jsonl': Is a directory" in err


def test_the_default_folder_that_is_missing_is_one_line(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    code, _, err = call("list")

    assert code == 2
    assert "runs 'odbench-runs': no such folder" in err
    assert "`odbench run`" in err


def test_show_says_what_was_asked_and_what_is_there(call, run):
    code, text, _ = call("show", run)
    _, data, _ = call("show", run, "--format", "json")
    _, cells, _ = call("show", run, "--format", "csv")

    assert code == 0
    lines = text.splitlines()
    assert "command  odbench run -s toy" in lines
    assert "asked    suites=toy, seeds=3" in lines
    assert "results  7 (4 ok, 3 failed)" in lines
    assert f"`odbench runs drop '{run}' --old` removes them" in lines[-1]
    content = json.loads(data)
    assert content["statuses"] == {"ok": 4, "failed": 3}
    states = {
        (v["detector"], v["detector_version"]): (v["state"], v["trials"], v["failed"])
        for v in content["versions"]
    }
    assert states == {
        ("knn", "1.0"): ("earlier", 3, 0),
        ("knn", "2.0"): ("present", 1, 0),
        ("lof", "1.0"): ("present", 3, 3),
    }
    assert len(list(csv.DictReader(io.StringIO(cells)))) == 3


def test_show_survives_a_broken_description(call, run):
    (run / "run.json").write_text('{"asked": 1, "command": {')

    assert call("show", run)[0] == 0


def test_the_remark_of_show_is_a_command_that_works(call, run, capsys):
    """Each reader ignores earlier rows until they are dropped."""
    with pytest.raises(SystemExit):
        main(["leaderboard", "show", str(run), "--permutations", "5"])
    first = capsys.readouterr()
    command = first.err.split("`")[1]
    assert command == f"odbench runs drop '{run}' --detector knn --old"

    code, text, _ = call("drop", run, "--detector", "knn", "--old")

    assert code == 0
    assert "knn: 3 results (3 ok)" in text
    assert "3 results and 0 files of scores removed from" in text
    assert "; 4 results left" in text
    with pytest.raises(SystemExit):
        main(["leaderboard", "show", str(run), "--permutations", "5"])
    again = capsys.readouterr()
    assert again.out == first.out
    assert again.err == ""


def test_the_table_of_the_run_is_made_anew(call, run):
    assert len(table_of_run(run).remarks) == 1

    call("drop", run, "--detector", "lof")

    board = pd.read_csv(run / "leaderboard.csv")
    assert board["detector"].tolist() == ["knn"]


def test_drop_without_a_filter_names_the_filters(call, run):
    before = (run / "results.parquet").read_bytes()

    code, _, err = call("drop", run)

    assert code == 2
    assert "give --detector, --dataset, --suite, --status or --old" in err
    assert err.count("\n") == 1
    assert (run / "results.parquet").read_bytes() == before


@pytest.fixture
def terminal(monkeypatch):
    """Connect a terminal to stdin in which somebody types an answer."""

    def typed(answer):
        stdin = io.StringIO(answer)
        stdin.isatty = lambda: True
        monkeypatch.setattr(sys, "stdin", stdin)

    return typed


@pytest.mark.parametrize(("answer", "left"), [("n", 7), ("y", 4)])
def test_a_terminal_is_asked(call, run, terminal, answer, left):
    terminal(f"{answer}\n")

    code, text, _ = call("drop", run, "--status", "failed")

    assert code == 0
    assert "Remove 3 of 7 results?" in text
    assert len(pd.read_parquet(run / "results.parquet")) == left
    assert ("nothing removed" in text) == (left == 7)


def test_show_tells_a_run_that_goes_on_from_an_interrupted_one(call, run):
    (run / "journal").mkdir()
    with Journal(run) as journal:
        journal.append(row("d", seed=7))

    with locked(run):
        going = call("show", run)[1]
    left = call("show", run)[1]

    assert f"process {os.getpid()} is running here" in going
    assert "hold 1 result so far" in going
    assert "an interrupted run left 1 result in journals" in left


def test_results_that_are_still_in_journals_are_asked_about(call, terminal, tmp_path):
    (tmp_path / "run/journal").mkdir(parents=True)
    write(tmp_path / "run", *(row(name) for name in "abc"), generation=1)
    terminal("n\n")

    code, text, _ = call("drop", tmp_path / "run", "--dataset", "a")

    assert code == 0
    assert "Remove 1 of 3 results?" in text
    assert "nothing removed" in text
    assert len(pd.read_parquet(tmp_path / "run/results.parquet")) == 3


def test_yes_is_not_asked(call, run, terminal):
    terminal("")

    code, text, _ = call("drop", run, "--status", "failed", "--yes")

    assert code == 0
    assert "?" not in text
    assert len(pd.read_parquet(run / "results.parquet")) == 4


def test_drop_is_refused_where_there_is_no_run(call, tmp_path):
    code, _, err = call("drop", tmp_path / "nowhere", "--old")

    assert code == 2
    assert "no such folder; `odbench runs list DIR`" in err


def test_advice_about_a_broken_run_names_no_option_of_another_command(call, run):
    for broken in (b"hello", b""):
        (run / "results.parquet").write_bytes(broken)
        for words in (("show", run), ("drop", run, "--old"), ("list", run)):
            code, _, err = call(*words)

            assert code == (3 if words[0] == "list" else 2)
            assert foreign_options(["runs", words[0]], err) == set()
            assert "`odbench run` measures again" in err
    _, _, err = call("show", run.parent / "nowhere")
    assert "no such folder" in err
    assert foreign_options(["runs", "show"], "use --out or `run --out`") == {"--out"}
