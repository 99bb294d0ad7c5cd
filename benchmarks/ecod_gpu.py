"""Compare ECOD on a GPU with two threads of the CPU: parity and speed.

    python benchmarks/ecod_gpu.py [--rows N] [--columns D]

Fits on N rows x D columns and scores as many others, in row order (C) and in column
order (F), the order of the Arrow store. Arrays start and end on the host, so the GPU's
time includes both copies. Times are wall seconds, the median of three warm rounds.
Parity is the largest relative difference of a score. Needs CuPy and a device.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time

import numpy as np

from odbench.errors import DetectorError
from odbench_detectors.ecod import device
from odbench_detectors.ecod.detector import ECOD

VARIANTS = ({}, {"aggregate": "columns"})


def median_seconds(detector: ECOD, train: np.ndarray, rows: np.ndarray) -> float:
    """Time three rounds of fit and score after one warm-up round."""
    seconds = []
    for _ in range(4):
        started = time.perf_counter()
        detector.fit(train).decision_function(rows)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


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
    in_rows = [
        scale * rng.standard_normal((options.rows, options.columns))
        for scale in (1.0, 1.2)
    ]
    print(f"fit {options.rows:,} x {options.columns}, score as many")
    for order, params in itertools.product("CF", VARIANTS):
        train, rows = (np.asarray(table, order=order) for table in in_rows)
        gpu = ECOD(**params, device="cuda", n_jobs=8)
        cpu = ECOD(**params, device="cpu", n_jobs=2)
        on_gpu = median_seconds(gpu, train, rows)
        on_cpu = median_seconds(cpu, train, rows)
        scores = cpu.decision_function(rows)
        apart = np.abs(gpu.decision_function(rows) / scores - 1).max()
        print(
            f"{order} {gpu.aggregate:>8}: GPU {on_gpu:.3f} s, "
            f"two threads {on_cpu:.3f} s, {on_cpu / on_gpu:.1f}x; "
            f"largest relative difference {apart:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
