"""Measure ECOD on 10 million rows x 50 columns, out of core: time and peak memory.

    python benchmarks/ecod_scale.py [--rows N] [--columns D] [--folder DIR]

A table of 4 GB is written column by column and mapped, not read. All rows are fitted,
and all are scored, in two ways, each in a separate process on one thread:

* exact: one column after another is fitted and scored, and the shards' three vectors
  are added; memory holds one sorted column, its buckets and the vectors.
* quantiles: rows pass once in chunks through `partial_fit` with 4096 quantiles per
  column, then again to be scored; memory holds the sketches and a chunk.

Peak memory is the largest anonymous memory that the kernel reports, sampled. It
excludes pages of the mapped file, because the kernel can drop them at any time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from odbench_detectors.ecod.detector import ECOD

CHUNK = 250_000
QUANTILES = 4096


def write(path: Path, rows: int, columns: int) -> None:
    """Write normal, lognormal and integer columns, one after another."""
    table = np.lib.format.open_memmap(
        path, "w+", np.float64, (rows, columns), fortran_order=True
    )
    for j in range(columns):
        values = np.random.default_rng(j).standard_normal(rows)
        if j % 5 == 3:
            np.exp(values, out=values)
        elif j % 5 == 4:
            np.round(10 * values, out=values)
        table[:, j] = values
    table.flush()


def exact(table: np.ndarray) -> tuple[np.ndarray, int]:
    """Score all rows, column by column."""
    sums = np.zeros((3, len(table)))
    for j in range(table.shape[1]):
        column = table[:, j : j + 1]
        sums += ECOD(device="cpu").fit(column).tail_sums(column)
    return sums.max(axis=0), 0


def quantiles(table: np.ndarray) -> tuple[np.ndarray, int]:
    """Score all rows, chunk by chunk."""
    detector = ECOD(device="cpu", quantiles=QUANTILES)
    for start in range(0, len(table), CHUNK):
        detector.partial_fit(table[start : start + CHUNK])
    scores = [
        detector.decision_function(table[start : start + CHUNK])
        for start in range(0, len(table), CHUNK)
    ]
    return np.concatenate(scores), detector.rank_error_


WAYS = {"exact": exact, "quantiles": quantiles}


def anonymous_bytes() -> int:
    """Return the memory of this process that is not backed by a file."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    msg = "the kernel does not report RssAnon: memory is measured only on Linux"
    raise RuntimeError(msg)


def measure(path: Path, way: str) -> None:
    """Run one way, and print its time and its peak memory."""
    warm = np.asfortranarray(np.random.default_rng(0).standard_normal((20_000, 2)))
    warm.flags.writeable = False
    WAYS[way](warm)
    table = np.load(path, mmap_mode="r")
    before = peak = anonymous_bytes()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            peak = max(peak, anonymous_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started, used = time.perf_counter(), time.process_time()
    scores, error = WAYS[way](table)
    wall, used = time.perf_counter() - started, time.process_time() - used
    done.set()
    watcher.join()
    np.save(path.with_name(f"{way}.npy"), scores)
    print(
        f"{way:>9}: {wall:6.1f} s of wall time, {used:6.1f} s of processor, "
        f"{1e9 * used / table.size:5.1f} ns per value; peak memory "
        f"{peak / 2**20:,.0f} MiB ({(peak - before) / 2**20:,.0f} of them new); "
        f"a count is off by at most {error:,} of {len(table):,} rows",
        flush=True,
    )


def agree(folder: Path) -> None:
    """Print how much the scores of the two ways differ."""
    one, other = (np.load(folder / f"{way}.npy") for way in WAYS)
    apart = np.abs(one - other)
    top = max(1, len(one) // 1000)
    shared = np.intersect1d(np.argsort(one)[-top:], np.argsort(other)[-top:]).size
    print(
        f"scores differ by {np.median(apart):.4f} nats in the median, "
        f"{apart.max():.4f} at most (median score {np.median(one):.1f}); "
        f"of the {top:,} highest, "
        f"{100 * shared / top:.1f} % are the same rows"
    )


def main() -> None:
    """Write the table, and run each way in a separate process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--measure", nargs=2, metavar=("FILE", "WAY"))
    options = parser.parse_args()
    if options.measure:
        measure(Path(options.measure[0]), options.measure[1])
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        path = Path(name) / "table.npy"
        write(path, options.rows, options.columns)
        size = path.stat().st_size / 2**30
        print(f"{options.rows:,} x {options.columns}, {size:.1f} GiB", flush=True)
        for way in WAYS:
            command = [sys.executable, __file__, "--measure", str(path), way]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            subprocess.run(command, check=True, env=environment)
        agree(Path(name))


if __name__ == "__main__":
    main()
