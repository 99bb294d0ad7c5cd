"""Fixtures for all tests."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from odbench import suites

MIRROR_PLACES = (
    os.environ.get("ODBENCH_TEST_MIRROR"),
    Path(__file__).parents[2] / "shared" / "mirror",
)

# A shell's background job ignores Ctrl-C, and what the tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[Any], list[Any]]:
    """Look for no doctests in files of tests: they would skip what cannot be imported.

    The same file is then collected as if it were empty.
    """
    found = yield
    return [each for each in found if type(each).__name__ != "DoctestModule"]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The real files, in the hub's layout."""
    for place in MIRROR_PLACES:
        if place and (Path(place) / "MacrOData-CMU").is_dir():
            return Path(place)
    pytest.skip("no mirror of the real files: set ODBENCH_TEST_MIRROR")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch) -> Iterator[Path]:
    """Give each test its own cache, and none of the user's mirror, hub or token."""
    for name in list(os.environ):
        if name.startswith("HF_") or name == "ODBENCH_MIRROR":
            monkeypatch.delenv(name)
    cache = tmp_path_factory.mktemp("cache", numbered=True)
    monkeypatch.setenv("ODBENCH_CACHE", str(cache))
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    # A suite that a test opens is known to the whole process.
    before = dict(suites._opened)
    yield cache
    suites._opened.clear()
    suites._opened.update(before)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("may not mount a small file system here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Fill a disk; return the file that takes the space."""
    ballast = disk / "ballast"
    with ballast.open("wb", 0) as sink, contextlib.suppress(OSError):
        while True:
            sink.write(b"x" * 4096)
    return ballast
