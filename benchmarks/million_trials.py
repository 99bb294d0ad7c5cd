"""Simulate a sweep of up to a million trials on a thousand dask workers, here.

    python benchmarks/million_trials.py [--trials 100000] [--workers 1000] [--hosts 4]
        [--speed 1] [--kill 0.3] [--folder DIR]

Driver, dask scheduler, joblib, plan, journals, folding and resume are those of
``odbench run --backend dask``; only the trials are not run. Each of the workers (thin:
many in one process, each with its own connection to the scheduler and a thread) sleeps
as long as a recorded trial took (``leaderboard/runs/one-class/results.parquet``),
divided by --speed, and appends a row like the recorded one to its journal. Data sets
are those of the record, as many times as needed for 2,446; configurations are those of
the record, again as often as needed.

The driver is killed (SIGKILL) once a share --kill of the trials is done, started again
to finish, and started a third time to find nothing left. Printed for each: seconds to
plan, to run and to fold, the driver's processor time per trial and peak memory, the
scheduler's processor time per task, memory, and the share of their time that workers
spent in trials.
"""

# ruff: noqa: SLF001 - steps of the worker are called here, and one is replaced.
from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
SETS = 2446
# A thousand workers on two cores answer late.
PATIENT = {
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "600s",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "600s",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "3600s",
}
DETECTOR = '''
class Simulated:
    """Stands for a configuration of the record; it is never run."""

    def __init__(self, i=0):
        self.i = i

    def get_params(self, deep=True):
        return {"i": self.i}

    def fit(self, X):
        return self

    def decision_function(self, X):
        return X[:, 0]
'''


@cache
def recorded() -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """Return the recorded rows of each data set by detector, and their names."""
    import pandas as pd

    frame = pd.read_parquet(ROOT / "leaderboard/runs/one-class/results.parquet")
    frame = frame[(frame["status"] == "ok") & (frame["seed"] == 0)]
    rows: dict[str, list[dict[str, Any]]] = {}
    for text in frame.to_json(orient="records", lines=True).splitlines():
        row = json.loads(text)
        rows.setdefault(row["dataset"], []).append(row)
    return rows, sorted(rows)


def seconds_of(row: dict[str, Any]) -> float:
    """Return what a recorded trial took."""
    return (row["fit_seconds"] or 0.0) + (row["score_seconds"] or 0.0)


def row_of(dataset: str, config: str) -> dict[str, Any]:
    """Return the recorded row that a simulated trial stands for."""
    rows = recorded()[0][dataset.rpartition("#")[0]]
    return rows[zlib.crc32(config.encode()) % len(rows)]


def records(count: int) -> list[Any]:
    """Return data sets of the record, again and again."""
    from odbench.data.dataset import DatasetRecord

    rows, names = recorded()
    found = []
    for i in range(count):
        name, first = names[i % len(names)], rows[names[i % len(names)]][0]
        one = DatasetRecord(
            name=f"{name}#{i // len(names)}",
            suite=first["suite"],
            n_train=first["n_train"],
            n_test=first["n_test"],
            n_columns=first["n_columns"],
            content_sha256=f"{i:064x}",
        )
        found.append(replace(one, n_anomalies=first["n_anomalies"]))
    return found


def work_of(batch: Any) -> float:
    """Return the recorded seconds of a batch."""
    facts, pairs = batch.variants.facts, batch.variants.pairs
    labels = [facts[pairs[index][0]]["config"] for index in batch.indices.tolist()]
    return sum(seconds_of(row_of(batch.record.name, label)) for label in labels)


def simulate(record: Any, trials: Any, context: Any, append: Any) -> None:
    """Do as a worker's `_run_trials`, but sleep instead of running detectors."""
    from odbench.sweep import rows, worker

    speed = float(os.environ["MILLION_SPEED"])
    for trial in trials:
        if worker._is_stopped(context):
            return
        row = row_of(record.name, trial.facts["config"])
        started = datetime.now(UTC)
        append(worker._start_entry(record, trial, started))
        time.sleep(seconds_of(row) / speed)
        blank = rows.blank_row(record, context.protocol, trial)
        append({**row, **blank, "started_at": rows.timestamp(started)})


def host(scheduler: str, count: int) -> None:
    """Be a process with many workers."""
    import dask
    from distributed import Worker

    from odbench.sweep import worker

    worker._run_trials = simulate
    recorded()
    # On a real cluster each worker has a core for these; here a thousand share two.
    dask.config.set(
        {
            "distributed.worker.profile.enabled": False,
            "distributed.admin.tick.interval": "1h",
            "distributed.admin.tick.cycle": "1h",
            "distributed.admin.tick.limit": "1h",
            "distributed.admin.system-monitor.interval": "1h",
            "distributed.admin.system-monitor.disk": False,
        }
    )

    async def serve() -> None:
        workers = [
            Worker(
                scheduler,
                nthreads=1,
                memory_limit=0,
                dashboard=False,
                heartbeat_interval="10s",
                local_directory=os.environ["MILLION_LOCAL"],
            )
            for _ in range(count)
        ]
        for some in range(0, count, 50):
            await asyncio.gather(*workers[some : some + 50])
        await asyncio.gather(*[each.finished() for each in workers])

    asyncio.run(serve())


def drive(folder: Path, scheduler: str, trials: int) -> None:
    """Be the driver: plan, run and fold, and print the costs as JSON."""
    from odbench.plugins.find import find_detectors
    from odbench.scoring.settings import Protocol
    from odbench.sweep import run
    from odbench.sweep.finished import finished
    from odbench.sweep.plan import make_batches, make_plan
    from odbench.sweep.prepare import Prepared
    from odbench.sweep.request import RunRequest
    from odbench.sweep.time_left import TimeLeft
    from odbench.sweep.trial_times import TrialTimes

    peaks, phase = {"plan": 0, "run": 0, "fold": 0}, "plan"

    def watch() -> None:
        while True:
            memory = psutil.Process().memory_info().rss
            peaks[phase] = max(peaks[phase], memory)
            time.sleep(0.05)

    threading.Thread(target=watch, daemon=True).start()
    sets = records(min(SETS, trials))
    variants = -(-trials // len(sets))
    spec = folder.parent / "simulated.py"
    configurations = find_detectors(
        [f"{spec}:Simulated:i={i}" for i in range(variants)]
    )
    started = time.perf_counter()
    done = finished(folder, only_ok=False, with_scores=False, with_selection=False)
    plan = make_plan(
        sets,
        configurations,
        seeds=None,
        protocol=Protocol.parse("one-class"),
        done=done,
    )
    times = TrialTimes()
    for one in configurations:
        learned = [row_of(f"{name}#0", one.label) for name in recorded()[1]]
        times.learn(
            (
                one.info.name,
                one.label,
                "one-class",
                row["n_train"] + row["n_test"],
                row["n_columns"],
                seconds_of(row),
            )
            for row in learned
        )
    batches = make_batches(plan, times)
    planned = time.perf_counter()
    prepared = Prepared(
        plan, sets, batches, TimeLeft(batches, times), 0, [], times, [], {}
    )
    fold, clock = run.fold, {"fold": 0.0}

    def timed_fold(*args: Any, **options: Any) -> None:
        nonlocal phase
        phase, begun = "fold", time.perf_counter()
        fold(*args, **options)
        clock["fold"] += time.perf_counter() - begun

    run.fold, phase = timed_fold, "run"
    head = {"batches": len(batches), "left": sum(map(len, batches))}
    head["seconds"] = sum(work_of(batch) for batch in batches)
    print(json.dumps(head), flush=True)
    used = time.process_time()
    request = RunRequest(
        suites=("oddbench",), out=folder, backend="dask", scheduler=scheduler,
        detectors=("simulated",), show_progress=False,
    )  # fmt: skip
    begun = time.perf_counter()
    summary = run.execute(request, prepared)
    facts = {
        "plan": planned - started,
        "run": time.perf_counter() - begun - clock["fold"],
        "fold": clock["fold"],
        "processor": time.process_time() - used,
        "peaks": {name: round(peak / 2**20) for name, peak in peaks.items()},
        "counts": dict(summary.counts),
    }
    print(json.dumps(facts), flush=True)


class Cluster:
    """A dask scheduler and the processes of the workers."""

    def __init__(self, root: Path, workers: int, hosts: int, speed: float) -> None:
        file = root / "scheduler.json"
        os.environ |= PATIENT
        environment = {
            **os.environ,
            "MILLION_SPEED": str(speed),
            "MILLION_LOCAL": str(root / "local"),
            "PYTHONPATH": str(root),
        }
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
        command += ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        command += ["--dashboard-address", "127.0.0.1:0"]
        log = (root / "cluster.log").open("w")
        self.processes = [
            subprocess.Popen(
                [*command, "--scheduler-file", str(file)], stdout=log, stderr=log
            )
        ]
        while not file.exists() or not file.read_text():
            time.sleep(0.1)
        self.address = json.loads(file.read_text())["address"]
        self.processes += [
            subprocess.Popen(
                [
                    sys.executable,
                    __file__,
                    "--host",
                    self.address,
                    str(workers // hosts),
                ],
                env=environment,
                stdout=log,
                stderr=log,
            )
            for _ in range(hosts)
        ]
        self._wait(workers // hosts * hosts)

    def _wait(self, workers: int) -> None:
        from distributed import Client

        with Client(self.address) as client:
            client.wait_for_workers(workers, timeout=900)

    def scheduler(self) -> tuple[float, float]:
        """Return the scheduler's processor seconds and memory in MiB."""
        process = psutil.Process(self.processes[0].pid)
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss / 2**20

    def close(self) -> None:
        """End all processes."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait()


def journaled(out: Path) -> float:
    """Estimate the number of trials in the journals from their size."""
    rows = recorded()[0]
    line = sum(len(json.dumps(one[0])) for one in rows.values()) / len(rows) + 150
    return sum(p.stat().st_size for p in (out / "journal").glob("*.jsonl")) / line


def attempt(cluster: Cluster, out: Path, options: Any, kill: float) -> bool:
    """Start the driver, print its costs, and say whether it came to the end."""
    command = [sys.executable, __file__, "--drive", str(out), cluster.address]
    before, _ = cluster.scheduler()
    begun = time.perf_counter()
    with subprocess.Popen(
        [*command, "--trials", str(options.trials)], stdout=subprocess.PIPE, text=True
    ) as driver:
        head = json.loads(driver.stdout.readline())
        print(
            f"  {head['left']:,} trials left in {head['batches']:,} tasks", flush=True
        )
        while kill and driver.poll() is None:
            time.sleep(0.5)
            if journaled(out) > kill * options.trials:
                print(f"  killed after {journaled(out):,.0f} trials", flush=True)
                driver.send_signal(signal.SIGKILL)
                break
        text = driver.stdout.read()
    used, memory = cluster.scheduler()
    print(
        f"  {time.perf_counter() - begun:.1f} s in all; scheduler "
        f"{1e3 * (used - before) / max(head['batches'], 1):.2f} ms per task, "
        f"{memory:.0f} MiB"
    )
    if not text:
        return False
    facts, trials = json.loads(text), head["left"]
    if not trials:
        print(f"  plan {facts['plan']:.1f} s, then {facts['run']:.1f} s", flush=True)
        return True
    busy = head["seconds"] / options.speed / options.workers
    print(
        f"  plan {facts['plan']:.1f} s, run {facts['run']:.1f} s "
        f"({trials / facts['run']:.0f} trials per second; workers busy "
        f"{100 * busy / facts['run']:.0f} % of the time), fold {facts['fold']:.1f} s; "
        f"driver {1e3 * facts['processor'] / trials:.2f} ms of processor per trial, "
        f"peak MiB {facts['peaks']}; {facts['counts']}",
        flush=True,
    )
    return True


def main() -> None:
    """Start a cluster and run the sweep three times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--kill", type=float, default=0.3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--host", nargs=2, metavar=("ADDRESS", "COUNT"))
    parser.add_argument("--drive", nargs=2, metavar=("OUT", "ADDRESS"))
    options = parser.parse_args()
    if options.host:
        host(options.host[0], int(options.host[1]))
    elif options.drive:
        drive(Path(options.drive[0]), options.drive[1], options.trials)
    else:
        # So that the processes below end with this one.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            measure(Path(name), options)


def measure(root: Path, options: Any) -> None:
    """Run the sweep until it is killed, to its end, and once more."""
    (root / "simulated.py").write_text(DETECTOR)
    (root / "local").mkdir()
    started = time.perf_counter()
    cluster = Cluster(root, options.workers, options.hosts, options.speed)
    try:
        print(
            f"{options.workers:,} workers after {time.perf_counter() - started:.0f} s; "
            f"scheduler {cluster.scheduler()[1]:.0f} MiB",
            flush=True,
        )
        for title, kill in (("killed", options.kill), ("to the end", 0), ("again", 0)):
            print(title, flush=True)
            attempt(cluster, root / "run", options, kill)
            journals = len(list((root / "run/journal").glob("*.jsonl")))
            print(f"  {journals:,} journals left", flush=True)
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
