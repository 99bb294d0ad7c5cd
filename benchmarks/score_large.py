"""Time and peak memory of `odbench score` on large tables.

    python benchmarks/score_large.py parquet [--rows 10000000] [--detector ecod]
    python benchmarks/score_large.py csv [--rows 1000000] [--detector iforest]

``parquet`` makes a table of 20 numbers in row groups and scores it, once alone and
once against the first 200,000 of its rows. ``csv`` makes 30 mixed columns and compares
the command with the same work by hand: pandas reads, categories become codes, missing
values medians, scikit-learn's IsolationForest scores. Each runs in a process of its
own; seconds, processor seconds and peak memory (resident set) are the system's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

BY_HAND = """
import sys
import numpy as np, pandas as pd
from sklearn.ensemble import IsolationForest
frame = pd.read_csv(sys.argv[1])
made = {}
for name in frame.columns:
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column):
        column = column.astype("category").cat.codes
    made[name] = column.fillna(column.median())
X = pd.DataFrame(made).to_numpy(float)
scores = -IsolationForest(random_state=0).fit(X).score_samples(X)
frame.assign(score=scores)[["score"]].to_csv(sys.argv[2])
"""
GROUP = 500_000


def numbers(path: Path, rows: int) -> None:
    """Write a table of 20 dependent numbers."""
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(20, 20))
    schema = pa.schema([(f"x{j}", pa.float64()) for j in range(20)])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, GROUP):
            block = rng.normal(size=(min(GROUP, rows - start), 20)) @ mix
            writer.write_table(pa.table(list(block.T), schema=schema))


def mixed(path: Path, rows: int) -> None:
    """Write 30 columns: 15 numbers, 8 with gaps, 5 categories, a date and a key."""
    rng = np.random.default_rng(0)
    columns = {"key": pa.array([f"K{n:08d}" for n in range(rows)])}
    for j in range(15):
        columns[f"x{j}"] = np.round(rng.normal(size=rows), 4)
    for j in range(8):
        gaps = rng.random(rows) < 0.1
        columns[f"g{j}"] = pa.array(np.round(rng.gamma(2, 50, rows), 2), mask=gaps)
    for j in range(5):
        names = np.array([f"v{k}" for k in range(2 + 5 * j)])
        columns[f"c{j}"] = names[rng.zipf(1.7, rows) % len(names)]
    seconds = rng.integers(0, 86_400 * 365, rows)
    columns["when"] = np.datetime64("2025-01-01", "s") + seconds
    csv.write_csv(pa.table(columns), path)


def timed(title: str, command: list[str]) -> float:
    """Run a command, print its times and peak memory, return the seconds.

    On a machine that others use, compare processor seconds (user and system).
    """
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    peak = usage.ru_maxrss / 2**20
    processor = usage.ru_utime + usage.ru_stime
    note = "" if status == 0 else f"  FAILED ({status})"
    print(
        f"{title:24}{seconds:8.1f} s {processor:8.1f} s processor"
        f" {peak:6.2f} GiB{note}",
        flush=True,
    )
    return seconds


def main() -> None:
    """Make the table, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["parquet", "csv"])
    parser.add_argument("--rows", type=int)
    parser.add_argument("--detector")
    options = parser.parse_args()
    score = [sys.executable, "-m", "odbench", "score"]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if options.kind == "parquet":
            rows, detector = options.rows or 10_000_000, options.detector or "ecod"
            table, reference = place / "t.parquet", place / "r.parquet"
            numbers(table, rows)
            numbers(reference, min(rows, 200_000))
            print(f"{rows:,} x 20, {table.stat().st_size / 2**30:.2f} GiB, {detector}")
            out = ["-d", detector, "--out", str(place / "o.parquet")]
            timed("unsupervised", [*score, str(table), *out])
            timed("one-class", [*score, str(table), "-r", str(reference), *out])
        else:
            rows, detector = options.rows or 1_000_000, options.detector or "iforest"
            table = place / "t.csv"
            mixed(table, rows)
            print(f"{rows:,} x 30, {table.stat().st_size / 2**30:.2f} GiB, {detector}")
            out = ["-d", detector, "--out", str(place / "o.csv")]
            ours = timed("odbench score", [*score, str(table), *out])
            hand = [sys.executable, "-c", BY_HAND, str(table), str(place / "h.csv")]
            theirs = timed("by hand", hand)
            print(f"odbench / by hand: {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
