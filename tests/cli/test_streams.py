"""Standard streams that are closed or full, a reader that leaves, no home."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from odbench.errors import StoreError

DETECTOR = f"{Path(__file__).with_name('plain_detector.py')}:Mine"
RUN = ["run", "-s", "synbench-mini", "-d", DETECTOR, "--limit", "3"]
MADE = {"journal", "leaderboard.csv", "results.parquet", "run.json"}


def shell(line, *arguments, **options):
    """Run a line of shell in which ``$@`` is odbench with the arguments."""
    command = [sys.executable, "-m", "odbench", *map(str, arguments)]
    return subprocess.run(
        ["bash", "-c", line, "bash", *command],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    "closed",
    [
        pytest.param(">&-", marks=pytest.mark.long),
        pytest.param("2>&-", marks=pytest.mark.long),
        ">&- 2>&- <&-",
        "2>/dev/full",
    ],
)
def test_closed_streams_change_nothing(tmp_path, closed, jobs):
    done = shell(f'"$@" {closed}', *RUN, "-j", jobs, "--out", tmp_path / "run")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert {path.name for path in (tmp_path / "run").iterdir()} >= MADE


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("pipe", ["", "2>&1"])
def test_a_reader_that_leaves_does_not_end_a_run(tmp_path, pipe, jobs):
    done = shell(
        f'"$@" {pipe} | true; exit "${{PIPESTATUS[0]}}"',
        *RUN, "-j", jobs, "--out", tmp_path / "run",
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert {path.name for path in (tmp_path / "run").iterdir()} >= MADE


@pytest.mark.parametrize("verb", ["--help", "--version", "run --help", "suites"])
def test_a_reader_that_leaves_is_no_failure(verb):
    line = '"$@" | true; exit "${PIPESTATUS[0]}"'
    done = shell(line, *verb.split())
    assert (done.returncode, done.stderr) == (0, "")


def test_a_mistake_keeps_its_code_if_nobody_reads():
    for line in ('"$@" 2>&-', '"$@" 2>&1 | true; exit "${PIPESTATUS[0]}"'):
        assert shell(line, "suites", "--nope").returncode == 2


def without_home(*arguments, folder, **variables):
    setpriv = shutil.which("setpriv")
    if setpriv is None or os.getuid() != 0:
        pytest.skip("may not change the user here")
    other = [setpriv, "--reuid", "12345", "--clear-groups"]
    found = [sys.executable, "-c", "import click"]
    if subprocess.run([*other, *found], capture_output=True, check=False).returncode:
        pytest.skip("another user cannot read this installation")
    command = [*other, sys.executable, "-m"]
    path = os.environ["PATH"]
    return subprocess.run(
        [*command, "odbench", *arguments],
        env={"PATH": path, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("named", [None, "~/cache"])
def test_without_a_home_the_cure_is_named(tmp_path, named):
    variables = {} if named is None else {"ODBENCH_CACHE": named}
    arguments = ("datasets", "list", "--suite", "synbench-mini")
    done = without_home(*arguments, folder="/", **variables)

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "cannot be found" in line
    assert "set ODBENCH_CACHE to the absolute path" in line


def test_without_a_home_a_named_cache_suffices(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    named = {"ODBENCH_CACHE": str(cache)}
    listed = ("datasets", "list", "--suite", "synbench-mini")
    assert without_home(*listed, folder="/", **named).returncode == 0
    # A folder below an unknown home does not exist, and that is all.
    for words in (
        ("datasets", "list", "--suite", "oddbench", "--mirror", "~/none"),
        ("detectors", "show", "~/mine.py:Mine"),
    ):
        done = without_home(*words, folder="/", **named)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("named", [None, "~/cache"])
def test_the_cache_of_a_user_without_a_home(monkeypatch, named):
    import pwd

    from odbench.data.store import default_cache

    def unknown(_):
        raise KeyError

    for name in ("HOME", "XDG_CACHE_HOME", "ODBENCH_CACHE"):
        monkeypatch.delenv(name, raising=False)
    if named is not None:
        monkeypatch.setenv("ODBENCH_CACHE", named)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(StoreError, match="set ODBENCH_CACHE"):
        default_cache()
