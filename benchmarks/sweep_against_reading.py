"""Time a sweep of a fast detector against reading the store and rating alone.

    python benchmarks/sweep_against_reading.py --mirror DIR [--limit N] [--repeats 3]

A whole command, `odbench run` with ecod on the public OddBench sets of a mirror with
two workers, against a process that does only what no sweep can leave out: find each
data set in the store, compare its files with their hashes, read train, test and labels,
and compute every metric of one column as the scores. The store is filled beforehand.
The two alternate; the medians are printed with their ratios, in wall seconds and in
processor seconds of all processes, those of killed workers and their sandboxes too.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

DETECTOR, JOBS = "ecod", 2
_PR_SET_CHILD_SUBREAPER = 36


class Cost(NamedTuple):
    """Wall seconds of a command, and processor seconds of all its processes."""

    wall: float
    processor: float


def read_and_rate(limit: int | None, mirror: str) -> None:
    """Read each data set as a worker does, and rate one column of its test rows."""
    from odbench.data.catalog import ensure, select
    from odbench.data.distinct import distinct_rows
    from odbench.scoring.metrics import evaluate

    records = select("oddbench", limit=limit, mirror=mirror)
    for _, stored in ensure(records, mirror=mirror, progress=False):
        if isinstance(stored, Exception):
            raise stored
        train, test, _ = stored.features()
        labels, severity = stored.truth()
        assert labels is not None
        train.sum()
        evaluate(labels, test[:, 0], distinct_rows(test, labels).weights, severity)


def timed(arguments: list[str], cache: Path) -> Cost:
    """Run a command and return its cost."""
    environment = {**os.environ, "ODBENCH_CACHE": str(cache)}
    before, started = _processor_seconds(), time.perf_counter()
    done = subprocess.run(
        arguments, env=environment, stdout=subprocess.DEVNULL, check=False
    )
    wall = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{arguments[:5]} ended with {done.returncode}")
    # Orphans came here, because this process is their reaper.
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    return Cost(wall, _processor_seconds() - before)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", required=True)
    parser.add_argument("--limit", type=int, help="maximum number of data sets")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cache", type=Path, help="a store that is filled already")
    parser.add_argument("--floor", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.floor:
        read_and_rate(asked.limit, asked.mirror)
        return
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    limit = [] if asked.limit is None else ["--limit", str(asked.limit)]
    common = ["--mirror", asked.mirror, *limit]
    run = [sys.executable, "-m", "odbench", "run", "--suite", "oddbench", "--quiet"]
    run += ["--detectors", DETECTOR, "--jobs", str(JOBS), *common, "--out"]
    floor = [sys.executable, __file__, "--floor", *common]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        cache = asked.cache or root / "cache"
        timed([*run, str(root / "first")], cache)
        runs, floors, again = [], [], []
        for number in range(asked.repeats):
            out = str(root / f"run-{number}")
            runs.append(timed([*run, out], cache))
            floors.append(timed(floor, cache))
            again.append(timed([*run, out], cache))
    costs = {
        f"odbench run with {DETECTOR}": runs,
        "read and rate alone": floors,
        "the finished run again": again,
    }
    base = _median(floors)
    for title, found in costs.items():
        cost = _median(found)
        print(
            f"{title:24} {cost.wall:6.2f} s wall ({cost.wall / base.wall:.2f}x), "
            f"{cost.processor:6.2f} s of processors "
            f"({cost.processor / base.processor:.2f}x)"
        )


def _median(costs: list[Cost]) -> Cost:
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


if __name__ == "__main__":
    main()
