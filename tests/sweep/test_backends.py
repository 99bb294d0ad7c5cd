"""Every backend gives the same results, also when workers are killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

import odbench
from odbench.errors import RunBrokenError
from odbench.sweep.journal import FOLDER

SAME = ["dataset", "detector", "config", "seed", "auroc", "ap", "key"]


@pytest.fixture
def reference(made_up, hostile):
    return odbench.run(
        "oddbench", detectors=[hostile("Plain")], mirror=str(made_up), jobs=1,
        show_progress=False,
    )[SAME]  # fmt: skip


def test_threads_give_the_same(made_up, hostile, reference):
    results = odbench.run(
        "oddbench", detectors=[hostile("Plain")], mirror=str(made_up), jobs=2,
        backend="threading", show_progress=False,
    )  # fmt: skip

    assert results[SAME].equals(reference)


def kill_one(pids, folder, *, after: int):
    """Start a thread that kills a process once `after` results are journaled."""

    def wait_and_kill():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            lines = sum(
                path.read_text().count('"key"')
                for path in (folder / FOLDER).glob("*.jsonl")
            )
            if lines >= after:
                os.kill(pids()[0], signal.SIGKILL)
                killed.append(True)
                return
            time.sleep(0.02)

    killed: list[bool] = []
    thread = threading.Thread(target=wait_and_kill, daemon=True)
    thread.killed = killed
    thread.start()
    return thread


def slow_specs(hostile):
    return [hostile(f"Slow:seconds={s / 100}") for s in range(5, 13)]


@pytest.mark.slow
def test_dask_goes_on_when_one_of_three_workers_is_killed(made_up, hostile, tmp_path):
    distributed = pytest.importorskip("distributed")
    out = tmp_path / "out"
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        killer = kill_one(
            lambda: [w.pid for w in cluster.workers.values()], out, after=2
        )
        results = odbench.run(
            "oddbench", detectors=slow_specs(hostile), mirror=str(made_up), out=out,
            backend="dask", scheduler=cluster.scheduler_address, show_progress=False,
        )  # fmt: skip
        killer.join()

    assert killer.killed
    assert len(results) == results["key"].nunique() == 24
    assert (results["status"] == "ok").all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_lost_scheduler_is_one_line_and_the_same_call_continues(
    made_up, hostile, tmp_path
):
    pytest.importorskip("distributed")
    out, file = tmp_path / "out", tmp_path / "scheduler.json"
    module = [sys.executable, "-m"]
    scheduler = subprocess.Popen(
        [*module, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port",
         "0", "--no-dashboard", "--dashboard-address", "127.0.0.1:0",
         "--scheduler-file", str(file)],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    worker = subprocess.Popen(
        [*module, "distributed.cli.dask_worker", "--scheduler-file", str(file),
         "--no-nanny", "--nthreads", "2", "--no-dashboard", "--death-timeout", "60"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    options = {"detectors": slow_specs(hostile), "mirror": str(made_up), "out": out}
    try:
        killer = kill_one(lambda: [scheduler.pid], out, after=2)
        with pytest.raises(RunBrokenError, match="finished ones are kept") as raised:
            odbench.run(
                "oddbench", **options, backend="dask", show_progress=False,
                scheduler=json.loads(file.read_text())["address"],
            )  # fmt: skip
        killer.join()
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()

    assert killer.killed
    assert "\n" not in str(raised.value)
    results = odbench.run(
        "oddbench", **options, backend="threading", show_progress=False
    )
    assert len(results) == results["key"].nunique() == 24


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_ray_goes_on_when_a_worker_is_killed(made_up, hostile, tmp_path):
    pytest.importorskip("ray")
    out = tmp_path / "out"

    def workers():
        return [
            process.pid
            for process in psutil.Process().children(recursive=True)
            if process.name().startswith("ray::PoolActor")
        ]

    killer = kill_one(workers, out, after=2)
    results = odbench.run(
        "oddbench", detectors=slow_specs(hostile), mirror=str(made_up), out=out,
        backend="ray", jobs=2, show_progress=False,
    )  # fmt: skip
    killer.join()

    assert killer.killed
    assert len(results) == results["key"].nunique() == 24
    assert (results["status"] == "ok").all()


def test_a_worker_elsewhere_sends_its_results_back(
    made_up, hostile, reference, monkeypatch
):
    # The worker's host has a folder of the same name, but not that of this run.
    monkeypatch.setattr("odbench.sweep.run.secrets.token_hex", lambda _: "run")
    monkeypatch.setattr("odbench.sweep.worker.FOLDER", "nowhere")

    results = odbench.run(
        "oddbench", detectors=[hostile("Plain")], mirror=str(made_up), jobs=2,
        backend="threading", show_progress=False,
    )  # fmt: skip

    assert results[SAME].equals(reference)


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_named(made_up, hostile, tmp_path):
    pytest.importorskip("distributed")

    with pytest.raises(
        odbench.OdbenchError, match=r"127\.0\.0\.1:9.*no dask scheduler"
    ):
        odbench.run(
            "oddbench", detectors=[hostile("Plain")], mirror=str(made_up),
            backend="dask", scheduler="tcp://127.0.0.1:9", show_progress=False,
            out=tmp_path / "out",
        )  # fmt: skip
    assert not (tmp_path / "out").exists()
