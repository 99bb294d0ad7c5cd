"""Time and memory of generating all 800 SynBench sets, and proof that bits repeat.

Run it alone: ``python benchmarks/synbench_generate.py --jobs 2``. It prints the wall
time, the peak memory of all processes together, the slowest set, and whether every
content hash equals the committed manifest's.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time

import numpy as np

from odbench.data.content import content_sha256
from odbench.data.manifest import read_manifest
from odbench.synbench import suite


def generate(name: str) -> tuple[str, str, float, float]:
    """Return a set's name, content hash, seconds, and the process's peak in MiB."""
    started = time.perf_counter()
    train, test, labels, _, _ = suite.generate(name)
    seconds = time.perf_counter() - started
    digest = content_sha256(train, test, labels)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return name, digest, seconds, peak


def main() -> None:
    """Generate, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    pinned = {
        record.name: record.content_sha256 for record in read_manifest("synbench")
    }
    started = time.perf_counter()
    peaks: dict[int, float] = {}
    results = []
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.jobs) as pool:
        for result in pool.imap_unordered(_with_pid, suite.names(), chunksize=4):
            pid, row = result
            peaks[pid] = max(peaks.get(pid, 0.0), row[3])
            results.append(row)
    wall = time.perf_counter() - started
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = np.array([row[2] for row in results])
    slowest = max(results, key=lambda row: row[2])
    equal = sum(pinned.get(row[0]) == row[1] for row in results)
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    print(f"{len(results)} sets in {wall:.1f} s with {options.jobs} processes")
    print(f"median {np.median(seconds) * 1000:.0f} ms, {seconds.sum():.1f} s in all")
    print(f"slowest: {slowest[0]}, {slowest[2]:.2f} s")
    print(f"peak memory: {own + sum(peaks.values()):.0f} MiB, all processes together")
    print(f"content hashes equal to the manifest's: {equal} of {len(results)}")
    print(f"NumPy {np.__version__}; load averages {load}")


def _with_pid(name: str) -> tuple[int, tuple[str, str, float, float]]:
    return os.getpid(), generate(name)


if __name__ == "__main__":
    main()
