"""Compare ECOD's speed and memory with PyOD and with the sort that bounds it.

    python benchmarks/ecod.py [--quick]

Every line: fit on n train rows and score n other rows, warm (compilation is timed
separately), best of several rounds in which all contenders take turns, on one thread.
The clock is the process's own processor time, so that other work on the machine counts
as little as possible; with two threads it is wall time. "PyOD" is its fit and
decision_function, since a user of its ECOD has to call both; its fit scores the train
rows too, so "alone" shows its decision_function by itself. "argsort" is np.argsort of
contiguous train columns: the minimum that ranking takes.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
if __name__ == "__main__":
    os.environ.update(dict.fromkeys(THREADS, "1"))

import numpy as np  # noqa: E402 - the number of threads is read on import

SIZES = ((1_000, 10), (10_000, 20), (100_000, 20), (20_000, 300))
# Goals: factor by which to beat PyOD, and largest multiple of np.argsort's time.
WANTED = dict(zip(SIZES, ((15, None), (20, 2.0), (25, 1.6), (30, 1.6)), strict=True))
Table = np.ndarray
Work = Callable[[], object]


def best(
    contenders: dict[str, Work], rounds: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Return each contender's best milliseconds over several alternating rounds."""
    result = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, work in contenders.items():
            started = clock()
            work()
            result[name] = min(result[name], 1e3 * (clock() - started))
    return result


def draw(n: int, d: int, kind: str = "normal") -> tuple[Table, Table]:
    """Draw train rows and rows to score."""
    rng = np.random.default_rng(n + d)
    train, rows = rng.standard_normal((n, d)), rng.standard_normal((n, d))
    if kind == "lognormal":
        return np.exp(1.5 * train), np.exp(1.5 * rows)
    if kind == "integers":
        return np.round(8 * train), np.round(8 * rows)
    return train, rows


def ours(train: Table, rows: Table, n_jobs: int = 1) -> Work:
    """Fit and score with odbench's ECOD."""
    from odbench_detectors.ecod.detector import ECOD

    return lambda: ECOD(device="cpu", n_jobs=n_jobs).fit(train).decision_function(rows)


def theirs(train: Table, rows: Table) -> Work:
    """Fit and score with PyOD's ECOD."""
    from pyod.models import ecod as peer

    return lambda: peer.ECOD().fit(train).decision_function(rows)


def theirs_alone(train: Table, rows: Table) -> Work:
    """Score with an already fitted PyOD ECOD."""
    from pyod.models import ecod as peer

    fitted = peer.ECOD().fit(train)
    return lambda: fitted.decision_function(rows)


def warm_up() -> None:
    """Load or compile the kernels, and print how long that took."""
    train, rows = draw(1_000, 10)
    started = time.perf_counter()
    for kind in (np.float64, np.float32):
        for order in "CF":
            ours(train.astype(kind, order=order), rows.astype(kind, order=order))()
    print(f"kernels loaded (or compiled) in {time.perf_counter() - started:.1f} s\n")


def against_pyod(n: int, d: int) -> None:
    """Print one line of the main table."""
    train, rows = draw(n, d)
    columns = np.ascontiguousarray(train.T)
    small = n * d <= 200_000
    floor = {"ours": ours(train, rows), "sort": lambda: np.argsort(columns, axis=1)}
    fast = best(floor, 60 if small else 9, time.process_time)
    peers = {
        "ours": floor["ours"],
        "pyod": theirs(train, rows),
        "alone": theirs_alone(train, rows),
    }
    slow = best(peers, 20 if small else 3, time.process_time)
    mine = min(fast["ours"], slow["ours"])
    times, sorts = WANTED[n, d]
    print(
        f"{n:>7,} x {d:<6}{mine:>9.2f} {slow['pyod']:>9.1f} "
        f"{slow['pyod'] / mine:>6.1f}x {times:>5}x | {slow['alone']:>9.1f} "
        f"{slow['alone'] / mine:>5.1f}x |"
        f" {fast['sort']:>10.2f} {mine / fast['sort']:>10.2f}x {sorts or '-':>6}",
        flush=True,
    )


def variants(n: int, d: int) -> None:
    """Print the time for other inputs, relative to normal float64 rows."""
    train, rows = draw(n, d)
    work = {
        "plain": ours(train, rows),
        "float32": ours(train.astype(np.float32), rows.astype(np.float32)),
        "fortran": ours(np.asfortranarray(train), np.asfortranarray(rows)),
        "lognormal": ours(*draw(n, d, "lognormal")),
        "integers": ours(*draw(n, d, "integers")),
    }
    rounds = 60 if n * d <= 200_000 else 7
    ms = best(work, rounds, time.process_time)
    plain = ms.pop("plain")
    shares = " ".join(f"{value / plain:>10.2f}" for value in ms.values())
    two = {"one": work["plain"], "two": ours(train, rows, 2)}
    wall = best(two, rounds, time.perf_counter)
    speed_up = f"{wall['one'] / wall['two']:>17.2f}x"
    print(f"{n:>7,} x {d:<6}{shares} {speed_up}", flush=True)


def stages(n: int, d: int) -> None:
    """Print the time of each stage, in nanoseconds per value."""
    from odbench_detectors.ecod import cpu
    from odbench_detectors.shared import column_kernels
    from odbench_detectors.shared.columns import SYMMETRIC, sorted_columns
    from odbench_detectors.shared.sort import sort_by_buckets

    train, rows = draw(n, d)
    columns = sorted_columns(train)
    flat = np.ascontiguousarray(train.T)
    skewness, tails = np.empty(d), np.ones(d, np.int8)
    work: dict[str, Work] = {
        "transpose": lambda: column_kernels.transpose(train, np.empty_like(flat)),
        "np.sort": lambda: np.sort(flat, axis=1),
        "our sort": lambda: sort_by_buckets(flat.copy()),
        "skew": lambda: column_kernels.skewness(columns.values, SYMMETRIC, skewness),
        "buckets": lambda: cpu.cut_buckets(columns, n, 1),
        "score": lambda: cpu.tail_sums(columns, rows, tails, plus=1, aggregate="sums"),
    }
    ms = best(work, 30 if n * d <= 200_000 else 7, time.process_time)
    ms["score"] -= ms["buckets"]
    per_value = " ".join(f"{1e6 * value / (n * d):>10.1f}" for value in ms.values())
    print(f"{n:>7,} x {d:<6}{per_value}", flush=True)


def memory(n: int, d: int, name: str) -> None:
    """Print by how much one fit and score raise this process's peak memory."""
    work = {"ours": ours, "pyod": theirs}[name]
    work(*draw(500, 5))()
    train, rows = np.empty((n, d)), np.empty((n, d))
    np.random.default_rng(0).standard_normal(out=train)
    np.random.default_rng(1).standard_normal(out=rows)
    # Writing 5 resets the peak that the kernel keeps.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = peak_bytes()
    work(train, rows)()
    grown, given = peak_bytes() - before, 2 * train.nbytes
    print(
        f"{n:>7,} x {d:<6} {name}: {grown / 2**20:7.1f} MiB on top of an input of "
        f"{given / 2**20:5.1f} MiB: {grown / given:.2f} of it"
    )


def peak_bytes() -> int:
    """Return the peak of this process's resident memory since the last reset."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    msg = "the kernel does not report VmHWM: memory is measured only on Linux"
    raise RuntimeError(msg)


def main() -> None:
    """Run everything in one command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the two small sizes only")
    parser.add_argument("--memory", nargs=3, metavar=("N", "D", "NAME"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.memory:
        n, d, name = options.memory
        memory(int(n), int(d), name)
        return
    import numba
    import pyod

    sizes = SIZES[:2] if options.quick else SIZES
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, numba "
        f"{numba.__version__}, PyOD {pyod.__version__}, {os.cpu_count()} cores"
    )
    warm_up()
    tables: tuple[tuple[str, Callable[[int, int], None]], ...] = (
        (
            "rows x columns   ECOD ms   PyOD ms   ratio wanted |  alone ms  ratio | "
            "argsort ms  ECOD/sort wanted",
            against_pyod,
        ),
        (
            "relative time    float32    Fortran  lognormal   integers "
            "two threads, wall",
            variants,
        ),
        (
            "ns per value   transpose    np.sort   our sort   skewness    buckets"
            "     search",
            stages,
        ),
    )
    for head, line in tables:
        print(head)
        for n, d in sizes:
            line(n, d)
        print()
    print("peak memory of fit and score, in a separate process", flush=True)
    for n, d in sizes[1:]:
        for name in ("ours", "pyod"):
            command = [sys.executable, __file__, "--memory", str(n), str(d), name]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
