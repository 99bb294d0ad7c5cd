"""Measure the generation of all sets of a SynBench suite, and check their hashes.

Run it alone: ``python benchmarks/synbench_generate.py --jobs 2``. ``--suite`` names
another version than the first. It prints the wall time, the peak memory of all
processes together, the slowest set, and whether every content hash equals the
committed manifest's.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import os
import resource
import time
from dataclasses import dataclass

import numpy as np

from odbench.data.content import content_sha256
from odbench.data.manifest import read_manifest
from odbench.data.transports.generated import generator


@dataclass(frozen=True)
class Made:
    """Cost and content hash of one generated set."""

    name: str
    digest: str
    cpu_seconds: float
    pid: int
    peak_mib: float


def generate(name: str, suite: str) -> Made:
    """Generate a set and measure it."""
    started = time.process_time()
    made = generator(suite).make(name)
    cpu_seconds = time.process_time() - started
    digest = content_sha256(made.X_train, made.X_test, made.y_test, made.severity)
    return Made(name, digest, cpu_seconds, os.getpid(), _peak_mib())


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Generate all sets, compare their hashes and print the cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--suite", default="synbench")
    given = parser.parse_args()
    jobs, suite = given.jobs, given.suite
    pinned = {record.name: record.content_sha256 for record in read_manifest(suite)}
    work, names = functools.partial(generate, suite=suite), generator(suite).names()
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        sets = list(pool.imap_unordered(work, names, chunksize=4))
    wall = time.perf_counter() - started
    seconds = np.array([made.cpu_seconds for made in sets])
    slowest = max(sets, key=lambda made: made.cpu_seconds)
    peaks: dict[int, float] = {}
    for made in sets:
        peaks[made.pid] = max(made.peak_mib, peaks.get(made.pid, 0.0))
    equal = sum(pinned.get(made.name) == made.digest for made in sets)
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    print(f"{len(sets)} sets in {wall:.1f} s with {jobs} processes")
    print(f"processor time: {seconds.sum():.1f} s; median {np.median(seconds):.3f} s")
    print(f"slowest: {slowest.name}, {slowest.cpu_seconds:.2f} s")
    peak = _peak_mib() + sum(peaks.values())
    print(f"peak memory: {peak:.0f} MiB, all processes together")
    print(f"content hashes equal to the manifest's: {equal} of {len(sets)}")
    print(f"NumPy {np.__version__}; load averages {load}")


if __name__ == "__main__":
    main()
