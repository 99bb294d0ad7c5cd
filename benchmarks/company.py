"""Compare a detector's seconds alone and beside others, and on a cold and a warm cache.

    python benchmarks/company.py --mirror DIR [--sets 8] [--rounds 3]

First, copod runs on one set with an empty folder of compiled code, and again with a
full one. Prints fit seconds and peak memory of both, and the seconds of compiling,
which are not part of them. Then knn runs on a few OvRBench sets alone, beside
``lof:k=100`` and beside ``lof:k=1000``, which need more neighbours from the same
search. Prints the median of its fit and score seconds over the sets (the lowest of
the rounds) and the ratio to those alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from odbench.results import read_results

COMPANY = ("knn", "knn,lof:k=100", "knn,lof:k=1000")


def run(folder: Path, detectors: str, mirror: Path, sets: int) -> pd.DataFrame:
    """Run detectors on one worker, and return the results."""
    subprocess.run(
        [
            *(sys.executable, "-m", "odbench", "run", "--suite", "ovrbench"),
            *("--mirror", str(mirror), "--limit", str(sets), "--jobs", "1", "--quiet"),
            *("--detectors", detectors, "--out", str(folder)),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return read_results(folder)


def seconds(results: pd.DataFrame, detector: str) -> float:
    """Return the median of fit plus score seconds over the data sets."""
    rows = results[results["detector"] == detector]
    return float(np.median(rows["fit_seconds"] + rows["score_seconds"]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--sets", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        # Compiled code lies below the home folder, whatever the cache.
        os.environ |= {"ODBENCH_CACHE": f"{scratch}/cache", "HOME": f"{scratch}/home"}
        os.environ.pop("XDG_CACHE_HOME", None)
        cold = run(Path(scratch, "cold"), "copod", options.mirror, 1).iloc[0]
        warm = run(Path(scratch, "warm"), "copod", options.mirror, 1).iloc[0]
        for name, row in (("cold", cold), ("warm", warm)):
            print(
                f"copod, {name}: fit {row['fit_seconds'] * 1e3:.2f} ms, "
                f"peak {row['peak_memory_bytes'] / 2**20:.1f} MiB, "
                f"compiling and importing {row['warmup_seconds']:.1f} s"
            )
        print(f"ratio {cold['fit_seconds'] / warm['fit_seconds']:.2f}\n")
        best = dict.fromkeys(COMPANY, np.inf)
        for number in range(options.rounds):
            for company in COMPANY:
                folder = Path(scratch, f"{number}-{COMPANY.index(company)}")
                results = run(folder, company, options.mirror, options.sets)
                best[company] = min(best[company], seconds(results, "knn"))
        for company, value in best.items():
            print(
                f"{company:<16} knn {value * 1e3:6.2f} ms, "
                f"ratio {value / best['knn']:.2f}"
            )


if __name__ == "__main__":
    main()
