"""ECOD on a GPU against two threads of the CPU: parity and ratio.

    python benchmarks/ecod_gpu.py [--rows N] [--columns D]

Fit on N rows x D columns and score as many others; arrays start and end on the host, so
both copies are in the GPU's time. The median of three warm rounds, wall seconds. Parity
is the largest relative difference of a score. Needs CuPy and a device.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from odbench.errors import DetectorError
from odbench_detectors.ecod import device
from odbench_detectors.ecod.detector import ECOD

VARIANTS = ({}, {"aggregate": "columns"})


def median_seconds(work: Callable[[], np.ndarray], rounds: int) -> float:
    """Time rounds after one that does not count."""
    work()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def main() -> None:
    """Compare the devices."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=100)
    options = parser.parse_args()
    try:
        device.find_cupy()
    except DetectorError as error:
        sys.exit(f"nothing measured: {error}")
    rng = np.random.default_rng(0)
    train = rng.standard_normal((options.rows, options.columns))
    rows = 1.2 * rng.standard_normal((options.rows, options.columns))
    print(f"fit {options.rows:,} x {options.columns}, score as many")
    for params in VARIANTS:
        gpu = ECOD(**params, device="cuda", n_jobs=8)
        cpu = ECOD(**params, device="cpu", n_jobs=2)
        on_gpu = median_seconds(lambda d=gpu: d.fit(train).decision_function(rows), 3)
        on_cpu = median_seconds(lambda d=cpu: d.fit(train).decision_function(rows), 1)
        scores = cpu.decision_function(rows)
        apart = np.abs(gpu.decision_function(rows) / scores - 1).max()
        print(
            f"{gpu.aggregate:>8}: GPU {on_gpu:.3f} s, two threads {on_cpu:.3f} s, "
            f"{on_cpu / on_gpu:.1f}x; largest relative difference {apart:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
