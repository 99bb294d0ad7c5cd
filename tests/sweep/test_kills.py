"""Single processes of a run are killed: no result is lost or doubled, none is left."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

import odbench
from odbench.results import RESULTS, read_results
from odbench.sweep.journal import Journal

# ODBENCH_TEST_KILLS=200 repeats the figure in docs/faults.md.
KILLS = int(os.environ.get("ODBENCH_TEST_KILLS", "12"))
# Time in which every process of a run has to end after its driver was killed.
LIMIT_SECONDS = 5.0


@pytest.fixture
def start(made_up, hostile, tmp_path):
    """Start ``odbench run`` with 3 data sets x 10 configurations of a slow detector."""
    specs = ",".join(hostile(f"Slow:seconds={0.05 + i / 100:.2f}") for i in range(10))

    def start() -> psutil.Popen:
        return psutil.Popen(
            [sys.executable, "-m", "odbench", "run", "--suite", "oddbench"]
            + ["--detectors", specs, "--mirror", str(made_up), "--quiet"]
            + ["--out", str(tmp_path / "out"), "--jobs", "2"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(temporary)},
        )

    temporary = tmp_path / "tmp"
    temporary.mkdir()
    return start


def known(folder: Path) -> set[str]:
    """Return the keys of all finished trials."""
    keys = set()
    if (folder / "results.parquet").exists():
        keys |= set(read_results(folder)["key"])
    for path in (folder / "journal").glob("*.jsonl"):
        for line in path.read_text().splitlines(keepends=True):
            if line.endswith("\n") and "key" in (entry := json.loads(line)):
                keys.add(entry["key"])
    return keys


def family(driver: psutil.Process) -> dict[str, list[psutil.Process]]:
    """Return the driver, the workers, and the processes of detectors."""
    found = {"driver": [driver], "worker": [], "child": []}
    with contextlib.suppress(psutil.Error):
        for process in driver.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                line = " ".join(process.cmdline())
                if "odbench.sweep.child" in line:
                    found["child"].append(process)
                elif "loky" in line and "tracker" not in line:
                    found["worker"].append(process)
    return found


def wait_for_the_end_of(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=LIMIT_SECONDS)
    left = [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert not left, [p.cmdline() for p in left]


@pytest.mark.slow
def test_kills_of_any_process_lose_nothing_and_leave_nothing(start, tmp_path):
    folder, rng = tmp_path / "out", random.Random(1)
    seen: set[str] = set()
    process = start()

    for _ in range(KILLS):
        if process.poll() is not None:
            seen |= known(folder)
            # All trials are done: begin again in a folder without results.
            if len(seen) == 30:
                # 3 where a trial was given up.
                assert start().wait(120) in {0, 3}
                folder.rename(tmp_path / f"done-{time.monotonic_ns()}")
                seen = set()
            process = start()
        time.sleep(rng.uniform(0.2, 3.0))
        running = family(process)
        everybody = [one for some in running.values() for one in some]
        kind = rng.choice([name for name, some in running.items() if some])
        with contextlib.suppress(psutil.Error):
            rng.choice(running[kind]).send_signal(signal.SIGKILL)
        if kind == "driver":
            process.wait()
            wait_for_the_end_of(everybody)
            kept = known(folder)
            assert seen <= kept
            seen = kept
    process.wait(120)
    while start().wait(120):
        # A trial may be given up when its worker was killed three times.
        assert set(read_results(folder)["status"]) <= {"ok", "killed"}
        break

    results = read_results(folder)
    assert len(results) == results["key"].nunique() == 30
    # Killed processes remove no working folder; the next run does.
    assert not list((tmp_path / "tmp").glob("odbench-*"))


def unfold(folder: Path) -> None:
    """Move the results back into a journal, as if the driver was killed before."""
    with Journal(folder) as sink:
        for row in json.loads(read_results(folder).to_json(orient="records")):
            sink.append(row)
    (folder / RESULTS).unlink()


def kill_a_worker_after(count: int, files: Path) -> threading.Thread:
    """Start a thread that kills a worker once there are so many files."""

    def wait_and_kill() -> None:
        deadline = time.monotonic() + 60
        while len(list(files.rglob("*.npy"))) < count:
            assert time.monotonic() < deadline, "too few trials were finished"
            time.sleep(0.05)
        family(psutil.Process())["worker"][0].kill()

    thread = threading.Thread(target=wait_and_kill, daemon=True)
    thread.start()
    return thread


@pytest.mark.slow
def test_a_killed_worker_leaves_out_no_trial_that_runs_again(
    made_up, hostile, tmp_path
):
    out = tmp_path / "out"
    options = {
        "detectors": [hostile("Slow:seconds=0.4"), hostile("Slow:seconds=0.5")],
        "mirror": str(made_up), "out": out, "jobs": 2, "show_progress": False,
    }  # fmt: skip
    odbench.run("oddbench", **options)
    unfold(out)

    killer = kill_a_worker_after(1, out / "scores")
    results = odbench.run("oddbench", **options, keep_scores=True)
    killer.join()

    assert len(results) == len(list((out / "scores").rglob("*.npy"))) == 6
    assert set(results["generation"]) == {2}
