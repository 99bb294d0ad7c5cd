"""Progress of a running sweep: a bar in a terminal, lines elsewhere."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

import pytest
from tqdm import tqdm

from odbench.data.bar import notebook_bar
from odbench.sweep import progress
from odbench.sweep.journal import FOLDER, TEXTS, format_line
from odbench.sweep.progress import Progress
from odbench.sweep.time_left import TimeLeft
from odbench.sweep.trial_times import TrialTimes


@pytest.fixture
def folder(tmp_path):
    (tmp_path / FOLDER).mkdir()
    return tmp_path


def write(folder, *entries):
    with (folder / FOLDER / "0.jsonl").open("ab") as journal:
        journal.writelines(map(format_line, entries))


def start(key, title):
    return {"start": title, "of": key, "at": time.time() - 5}


def result(key, status="ok"):
    return {**dict.fromkeys(TEXTS, "x"), "key": key, "status": status}


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress.time, "monotonic", clock)
    # Journals are read only when a test asks for it.
    monkeypatch.setattr(Progress, "_follow", lambda _: None)
    return clock


def keys(first, n):
    return [f"{number:032x}" for number in range(first, first + n)]


def test_the_time_left_is_measured_from_the_first_result(folder, clock, capsys):
    with Progress(folder, 100, show=True) as shown:
        clock.now += 60  # one minute of compiling
        shown.look()
        write(folder, *map(result, keys(0, 10)))
        clock.now += 20
        shown.look()
        write(folder, *map(result, keys(10, 20)))
        clock.now += 20
        shown.look()

    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == [
        "odbench: 0/100 trials",
        "odbench: 10/100 trials",
        "odbench: 30/100 trials, 1.0/s, 1:10 left",
    ]


class Work(TimeLeft):
    """A time left of which each trial takes what its row says."""

    def __init__(self, total):
        self.total = total
        self.done = 0.0
        super().__init__([], TrialTimes())

    def finish(self, row, seconds):
        self.done += row["size"]

    def left(self):
        return self.total - self.done


def test_the_time_left_is_that_of_the_work_left(folder, clock, capsys):
    with Progress(folder, 8, show=True, time_left=Work(100.0)) as shown:
        for number, size in enumerate((30.0, 30.0, 20.0)):
            write(folder, result(f"{number:032x}") | {"size": size})
            clock.now += 20
            shown.look()

    line = capsys.readouterr().err.splitlines()[2]
    # 50 seconds of trials took 40; the ideal pace counts as much as 10 more.
    assert line == "odbench: 3/8 trials, 0.1/s, 0:17 left"


def test_trials_slower_than_expected_leave_no_time_left_of_zero(folder, clock, capsys):
    one, two, three = keys(0, 3)
    with Progress(folder, 3, show=True, time_left=Work(3.0)) as shown:
        for key in (one, two):
            write(folder, result(key) | {"size": 1.0})
            clock.now += 20
            shown.look()
        # It has run for five seconds, and only one was expected to be left.
        write(folder, start(three, "slow on a/c"))
        clock.now += 20
        shown.look()

    lines = capsys.readouterr().err.splitlines()
    assert lines[1].startswith("odbench: 2/3 trials, 0.1/s, 0:")
    assert lines[2].startswith("odbench: 2/3 trials, 0.0/s | slow on a/c 0:05")


def test_failures_and_the_slowest_trial_are_named(folder, clock, capsys):
    one, two, three = keys(0, 3)
    with Progress(folder, 3, show=True) as shown:
        write(folder, start(one, "knn:k=5 on a/b"), result(one, "failed"))
        write(folder, start(two, "knn:k=5 on a/c"))
        clock.now += 20
        shown.look()
        write(folder, result(two), start(three, "lof on a/c"))
        clock.now += 20
        shown.look()

    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "odbench: 1/3 trials, 1 failed | knn:k=5 on a/c 0:05"
    assert lines[1] == (
        "odbench: 2/3 trials, 0.1/s, 0:20 left, 1 failed | lof on a/c 0:05, "
        "first trial: may be compiling"
    )


def test_a_trial_done_twice_counts_once(folder, clock):
    with Progress(folder, 2, show=False) as shown:
        write(folder, *map(result, keys(0, 1) * 2))
        shown.look()

        assert shown.counts == {"ok": 1}


@pytest.mark.parametrize("columns", [0, 70])
def test_a_terminal_of_any_width_gets_a_bar(folder, columns, monkeypatch):
    ours, theirs = pty.openpty()
    size = struct.pack("HHHH", 24, columns, 0, 0)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with Progress(folder, 8, show=True) as shown:
            write(folder, *map(result, keys(0, 2)))
            shown.look()
            text = ""
            while "2/8 [" not in text and select.select([ours], [], [], 10.0)[0]:
                text += os.read(ours, 1 << 16).decode()
    os.close(ours)

    assert "2/8 [" in text
    assert max(map(len, text.split("\r"))) <= (columns or 80)


def test_a_notebook_with_widgets_has_tqdms_own_bar(folder, clock, monkeypatch, capsys):
    drawn = []

    class Recorded(tqdm):
        def display(self, *_, **__):
            drawn.append(str(self))

    monkeypatch.setattr(progress, "notebook_bar", lambda: Recorded)

    with Progress(folder, 4, show=True) as shown:
        write(folder, *(result(key) for key in keys(0, 3)))
        shown.look()

    assert "75%" in drawn[-1]
    assert "3/4" in drawn[-1]
    assert "odbench:" not in capsys.readouterr().err


def test_a_notebook_without_widgets_has_lines(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    monkeypatch.setitem(sys.modules, "ipywidgets", None)

    assert notebook_bar() is None


@pytest.mark.slow
def test_bars_are_widgets_in_a_real_notebook(tmp_path, own_cache):
    pytest.importorskip("ipywidgets")
    nbformat, nbclient = map(pytest.importorskip, ("nbformat", "nbclient"))
    code = (
        "import odbench\n"
        "odbench.run('synbench-mini', detectors=['ecod'], limit=2, out='run', jobs=1);"
    )
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])

    nbclient.NotebookClient(
        book, timeout=300, kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()  # fmt: skip

    (widgets,) = book.metadata["widgets"].values()
    bars = [w["state"] for w in widgets["state"].values()
            if w["model_name"] == "FloatProgressModel"]  # fmt: skip
    assert [(bar["value"], bar["bar_style"]) for bar in bars][-1] == (2.0, "success")
