"""Time `odbench leaderboard build` on a full-size benchmark.

    python benchmarks/leaderboard_build.py

Makes up results of 2,446 data sets x 40 configurations x 5 seeds, builds their
leaderboard three times, each in a fresh process, and prints the wall-clock seconds,
CPU seconds and peak memory of the whole command, including the start of Python.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import made_up_results

MIB = 1024


def build(run: Path, out: Path, permutations: int) -> tuple[float, float, float]:
    """Run the command once; return wall seconds, CPU seconds, peak MiB."""
    started = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-c", "from odbench.cli import main; main()", "leaderboard",
         "build", str(run), "--out", str(out), "--permutations", str(permutations)],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"the command failed with exit code {child.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / MIB


def main() -> None:
    """Make up results, build leaderboards and print the cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", type=int, default=2446)
    parser.add_argument("--methods", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--permutations", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run, out = Path(folder) / "run", Path(folder) / "out"
        run.mkdir()
        made_up_results.write(
            run / "results.parquet",
            datasets=asked.datasets,
            methods=asked.methods,
            seeds=asked.seeds,
        )
        trials = asked.datasets * asked.methods * asked.seeds
        print(f"{trials} trials, {asked.permutations} sign flips")
        for _ in range(asked.repeats):
            wall, cpu, peak = build(run, out, asked.permutations)
            print(f"{wall:6.2f} s   {cpu:6.2f} s CPU   {peak:5.0f} MiB peak")
        size = sum(f.stat().st_size for f in out.rglob("*") if f.is_file())
        page = (out / "index.html").stat().st_size
        print(f"{size / 1e6:.1f} MB written, of which index.html {page / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
