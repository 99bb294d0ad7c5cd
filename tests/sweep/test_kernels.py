"""Kernels are compiled before the trials, once per machine; a kill harms nothing."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from odbench.plugins.find import find_detector
from odbench.results import read_results
from odbench.sweep import kernels
from odbench.sweep import warm_up as warm_up_module
from odbench.sweep.kernels import Task, tasks_of
from odbench.sweep.places import HOME, kernels_of
from odbench.sweep.prepare import prepare
from odbench.sweep.request import RunRequest
from odbench.sweep.warm_up import Sight

SIGHT = Sight(is_wide=False, one_table=False, as_batch=False)
# Prints how many functions numba compiles, which loading from its cache is not.
COUNT = """
import numpy as np
from numba.core import event
from odbench.plugins.find import find_detector
from odbench.sweep.warm_up import Sight, warm_up
with event.install_recorder("numba:compile") as recorder:
    warm_up(find_detector("kde"), 0, Sight(False, False, False))
print(len(recorder.buffer))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing compiled, and a store of its own."""
    names = ("NUMBA_CACHE_DIR",)
    kept = {name: value for name, value in os.environ.items() if name not in names}
    own = {"ODBENCH_CACHE": "cache", "XDG_CACHE_HOME": "platform"}
    return kept | {name: str(tmp_path / folder) for name, folder in own.items()}


def command(mirror: Path, out: Path, detectors: str) -> list[str]:
    """Return the command line of a small run."""
    return [
        *(sys.executable, "-m", "odbench", "run", "--suite", "oddbench"),
        *("--mirror", str(mirror), "--datasets", "Gamma", "--jobs", "2"),
        *("--detectors", detectors, "--seeds", "1", "--out", str(out)),
    ]


def task(name: str) -> Task:
    """Return a detector's task."""
    return Task(HOME, (find_detector(name),), SIGHT)


@pytest.mark.slow
def test_a_second_process_compiles_nothing(
    made_up: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    ran = subprocess.run(
        command(made_up, tmp_path / "out", "kde,pca"),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    folder = tmp_path / "platform/odbench/kernels"
    counted = subprocess.run(
        [sys.executable, "-c", COUNT],
        env=environment | {"NUMBA_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "compiling kernels, once per machine: 1 of 1\n" in ran.stderr
    assert int(counted.stdout) == 0
    assert len(list((folder / "compiled").iterdir())) == 1


@pytest.mark.slow
def test_a_kill_while_compiling_leaves_nothing_broken(
    made_up: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    line = command(made_up, tmp_path / "out", "iforest")
    with subprocess.Popen(
        line, env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    ) as first:
        while not list((tmp_path / "platform").rglob("*.nbc")):
            assert first.poll() is None
            time.sleep(0.01)
        os.killpg(first.pid, signal.SIGKILL)
    stamps = list((tmp_path / "platform").rglob("compiled/*"))
    again = subprocess.run(
        line, env=environment, capture_output=True, text=True, check=False
    )

    assert not stamps
    assert again.returncode == 0, again.stderr
    assert read_results(tmp_path / "out")["status"].tolist() == ["ok"]


def test_a_finished_machine_starts_no_process(
    made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "platform"))
    found = _tasks(made_up, tmp_path, "kde,knn,pca", monkeypatch)
    for one in found:
        kernels._put_stamp(one.stamp)

    def refuse(*_: object) -> None:
        pytest.fail("a process was started")

    monkeypatch.setattr(kernels, "Sandboxes", refuse)
    monkeypatch.setattr(kernels, "tasks_of", lambda _: found)
    kernels.compile_kernels(
        [],
        None,
        jobs=2,
        show=True,
        stopped=lambda: False,  # type: ignore[arg-type]
    )

    assert [one.configurations[0].info.name for one in found] == ["kde", "knn"]


def test_another_version_of_a_detector_has_another_stamp(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = task("kde").stamp
    monkeypatch.setattr(kernels, "_newest_source", lambda _: 1)

    assert task("kde").stamp != before
    assert task("knn").stamp != task("lof").stamp


def test_a_folder_that_cannot_be_written_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("ODBENCH_CACHE", str(tmp_path / "cache"))

    assert kernels_of(HOME) == tmp_path / "cache/kernels"
    kernels._put_stamp(tmp_path / "file" / "stamp")
    assert not (tmp_path / "file" / "stamp").exists()


def test_detectors_that_share_work_are_compiled_one_after_another() -> None:
    names = ("knn", "lof", "ecod", "cats", "iforest")
    queue = kernels._Queue([task(name) for name in names], lambda: False)

    def name(one: Task | None) -> str:
        return "" if one is None else one.configurations[0].info.name

    taken = [queue.take() for _ in range(3)]
    waiting: list[Task | None] = []
    thread = threading.Thread(target=lambda: waiting.append(queue.take()))
    thread.start()
    assert list(map(name, taken)) == ["knn", "ecod", "iforest"]
    assert taken[0] is not None
    queue.finish(taken[0])
    thread.join()

    assert list(map(name, waiting)) == ["lof"]
    queue.abandon()
    assert queue.take() is None


def _tasks(
    mirror: Path, folder: Path, detectors: str, monkeypatch: pytest.MonkeyPatch
) -> list[Task]:
    monkeypatch.setenv("ODBENCH_CACHE", str(folder / "cache"))
    request = RunRequest.of(
        suites=("oddbench",),
        detectors=detectors.split(","),
        out=folder / "out",
        mirror=str(mirror),
        show_progress=False,
    )
    return tasks_of(prepare(request).batches)


@pytest.mark.parametrize("enabled", [True, False])
def test_no_garbage_is_collected_while_a_detector_compiles(monkeypatch, enabled):
    found = find_detector("kde")
    seen = []

    def fail(*_: object) -> None:
        seen.append(gc.isenabled())
        raise ValueError

    monkeypatch.setattr(warm_up_module, "_fit_and_score", fail)
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        warm_up_module.warm_up(found, 0, SIGHT)
        after = gc.isenabled()
    finally:
        (gc.enable if before else gc.disable)()

    assert seen == [False, False]
    assert after is enabled
