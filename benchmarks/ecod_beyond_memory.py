"""Measure detectors on a Parquet file larger than the memory they may use.

    python benchmarks/ecod_beyond_memory.py [--rows N] [--columns D] [--limit GIB]
        [--ways columns,quantiles,hbos,cats] [--folder DIR]

Writes a file of uncompressed float64 in row groups, fits and scores all its rows, and
removes it. Each way runs in a process of its own on one thread. Once libraries and
compiled code are loaded, the system refuses it more than --limit GiB of further data
(RLIMIT_DATA):

* columns: ECOD, exact, by `large.score_by_columns`;
* quantiles: ECOD(quantiles=4096) by `large.fit` and `large.score`;
* hbos: HBOS, exact, in the same way;
* cats: CATS fitted on a sample of 50,000 rows; only --score rows are scored.

Prints seconds, nanoseconds of processor time per value, and peak anonymous memory, and
the same for 1,000,000 x 10,000 if the time per value stays the same: columns are
independent of each other. Agreement of the scores is printed at the end.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

GROUP = 100_000
GIB = 2**30
PAPER = 1_000_000 * 10_000


def write(path: Path, rows: int, columns: int) -> None:
    """Write normal, lognormal and integer columns in row groups."""
    rng = np.random.default_rng(0)
    schema = pa.schema([(f"x{j}", pa.float64()) for j in range(columns)])
    with pq.ParquetWriter(
        path, schema, compression="none", use_dictionary=False
    ) as writer:
        for start in range(0, rows, GROUP):
            block = rng.standard_normal((columns, min(GROUP, rows - start)))
            np.exp(block[3::5], out=block[3::5])
            np.round(10 * block[4::5], out=block[4::5])
            writer.write_table(pa.table(list(block), schema=schema))


def run(way: str, path: Path, limit: float, most: int) -> tuple[np.ndarray, str]:
    """Fit and score in one of the ways; return the scores and a remark."""
    from odbench_detectors import CATS, ECOD, HBOS, large
    from odbench_detectors.large.tables import as_parts

    if way == "columns":
        detector = ECOD(device="cpu")
        # Half of what is allowed: Arrow's buffers and the allocator take their part.
        return large.score_by_columns(detector, path, memory=limit / 2), "exact"
    if way == "quantiles":
        fitted = large.fit(ECOD(device="cpu", quantiles=4096), path)
        note = f"a count is off by at most {fitted.rank_error_:,} rows"
        return np.concatenate(list(large.score(fitted, path))), note
    if way == "hbos":
        fitted = large.fit(HBOS(), path)
        return np.concatenate(list(large.score(fitted, path))), "exact"

    def first() -> Iterator[np.ndarray]:
        blocks, done = as_parts(path).blocks(), 0
        while done < most and (block := next(blocks, None)) is not None:
            yield block[: most - done]
            done += len(block)

    started = time.process_time()
    fitted = large.fit(CATS(), path)
    seconds = time.process_time() - started
    scores = np.concatenate(list(large.score(fitted, first)))
    spent = time.process_time() - started - seconds
    note = f"fit {seconds:.1f} s, then {1e6 * spent / len(scores):.0f} us per row"
    return scores, note


def anonymous_bytes() -> int:
    """Return the memory of this process that is not backed by a file."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    msg = "the kernel does not report RssAnon: memory is measured only on Linux"
    raise RuntimeError(msg)


def measure(path: Path, way: str, limit: float, most: int) -> None:
    """Run one way under the limit, and print its time and peak memory."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    run(way, path.with_name("warm.parquet"), limit, most)
    allowed = psutil.Process().memory_info().data + int(limit)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))
    before = peak = anonymous_bytes()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            peak = max(peak, anonymous_bytes())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    started, used = time.perf_counter(), time.process_time()
    scores, note = run(way, path, limit, most)
    wall, used = time.perf_counter() - started, time.process_time() - used
    done.set()
    watcher.join()
    np.save(path.with_name(f"{way}.npy"), scores)
    metadata = pq.read_metadata(path)
    per_value = used / (metadata.num_rows * metadata.num_columns)
    at_paper = "" if way == "cats" else f"; {PAPER * per_value / 60:.0f} min for 10^10"
    print(
        f"{way:>9}: {wall:7.1f} s, {used:7.1f} s of processor, {1e9 * per_value:6.1f} "
        f"ns per value{at_paper}; peak {peak / 2**20:,.0f} MiB "
        f"({(peak - before) / 2**20:,.0f} new); {note}",
        flush=True,
    )


def agree(folder: Path) -> None:
    """Print how much ECOD's scores by quantiles differ from the exact ones."""
    files = [folder / f"{way}.npy" for way in ("columns", "quantiles")]
    if not all(file.exists() for file in files):
        return
    exact, bounded = map(np.load, files)
    apart, top = np.abs(exact - bounded), max(1, len(exact) // 1000)
    same = np.intersect1d(np.argsort(exact)[-top:], np.argsort(bounded)[-top:]).size
    print(
        f"quantiles: scores differ by {np.median(apart):.4f} nats in the median, "
        f"{apart.max():.4f} at most (median score {np.median(exact):.1f}); "
        f"{100 * same / top:.1f} % of the {top:,} highest are the same rows"
    )


def main() -> None:
    """Write the file, and run each way in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--limit", type=float, default=0.4)
    parser.add_argument("--ways", default="columns,quantiles,hbos")
    parser.add_argument("--score", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--measure", nargs=2, metavar=("FILE", "WAY"))
    options = parser.parse_args()
    limit = options.limit * GIB
    if options.measure:
        path, way = options.measure
        measure(Path(path), way, limit, options.score)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        path = Path(name) / "table.parquet"
        started = time.perf_counter()
        write(path, options.rows, options.columns)
        write(path.with_name("warm.parquet"), 20_000, options.columns)
        size, seconds = path.stat().st_size / GIB, time.perf_counter() - started
        print(
            f"{options.rows:,} x {options.columns}, {size:.2f} GiB written in "
            f"{seconds:.0f} s; limit {options.limit:g} GiB",
            flush=True,
        )
        for way in options.ways.split(","):
            command = [sys.executable, __file__, "--measure", str(path), way]
            command += ["--limit", str(options.limit), "--score", str(options.score)]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            subprocess.run(command, check=True, env=environment)
        agree(Path(name))


if __name__ == "__main__":
    main()
