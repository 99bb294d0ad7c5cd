"""Behaviour that all commands of the command line share."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from odbench import cli
from odbench.errors import DiskFullError, RunBrokenError, UsageError
from tests.conftest import fill


@pytest.fixture
def ends_with(monkeypatch, capsys):
    """Run a verb that raises, and return the exit code and stderr."""

    def ends_with(error):
        @click.command("suites")
        def verb():
            raise error

        monkeypatch.setattr(cli.cli, "get_command", lambda *_: verb)
        with pytest.raises(SystemExit) as done:
            cli.main(["suites"])
        return done.value.code, capsys.readouterr().err

    return ends_with


def failed(number, *filename):
    return OSError(number, os.strerror(number), *filename)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UsageError("two\nlines"), 2, "two lines"),
        (RunBrokenError("it broke"), 1, "it broke"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (failed(errno.EACCES, "there/x"), 2, "'there/x': Permission denied"),
        (failed(errno.EEXIST, "there"), 2, "'there': File exists"),
        (failed(errno.ENOSPC, "there/x"), 1, "'there/x': No space left on device"),
        (failed(errno.ENOSPC), 1, "make room for the output"),
        (DiskFullError("no space left for it"), 1, "no space left for it"),
    ],
)
def test_what_is_raised_is_one_line_and_a_code(ends_with, error, code, words):
    given, err = ends_with(error)
    assert given == code
    assert words in err
    # After Ctrl-C, click first ends the line of the `^C`.
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["scor", "x.csv"], "No such command 'scor'. Did you mean 'score'? See"),
        (["nothing"], "No such command 'nothing'. See `odbench --help`."),
    ],
)
def test_a_mistyped_command_is_one_line_with_the_nearest(typed, words, capsys):
    with pytest.raises(SystemExit) as done:
        cli.main(typed)

    err = capsys.readouterr().err
    assert (done.value.code, err.count("\n")) == (2, 1)
    assert words in err


@pytest.mark.parametrize("error", [failed(errno.EBADF), ValueError("a bug")])
def test_a_bug_keeps_its_traceback(ends_with, error):
    with pytest.raises(type(error)):
        ends_with(error)


def test_a_folder_that_is_a_file_is_one_line(tmp_path, capsys):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit) as done:
        cli.main(["synbench", "private", "--seed-file", str(tmp_path / "s"),
                  "--count", "1", "--out", str(file / "out")])  # fmt: skip
    assert done.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def odbench(*arguments, **options):
    command = [sys.executable, "-m", "odbench", *map(str, arguments)]
    return subprocess.run(
        command, stderr=subprocess.PIPE, text=True, check=False, **options
    )


def test_a_reader_that_has_enough_is_no_failure():
    reader, writer = os.pipe()
    os.close(reader)
    done = odbench("datasets", "list", stdout=writer)
    os.close(writer)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no /dev/full")
@pytest.mark.parametrize("verb", ["suites", "datasets list", "--help"])
def test_output_that_does_not_fit_is_one_line_and_1(verb):
    with Path("/dev/full").open("w") as full:
        done = odbench(*verb.split(), stdout=full)

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "No space left on device" in line


@pytest.mark.parametrize(
    "verb",
    [
        "detectors new foo --into",
        "detectors new foo --package --into",
        "datasets show synbench/gmm-subspace-045 --plot",
    ],
)
def test_a_file_that_does_not_fit_is_named_and_not_left(verb, small_disk):
    ballast = fill(small_disk)
    # Room for the first file of several, or for the start of one.
    os.truncate(ballast, ballast.stat().st_size - 4096)
    place = small_disk / "set.png" if "--plot" in verb else small_disk

    done = odbench(*verb.split(), place, stdout=subprocess.PIPE)

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert str(small_disk) in line
    assert "No space left on device" in line
    left = {path.name for path in small_disk.rglob("*") if path.is_file()}
    assert left == {"ballast"}


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ("score t.csv --fdr much", "'--fdr': got 'much', wanted a number."),
        ("leaderboard show d --seed x", "'--seed': got 'x', wanted a whole number."),
    ],
)
def test_a_text_that_is_no_number_is_said_as_other_faults_are(capsys, call, line):
    with pytest.raises(SystemExit) as done:
        cli.main(call.split())

    assert done.value.code == 2
    assert line in capsys.readouterr().err
