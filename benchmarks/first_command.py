"""Measure README's first command: cold, warm, and repeated when it has finished.

    python benchmarks/first_command.py [--rounds 3] [--cold 1]

- cold: nothing compiled, an empty store, no earlier run;
- warm: compiled code and stored data sets of the cold run, a new folder of results;
- repeated: the same folder again, so that all trials are done.

Prints wall seconds and processor seconds of each, over all processes, and how much of
the machine others used meanwhile: on a busy machine, only processor seconds compare.
Works on Linux.
"""

from __future__ import annotations

import argparse
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

import psutil

COMMAND = ("run", "--suite", "synbench-mini", "--seeds", "1", "--quiet")
_SUBREAPER = 36
# A machine of which others use more than this is called busy.
_BUSY = 0.05


class Cost(NamedTuple):
    """Wall seconds, processor seconds, and the share of all cores that others used."""

    wall: float
    processor: float
    others: float


def adopt_orphans() -> None:
    """Become the parent of processes whose parent ends, so that their time counts."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def reap() -> None:
    """Wait for all children that have ended or are about to."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def own_seconds() -> float:
    """Return the processor seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def busy_seconds() -> float:
    """Return the seconds for which the machine's cores were busy since it started."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice


def run(root: Path, out: str) -> Cost:
    """Run the command once."""
    # An installed package has its bytecode, whatever this shell sets.
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment = {
        **kept,
        "ODBENCH_CACHE": str(root / "cache"),
        # Compiled code lies there, for all stores.
        "XDG_CACHE_HOME": str(root / "platform"),
    }
    own, busy, started = own_seconds(), busy_seconds(), time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "odbench", *COMMAND, "--out", str(root / out)],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    if process.wait():
        sys.exit(f"odbench run ended with {process.returncode}")
    wall = time.perf_counter() - started
    busy = busy_seconds() - busy
    reap()
    processor = own_seconds() - own
    cores = os.cpu_count() or 1
    return Cost(wall, processor, max(0.0, busy - processor) / wall / cores)


def tell(name: str, costs: list[Cost]) -> None:
    """Print the medians of some runs."""
    wall, processor, others = (
        statistics.median(values) for values in zip(*costs, strict=True)
    )
    remark = f", busy: others used {others:.0%}" if others > _BUSY else ""
    print(
        f"{name:<9} {wall:6.2f} s, {processor:6.2f} processor seconds "
        f"(median of {len(costs)}{remark})",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="warm and repeated runs")
    parser.add_argument("--cold", type=int, default=1, help="cold runs")
    asked = parser.parse_args()
    adopt_orphans()
    print(f"odbench {' '.join(COMMAND)}; {os.cpu_count()} cores")
    cold: list[Cost] = []
    for _ in range(asked.cold - 1):
        with tempfile.TemporaryDirectory() as name:
            cold.append(run(Path(name), "cold"))
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        cold.append(run(root, "first"))
        warm = [run(root, f"warm-{i}") for i in range(asked.rounds)]
        repeated = [run(root, "first") for _ in range(asked.rounds)]
    tell("cold", cold)
    tell("warm", warm)
    tell("repeated", repeated)


if __name__ == "__main__":
    main()
