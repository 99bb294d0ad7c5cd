"""Paths stay paths: a colon, a comma, a name that is not UTF-8."""

import os
import shutil
from pathlib import Path

import pytest

from odbench.cli import main

DETECTOR = f"{Path(__file__).with_name('plain_detector.py')}:Mine"
RUN = ["run", "-s", "synbench-mini", "-d", DETECTOR, "-j", "1", "-q"]
ODD = [
    "knn:k=20",
    "file:x",
    "s3:",
    "a,b;c",
    "50% [x]{y}",
    "~",
    "#?&",
    os.fsdecode(b"x\xff"),
]


@pytest.fixture
def odbench(capfd):
    def odbench(*arguments):
        with pytest.raises(SystemExit) as done:
            main([str(argument) for argument in arguments])
        said = capfd.readouterr()
        assert "Traceback" not in said.err
        return done.value.code or 0, said.out, said.err

    return odbench


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_a_run_may_have_any_name(here, odbench, name):
    """Run, resume, show, build, compare, all by the relative name."""
    for limit, trials in ((1, 1), (2, 2), (2, 2)):
        code, out, err = odbench(*RUN, "--limit", limit, "--out", name)
        assert (code, err) == (0, "")
        assert f" {trials} of 800 data sets" in out or trials == 1
    assert (
        "2 done, 0 to do" in odbench(*RUN, "--limit", 2, "--out", name, "--dry-run")[1]
    )

    assert odbench("leaderboard", "show", name)[0] == 0
    built = f"built {name}"
    code, _, err = odbench("leaderboard", "build", name, "--out", built)
    assert code == 0, err
    assert odbench("leaderboard", "show", built)[0] == 0
    assert odbench("leaderboard", "diff", name, built)[0] == 0
    shutil.copy(here / name / "results.parquet", here / f"{name}.parquet")
    assert odbench("leaderboard", "show", f"{name}.parquet")[0] == 0


def test_a_detectors_file_may_have_any_name(here, odbench):
    name = os.fsdecode(b"a [1]*,\xff.py")
    shutil.copy(DETECTOR.partition(".py:")[0] + ".py", here / name)
    words = (
        "run",
        "-s",
        "synbench-mini",
        "-j",
        1,
        "-q",
        "-d",
        f'"{name}:Mine"',
        "--limit",
        1,
    )

    assert odbench(*words, "--out", "out")[0] == 0
    assert "1 done, 0 to do" in odbench(*words, "--out", "out", "--dry-run")[1]


def test_a_run_of_any_name_can_be_submitted(here, odbench):
    name = os.fsdecode(b"knn:\xff")
    assert odbench(*RUN, "--limit", 1, "--out", name, "--keep-scores")[0] == 0
    assert odbench("leaderboard", "show", name, "--format", "json")[0] == 0
    code, _, err = odbench("submission", "pack", name)
    assert code in (0, 2)
    assert len(err.splitlines()) <= 1


@pytest.mark.parametrize("name", ODD)
def test_a_missing_path_is_one_line(here, odbench, name):
    for words in (
        ("leaderboard", "show", name),
        ("leaderboard", "build", name, "--out", "out"),
        ("leaderboard", "diff", name, name),
        ("submission", "pack", name),
        ("submission", "check", name),
        ("datasets", "list", "--suite", "oddbench", "--mirror", name),
    ):
        code, _, err = odbench(*words)
        assert code == 2, words
        assert len(err.splitlines()) == 1, words


@pytest.mark.parametrize("name", ["knn:k=20", os.fsdecode(b"x\xff")])
def test_the_cache_may_have_any_name(here, odbench, monkeypatch, name):
    monkeypatch.setenv("ODBENCH_CACHE", name)
    code, _, err = odbench(*RUN, "--limit", 2, "--out", "run")
    assert (code, err) == (0, "")
    code, _, err = odbench("datasets", "verify", "--suite", "synbench-mini")
    assert code == 0, err


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--out", "", "--dry-run"),
        ("leaderboard", "show", ""),
        ("leaderboard", "build", "r", "--out", ""),
        ("score", ""),
    ],
)
def test_an_empty_name_is_not_the_current_folder(odbench, here, arguments):
    code, _, err = odbench(*arguments)

    assert code == 2
    assert "the name is empty; wanted a path" in err
    assert list(here.iterdir()) == []
