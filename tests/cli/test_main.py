"""What the command line does whatever the verb."""

import errno
import os

import click
import pytest

from odbench import cli
from odbench.errors import RunBrokenError, UsageError


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
    ],
)
def test_what_is_raised_is_one_line_and_a_code(ends_with, error, code, words):
    given, err = ends_with(error)
    assert given == code
    assert words in err
    # After Ctrl-C, click leaves the line of the `^C` first.
    assert len(err.strip().splitlines()) == 1


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
