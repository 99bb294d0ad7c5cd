"""Time CATS against kNN on the same suites and cores, one detector per run.

    python benchmarks/cats_time.py --suite ovrbench [--protocol unsupervised]
        [--mirror DIR] [--jobs N] [--rounds 1]

Each round runs ``odbench run`` with knn, then with cats, into fresh folders. An untimed
run of knn, and of cats on one data set, loads the data and compiles the kernels
beforehand. Prints, for each detector's run with the fastest whole command,

whole command
    Wall seconds of the command: start-up, workers, reading, warming up, trials, the
    leaderboard.
trials
    The sum of fit and score seconds of all trials in results.parquet: the cost of the
    detector itself, with nothing shared.

In the setting transductive, knn runs one-class, because its scores do not depend on
the batch. No scores are printed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

DETECTORS = ("knn", "cats")


def command(options: argparse.Namespace, detector: str, out: Path) -> list[str]:
    """Return the command line of one run."""
    line = [sys.executable, "-m", "odbench", "run", "--quiet"]
    line += ["--suite", options.suite, "--detectors", detector, "--out", str(out)]
    without_batch = detector == "knn" and options.protocol == "transductive"
    line += ["--protocol", "one-class" if without_batch else options.protocol]
    if options.mirror:
        line += ["--mirror", options.mirror]
    if options.jobs:
        line += ["--jobs", str(options.jobs)]
    return line


def measure(options: argparse.Namespace, detector: str) -> tuple[float, float, int]:
    """Run one detector; return wall seconds, trial seconds and the number of trials."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        start = time.perf_counter()
        subprocess.run(command(options, detector, out), check=True, capture_output=True)
        whole = time.perf_counter() - start
        results = pd.read_parquet(out / "results.parquet")
    if (results["status"] != "ok").any():
        msg = f"{detector}: a trial failed, so the two times are not for the same work"
        raise SystemExit(msg)
    trials = results["fit_seconds"] + results["score_seconds"]
    return whole, float(trials.sum()), len(results)


def main() -> None:
    """Print the seconds of both and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default="ovrbench")
    parser.add_argument(
        "--protocol",
        choices=("one-class", "transductive", "unsupervised"),
        default="one-class",
    )
    parser.add_argument("--mirror")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for detector in DETECTORS:
            line = command(options, detector, Path(folder) / detector)
            line += ["--limit", "1"] if detector == "cats" else []
            subprocess.run(line, check=True, capture_output=True)
    best = {}
    for detector in DETECTORS:
        best[detector] = min(
            measure(options, detector) for _ in range(max(options.rounds, 1))
        )
        whole, trials, count = best[detector]
        print(f"{detector:5s} {count} trials: whole command {whole:.1f} s, ", end="")
        print(f"trials {trials:.1f} s", flush=True)
    ratio = [c / k for c, k in zip(best["cats"], best["knn"], strict=True)]
    print(f"cats / knn: whole command {ratio[0]:.2f}, trials {ratio[1]:.2f}")


if __name__ == "__main__":
    main()
