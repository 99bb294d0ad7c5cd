"""Runs that were killed, interrupted or out of disk space, and resuming them."""

import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import filelock
import pandas as pd
import pyarrow as pa
import pytest

from odbench.errors import ResultsError, RunBrokenError
from odbench.leaderboard.tables import build_leaderboard
from odbench.results import read_results, schema, write_results
from odbench.sweep import backends
from odbench.sweep.journal import Journal
from odbench.sweep.prepare import prepare
from odbench.sweep.progress import Progress
from odbench.sweep.request import RunRequest
from odbench.sweep.run import execute
from tests.conftest import fill

COSTS = [
    "fit_seconds",
    "score_seconds",
    "shared_seconds",
    "warmup_seconds",
    "peak_memory_bytes",
    "started_at",
    "worker",
    "generation",
]


@pytest.fixture
def command(made_up, hostile, tmp_path):
    """Start ``odbench run`` with 3 data sets x 10 configurations of a slow detector."""
    specs = ",".join(
        hostile(f"Slow:seconds={seconds}")
        for seconds in (0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.11, 0.12, 0.13, 0.14)
    )

    def start(out="out", *more: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "odbench", "run", "--suite", "oddbench"]
            + ["--detectors", specs, "--mirror", str(made_up)]
            + ["--out", str(tmp_path / out), "--jobs", "2", *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def without_costs(folder: Path) -> pd.DataFrame:
    return read_results(folder).drop(columns=COSTS)


def journaled(folder: Path) -> list[str]:
    """Return the key of every whole result in the journals."""
    return [
        entry["key"]
        for path in (folder / "journal").glob("*.jsonl")
        for line in path.read_text().splitlines(keepends=True)
        if line.endswith("\n") and "key" in (entry := json.loads(line))
    ]


@pytest.mark.slow
def test_two_runs_at_once_share_a_cache(command, tmp_path, monkeypatch):
    monkeypatch.setenv("ODBENCH_CACHE", str(tmp_path / "cache"))

    runs = [command("a"), command("b")]

    assert [finish(run)[0] for run in runs] == [0, 0]
    a, b = (without_costs(tmp_path / name) for name in "ab")
    pd.testing.assert_frame_equal(a, b)


@pytest.mark.slow
def test_the_same_command_again_does_nothing_and_says_so(command, tmp_path):
    assert finish(command())[0] == 0
    before = (tmp_path / "out/results.parquet").read_bytes()

    code, out, err = finish(command())

    assert code == 0
    assert "nothing to do: all 30 trials are in" in err
    assert "Slow[seconds=0.14]" in out
    assert (tmp_path / "out/results.parquet").read_bytes() == before


@pytest.mark.slow
def test_a_run_killed_at_twenty_moments_ends_like_an_undisturbed_one(command, tmp_path):
    assert finish(command("undisturbed"))[0] == 0
    folder, rng = tmp_path / "out", random.Random(20260101)
    seen: set[str] = set()

    for _ in range(20):
        process = command()
        time.sleep(rng.uniform(0.4, 3.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        kept = set(journaled(folder))
        if (folder / "results.parquet").exists():
            kept |= set(read_results(folder)["key"])
        # No finished trial is ever lost.
        assert seen <= kept
        seen = kept
    code, _, _ = finish(command())

    assert code == 0
    pd.testing.assert_frame_equal(
        without_costs(folder), without_costs(tmp_path / "undisturbed")
    )
    results = read_results(folder)
    assert len(results) == results["key"].nunique() == 30


def wait_for_a_result(folder: Path) -> None:
    deadline = time.monotonic() + 60
    while not journaled(folder):
        assert time.monotonic() < deadline, "no trial was finished"
        time.sleep(0.05)


@pytest.mark.slow
def test_ctrl_c_once_finishes_what_runs_and_saves(command, tmp_path):
    process = command()
    wait_for_a_result(tmp_path / "out")

    os.killpg(process.pid, signal.SIGINT)
    code, _, err = finish(process)

    assert code == 130
    assert "finishing the running trials" in err
    assert 0 < len(read_results(tmp_path / "out")) < 30
    assert finish(command())[0] == 0
    assert len(read_results(tmp_path / "out")) == 30


@pytest.mark.slow
def test_ctrl_c_twice_stops_now_and_keeps_what_was_finished(command, tmp_path, hostile):
    process = command("out", "--detectors", hostile("Slow:seconds=100"))
    wait_for_a_result(tmp_path / "out")
    time.sleep(1.5)

    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.5)
    asked = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    code, _, _ = finish(process)

    assert code == 130
    assert time.monotonic() - asked < 20
    assert len(read_results(tmp_path / "out")) > 0


@pytest.mark.slow
@pytest.mark.parametrize("closes", [False, True])
def test_a_schedulers_sigterm_stops_now_and_keeps_what_was_finished(
    command, tmp_path, hostile, closes
):
    # The tests may run under nohup, which would have their commands ignore it.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        process = command("out", "--detectors", hostile("Slow:seconds=100"))
    finally:
        signal.signal(signal.SIGHUP, before)
    wait_for_a_result(tmp_path / "out")

    asked = time.monotonic()
    if closes:
        # A terminal tells all its processes.
        os.killpg(process.pid, signal.SIGHUP)
    else:
        process.terminate()
    code, _, err = finish(process)

    assert code == 130
    assert "leaked" not in err
    assert "Traceback" not in err
    assert time.monotonic() - asked < 20
    assert len(read_results(tmp_path / "out")) > 0


def test_an_interrupt_before_the_first_worker_is_one(
    made_up, hostile, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        Progress, "__enter__", lambda _: signal.raise_signal(signal.SIGTERM)
    )
    request = RunRequest(
        suites=("oddbench",), detectors=[hostile("Plain")], mirror=str(made_up),
        out=tmp_path / "out", show_progress=False,
    )  # fmt: skip

    summary = execute(request, prepare(request))

    assert summary.interrupted
    assert not (tmp_path / "out/journal/token").exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_termination_that_python_drops_ends_the_run_all_the_same(
    made_up, hostile, tmp_path, monkeypatch
):
    class Kept:
        pass

    enter = Progress.__enter__

    def dropped(self):
        # As a worker's handle that is finalized in this moment.
        weakref.finalize(Kept(), signal.raise_signal, signal.SIGTERM)
        return enter(self)

    monkeypatch.setattr(Progress, "__enter__", dropped)
    request = RunRequest(
        suites=("oddbench",), detectors=[hostile("Plain")], mirror=str(made_up),
        out=tmp_path / "out", jobs=1, show_progress=False,
    )  # fmt: skip

    summary = execute(request, prepare(request))

    assert summary.interrupted
    assert summary.counts.total() < summary.asked


@pytest.mark.parametrize("sent", [signal.SIGTERM, None])
def test_what_a_library_says_when_it_is_interrupted_is_no_fault(
    made_up, hostile, tmp_path, monkeypatch, sent
):
    def interrupted(*_, **__):
        try:
            if sent is not None:
                signal.raise_signal(sent)
        finally:
            # As joblib does if it was about to start a thread.
            threading.Thread().join()
        yield

    monkeypatch.setattr(backends, "run_batches", interrupted)
    request = RunRequest(
        suites=("oddbench",), detectors=[hostile("Plain")], mirror=str(made_up),
        out=tmp_path / "out", show_progress=False,
    )  # fmt: skip

    if sent is None:
        with pytest.raises(RuntimeError, match="cannot join thread"):
            execute(request, prepare(request))
    else:
        assert execute(request, prepare(request)).interrupted
    assert not (tmp_path / "out/journal/token").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminal hangs up here")
@pytest.mark.parametrize("ignored", [False, True])
def test_a_terminal_that_closes_ends_a_run_unless_that_is_ignored(
    made_up, hostile, tmp_path, monkeypatch, ignored
):
    hang_up = signal.SIGHUP
    before = signal.signal(hang_up, signal.SIG_IGN if ignored else signal.SIG_DFL)
    enter = Progress.__enter__

    def closed(self):
        signal.raise_signal(hang_up)
        return enter(self)

    monkeypatch.setattr(Progress, "__enter__", closed)
    request = RunRequest(
        suites=("oddbench",), detectors=[hostile("Plain")], mirror=str(made_up),
        out=tmp_path / "out", jobs=1, show_progress=False,
    )  # fmt: skip
    try:
        summary = execute(request, prepare(request))
        after = signal.getsignal(hang_up)
    finally:
        signal.signal(hang_up, before)

    assert summary.interrupted is not ignored
    assert (summary.counts.total() == summary.asked) is ignored
    assert after is (signal.SIG_IGN if ignored else signal.SIG_DFL)


@pytest.mark.parametrize("kept", [False, True])
def test_a_working_folder_that_is_deleted_meanwhile_is_named(
    made_up, hostile, tmp_path, monkeypatch, kept
):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    check = Journal.check

    def deleted(self):
        shutil.rmtree(gone, ignore_errors=True)
        # As a library that asks for the folder.
        Path.cwd() if kept else check(self)

    monkeypatch.setattr(Journal, "check", deleted)
    request = RunRequest(
        suites=("oddbench",), detectors=[hostile("Plain")], mirror=str(made_up),
        out=tmp_path / "out" if kept else Path("out"), jobs=1, show_progress=False,
    )  # fmt: skip
    words = "finished trials are kept; change" if kept else "no trial is kept; change"

    with pytest.raises(RunBrokenError, match=f"working folder was deleted.*{words}"):
        execute(request, prepare(request))


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_before_any_result_is_130(command, tmp_path, hostile, sent):
    process = command("out", "--detectors", hostile("Slow:seconds=101"),
                      "--datasets", "Alpha", "--limit", "1")  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "out/journal/token").exists():
        assert time.monotonic() < deadline, "the sweep never began"
        time.sleep(0.05)

    process.send_signal(sent)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        # The first trial has begun and is slow.
        process.send_signal(sent)
    code, _, err = finish(process)

    assert code == 130, err


def test_sigterm_while_data_is_fetched_is_130(command, own_cache, tmp_path):
    lock = own_cache / "locks/oddbench/public/Alpha.lock"
    lock.parent.mkdir(parents=True)
    # The lock looks as if another process were fetching the data set.
    with filelock.FileLock(lock):
        process = command()
        deadline = time.monotonic() + 60
        while not (own_cache / "features/oddbench/public/Gamma.arrow").exists():
            assert time.monotonic() < deadline, "nothing was fetched"
            time.sleep(0.05)
        process.terminate()
        time.sleep(0.5)
    code, _, err = finish(process)

    assert code == 130, err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("limit", [1, 3])
def test_trials_finished_while_a_run_waited_are_not_run_again(
    made_up, hostile, tmp_path, limit
):
    request = RunRequest(
        suites=("oddbench",), detectors=[hostile("Plain")], mirror=str(made_up),
        out=tmp_path / "out", jobs=1, show_progress=False,
    )  # fmt: skip
    first = dataclasses.replace(request, limit=limit)
    waiting = prepare(request)
    execute(first, prepare(first))
    before = read_results(tmp_path / "out")

    summary = execute(request, waiting)

    assert (summary.asked, summary.done_before) == (3, limit)
    assert summary.counts.total() == 3 - limit
    after = read_results(tmp_path / "out")
    assert len(after) == 3
    assert set(before["started_at"]) <= set(after["started_at"])
    assert set(before["generation"]) == {1}
    assert (tmp_path / "out/journal/generation").read_text() == str(1 + (limit < 3))


@pytest.mark.slow
def test_a_second_run_in_the_same_folder_is_refused(command, tmp_path):
    first = command()
    wait_for_a_result(tmp_path / "out")
    # Else it may finish before the second one has started.
    os.killpg(first.pid, signal.SIGSTOP)
    try:
        code, out, err = finish(command())
    finally:
        os.killpg(first.pid, signal.SIGCONT)

    assert code == 2
    assert not out
    (line,) = [line for line in err.splitlines() if "is writing to it" in line]
    assert str(first.pid) in line
    assert finish(first)[0] == 0
    assert len(read_results(tmp_path / "out")) == 30


@pytest.mark.slow
def test_a_line_cut_by_a_power_failure_is_ignored(command, tmp_path):
    process = command()
    wait_for_a_result(tmp_path / "out")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    journal = next(
        p for p in (tmp_path / "out/journal").glob("*.jsonl") if p.stat().st_size
    )
    with journal.open("ab") as sink:
        sink.write(b'{"suite":"oddbench","key":"cut o')

    assert finish(command())[0] == 0
    assert len(read_results(tmp_path / "out")) == 30


MINE = (
    "import numpy as np\n"
    "class Mine:\n"
    "    def __init__(self, power=1.0): self.power = power\n"
    "    def fit(self, X): return self\n"
    "    def decision_function(self, X):\n"
    "        return (np.abs(X) ** self.power).max(axis=1)\n"
)


@pytest.fixture
def edited(made_up, tmp_path):
    """Run a detector whose source is the given text, on three data sets."""
    source = tmp_path / "mine.py"

    def run(text, *more):
        source.write_text(text)
        arguments = ["run", "--suite", "oddbench", "--detectors", f"{source}:Mine"]
        arguments += ["--mirror", str(made_up), "--out", str(tmp_path / "out"), *more]
        return odbench(*arguments)

    return run


def odbench(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "odbench", *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_an_edited_detector_runs_again_and_replaces_its_results(edited, tmp_path):
    edited(MINE)
    other = MINE.replace(".max(", ".min(")

    plan = edited(other, "--dry-run").stdout
    some = edited(other, "--limit", "1").stderr
    edited(other)

    assert "2 rows of an earlier version of Mine are ignored" in some
    assert "--detector Mine --old` removes them" in some
    assert "3 trials: 0 done, 3 to do" in plan
    assert "3 detector changed" in plan
    results = read_results(tmp_path / "out")
    assert len(results) == 3
    assert results["detector_version"].nunique() == 1


@pytest.mark.slow
def test_rows_from_the_future_do_not_outlive_an_edit(edited, tmp_path):
    edited(MINE)
    old = read_results(tmp_path / "out").assign(started_at="2999-01-01T00:00:00+00:00")
    rows = pa.Table.from_pandas(old, schema=schema(), preserve_index=False)
    write_results(rows, tmp_path / "out/results.parquet")

    done = edited(MINE.replace(".max(", ".min("))

    assert "ignored" not in done.stderr
    results = read_results(tmp_path / "out")
    assert len(results) == 3
    assert not set(results["key"]) & set(old["key"])
    assert "nothing to do" in edited(MINE.replace(".max(", ".min(")).stderr


@pytest.mark.slow
def test_every_reader_takes_the_version_that_run_takes(edited, tmp_path):
    """A changed default gives the same name other parameters: old rows stay."""
    out, changed = tmp_path / "out", MINE.replace("power=1.0", "power=3.0")
    edited(MINE)

    ran = edited(changed, "--limit", "1")
    shown = odbench("leaderboard", "show", out)
    built = odbench("leaderboard", "build", out, "--out", tmp_path / "board")
    compared = odbench("leaderboard", "diff", out, tmp_path / "board")
    with pytest.warns(UserWarning, match="ignored"):
        table = build_leaderboard(read_results(out))

    assert len(read_results(out)) == 4
    for done in (ran, shown, built, compared):
        (told,) = [line for line in done.stderr.splitlines() if "ignored" in line]
        assert f"odbench runs drop {out} --detector Mine --old" in told
    assert ran.stdout == shown.stdout
    assert table["n_datasets"].tolist() == [1]
    assert "same" in compared.stdout


@pytest.mark.slow
def test_a_run_settles_which_version_of_an_old_file_counts(edited, tmp_path):
    """Files of older versions have no generations, so two versions are alike."""
    first = edited(MINE)
    edited(MINE.replace("power=1.0", "power=3.0"))
    rows = pa.Table.from_pandas(
        read_results(tmp_path / "out").assign(generation=None),
        schema=schema(), preserve_index=False,
    )  # fmt: skip
    write_results(rows, tmp_path / "out/results.parquet")
    with pytest.raises(ResultsError, match="comes in 2 versions"):
        build_leaderboard(read_results(tmp_path / "out"))

    again = edited(MINE)

    assert "nothing to do: all 3 trials" in again.stderr
    assert again.stdout == first.stdout
    assert "3 rows of an earlier version of Mine are ignored" in again.stderr


@pytest.mark.slow
def test_an_edit_that_is_undone_brings_its_results_back(edited, tmp_path):
    """They are done and not run again, and yet they are the present ones."""
    first = edited(MINE)
    edited(MINE.replace("power=1.0", "power=3.0"))

    back = edited(MINE)

    assert "nothing to do: all 3 trials" in back.stderr
    assert back.stdout == first.stdout
    assert "3 rows of an earlier version of Mine are ignored" in back.stderr
    assert len(read_results(tmp_path / "out")) == 6
    assert edited(MINE).stdout == first.stdout


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("--keep-scores",)], ids=["", "scores"])
def test_a_folder_that_is_removed_while_a_run_goes_is_named(command, tmp_path, more):
    process = command("out", *more)
    wait_for_a_result(tmp_path / "out")
    # A worker may write into it at this moment.
    os.killpg(process.pid, signal.SIGSTOP)
    shutil.rmtree(tmp_path / "out")
    os.killpg(process.pid, signal.SIGCONT)
    code, _, err = finish(process)

    assert code == 1
    assert "the folder was removed during the run, and no result is kept" in err
    assert "make room" not in err
    assert "Traceback" not in err
    assert finish(command())[0] == 0
    assert len(read_results(tmp_path / "out")) == 30


@pytest.mark.slow
def test_a_full_disk_while_results_are_written_loses_none(
    command, small_disk, tmp_path
):
    out = small_disk / "out"
    process = command(str(out))
    wait_for_a_result(out)
    ballast = fill(small_disk)
    code, _, err = finish(process)
    kept = set(journaled(out))

    assert code == 1
    assert "cannot write results" in err
    assert "Traceback" not in err
    ballast.unlink()
    assert finish(command(str(out)))[0] == 0
    results = read_results(out)
    assert kept <= set(results["key"])
    assert len(results) == results["key"].nunique() == 30
    finish(command("undisturbed"))
    pd.testing.assert_frame_equal(
        without_costs(out), without_costs(tmp_path / "undisturbed")
    )


@pytest.mark.slow
def test_only_detectors_that_share_work_are_charged_for_it(made_up, hostile, tmp_path):
    others = ",".join(hostile(f"Slow:seconds=0.0{i}") for i in range(1, 6))
    process = subprocess.Popen(
        [sys.executable, "-m", "odbench", "run", "--suite", "oddbench"]
        + ["--detectors", f"knn,lof,dte_np,pca,gmm,{others}", "--jobs", "1"]
        + ["--mirror", str(made_up), "--out", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert finish(process)[0] == 0

    table = read_results(tmp_path / "out")
    shares = table["detector"].isin(["knn", "lof", "dte_np"])

    assert (table["shared_seconds"][shares] > 0).any()
    assert (table["shared_seconds"][~shares] == 0).all()
