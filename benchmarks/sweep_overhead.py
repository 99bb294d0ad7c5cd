"""Measure the overhead of a sweep, with a detector that returns at once.

    python benchmarks/sweep_overhead.py [--trials 20000] [--resume 100000]

Runs over 200 small data sets made on the spot, with two workers, and prints

- milliseconds per trial and core for a quarter of the trials, for all of them and for
  --resume trials, including the start-up of interpreter and workers;
- the driver's peak memory until the results are written, and including the table;
- the time that the finished sweep of --resume trials takes to find nothing left to do.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

SETS, JOBS = 200, 2
DETECTOR = '''
import numpy as np


class AtOnce:
    """Scores by the first column."""

    def __init__(self, i=0):
        self.i = i

    def get_params(self, deep=True):
        return {"i": self.i}

    def fit(self, X):
        return self

    def decision_function(self, X):
        return X[:, 0]
'''


def make_mirror(root: Path) -> None:
    """Write the data sets in the layout of the hub."""
    rng = np.random.default_rng(0)
    folder = root / "MacrOData-CMU/OddBench/public"
    folder.mkdir(parents=True)
    for i in range(SETS):
        np.savez(
            folder / f"Set{i:03d}.npz",
            train=rng.normal(size=(200, 4)),
            train_labels=np.zeros(200, dtype=np.int64),
            test=rng.normal(size=(220, 4)),
            test_labels=np.repeat([0, 1], [200, 20]),
        )


class Cost(NamedTuple):
    """Cost of a run: wall seconds, and the driver's peak resident bytes.

    The first peak covers the time until the results are written, the second the whole
    command, which then rates the configurations.
    """

    seconds: float
    peak: int
    peak_with_table: int


def run(root: Path, out: str, configurations: int) -> Cost:
    """Run a sweep and return its cost."""
    spec = root / "at_once.py"
    specs = ",".join(f"{spec}:AtOnce:i={i + 1}" for i in range(configurations))
    arguments = [sys.executable, "-m", "odbench", "run", "--suite", "oddbench"]
    arguments += ["--mirror", str(root / "mirror"), "--out", str(root / out)]
    arguments += ["--jobs", str(JOBS), "--quiet", "--detectors", specs]
    environment = {**os.environ, "ODBENCH_CACHE": str(root / "cache")}
    results, peak, peak_with_table = root / out / "results.parquet", 0, 0
    started = time.perf_counter()
    with subprocess.Popen(
        arguments, env=environment, stdout=subprocess.DEVNULL
    ) as process:
        driver = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                resident = driver.memory_info().rss
            except psutil.Error:
                break
            if not results.exists():
                peak = max(peak, resident)
            peak_with_table = max(peak_with_table, resident)
            time.sleep(0.02)
        process.wait()
    if process.returncode:
        sys.exit(f"odbench run ended with {process.returncode}")
    return Cost(time.perf_counter() - started, peak, peak_with_table)


def sweep(root: Path, trials: int) -> None:
    """Run a sweep with the given number of trials and print its cost."""
    cost = run(root, f"run-{trials}", trials // SETS)
    print(
        f"{trials:>7} trials on {SETS} sets: {cost.seconds:6.1f} s, "
        f"{1e3 * cost.seconds * JOBS / trials:5.2f} ms per trial and core, "
        f"driver {cost.peak / 2**20:.0f} MiB, "
        f"{cost.peak_with_table / 2**20:.0f} MiB with the table",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--resume", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_mirror(root / "mirror")
        (root / "at_once.py").write_text(DETECTOR)
        run(root, "first", 1)  # Fills the store, so that no run below pays for it.
        for trials in (asked.trials // 4, asked.trials):
            sweep(root, trials)
        if asked.resume:
            sweep(root, asked.resume)
            cost = run(root, f"run-{asked.resume}", asked.resume // SETS)
            print(
                f"{asked.resume:>7} trials, all done: {cost.seconds:6.1f} s to find "
                f"out, driver {cost.peak_with_table / 2**20:.0f} MiB"
            )


if __name__ == "__main__":
    main()
