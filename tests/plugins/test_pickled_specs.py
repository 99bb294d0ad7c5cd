"""The pickle in an object's spec is read only in a process of its own run."""

import base64
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import odbench
from odbench.errors import DetectorError
from odbench.plugins import objects
from odbench.plugins.find import find_detector, find_detectors, restore_detector


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@pytest.fixture
def sprung(tmp_path):
    return tmp_path / "sprung"


@pytest.fixture
def trap(sprung):
    return objects.PREFIX + base64.b64encode(pickle.dumps(Trap(sprung))).decode()


def test_the_trap_is_real(trap, sprung):
    with pytest.raises(DetectorError, match="cannot be rebuilt"):
        restore_detector(trap)
    assert sprung.exists()


@pytest.mark.parametrize("form", ["{}", "  {}", "\n{}", "{}:k=1", "{}[k=1]"])
def test_functions_refuse_it(trap, sprung, form):
    spec = form.format(trap)
    calls = [
        lambda: find_detector(spec),
        lambda: find_detectors(spec),
        lambda: find_detectors(["knn", spec]),
        lambda: odbench.run("synbench-mini", detectors=[spec], limit=1),
        lambda: odbench.run("synbench-mini", detectors=spec, limit=1),
    ]
    for call in calls:
        with pytest.raises(DetectorError, match="pass the object itself") as caught:
            call()
        assert "\n" not in str(caught.value)
    assert not sprung.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--suite", "synbench-mini", "--limit", "1", "--detectors"],
        ["run", "--suite", "synbench-mini", "--limit", "1", "--dry-run", "--detectors"],
        ["detectors", "show"],
        ["detectors", "check"],
        [
            "datasets",
            "show",
            "synbench/copula-dependence-010",
            "--explain",
            "0",
            "--detector",
        ],
    ],
)
def test_commands_refuse_it(trap, sprung, arguments, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "odbench", *arguments, trap],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "is a pickled object" in done.stderr
    assert not sprung.exists()


@pytest.mark.slow
def test_a_runs_own_description_is_never_read_as_detectors(trap, sprung, tmp_path):
    options = {"detectors": ["hbos"], "limit": 1, "out": tmp_path / "run"}
    first = odbench.run("synbench-mini", show_progress=False, **options)
    file = tmp_path / "run" / "run.json"
    file.write_text(file.read_text().replace('"hbos"', json.dumps(trap)))
    assert trap in file.read_text()

    again = odbench.run("synbench-mini", show_progress=False, **options)
    shown = subprocess.run(
        [sys.executable, "-m", "odbench", "leaderboard", "show", tmp_path / "run"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert shown.returncode == 0, shown.stderr
    assert again["started_at"].tolist() == first["started_at"].tolist()
    assert not sprung.exists()
