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
from odbench.data.store import Store
from odbench.errors import RunBrokenError
from odbench.sweep import backends
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


@pytest.mark.parametrize("given", [None, "0"])
def test_runs_in_several_threads_share_the_pool_until_the_last_ends(monkeypatch, given):
    """One that ended used to take the workers and the environment of the others."""
    ended = []

    class Pool:
        def shutdown(self, **_):
            ended.append(True)

    monkeypatch.setattr("joblib.externals.loky.get_reusable_executor", Pool)
    if given is None:
        monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONSAFEPATH", given)
    first, second = (backends._cluster("loky", jobs, None) for jobs in (2, 1))
    first.__enter__()
    second.__enter__()

    first.__exit__(None, None, None)
    assert os.environ["PYTHONSAFEPATH"] == "1"
    assert not ended
    second.__exit__(None, None, None)
    assert os.environ.get("PYTHONSAFEPATH") == given
    assert ended == [True]


def test_two_runs_at_once_in_one_process_give_the_same(made_up, hostile, reference):
    results = []

    def run():
        results.append(odbench.run(
            "oddbench", detectors=[hostile("Plain")], mirror=str(made_up), jobs=2,
            show_progress=False,
        )[SAME])  # fmt: skip

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [one.equals(reference) for one in results] == [True, True]


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


def refuses(made_up, hostile, out, **options):
    """Check that a run is refused before it fetches or writes anything."""
    with pytest.raises(odbench.OdbenchError) as raised:
        odbench.run(
            "oddbench", detectors=[hostile("Plain")], mirror=str(made_up), out=out,
            show_progress=False, **options,
        )  # fmt: skip
    assert not out.exists()
    assert not (Store.default().root / "features").exists()
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_named(made_up, hostile, tmp_path):
    pytest.importorskip("distributed")

    message = refuses(
        made_up, hostile, tmp_path / "out", backend="dask",
        scheduler="tcp://127.0.0.1:9",
    )  # fmt: skip

    assert "'tcp://127.0.0.1:9': no dask scheduler answers" in message
    assert "dask scheduler` prints" in message


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("address", "reason"),
    [
        # Ray itself tries for 14 minutes.
        ("127.0.0.1:9", "Connection refused"),
        ("head", "Invalid address format"),
        ("http://127.0.0.1:8265", "Invalid Ray address"),
    ],
)
def test_a_head_that_does_not_answer_is_named(
    made_up, hostile, tmp_path, address, reason
):
    pytest.importorskip("ray")

    message = refuses(
        made_up, hostile, tmp_path / "out", backend="ray", scheduler=address
    )

    assert f"{address!r}: no ray head answers ({reason}" in message
    assert "ray start --head` prints" in message


@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_an_empty_address_is_not_this_machine(made_up, hostile, tmp_path, backend):
    message = refuses(
        made_up, hostile, tmp_path / "out", backend=backend, scheduler=" "
    )

    assert message.startswith("scheduler: got ' ', wanted an address")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_session_of_the_caller_stays(made_up, hostile):
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=1, include_dashboard=False)
    try:
        results = odbench.run(
            "oddbench", detectors=[hostile("Plain")], mirror=str(made_up),
            backend="ray", show_progress=False,
        )  # fmt: skip

        assert (results["status"] == "ok").all()
        assert ray.is_initialized()
    finally:
        ray.shutdown()
