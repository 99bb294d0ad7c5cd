"""Measure the compilation of the core zoo's kernels, from an empty folder.

    python benchmarks/compile_time.py [--rounds 3] [--against CHECKOUT]

One process per round warms the detectors up one after another, as the stage before a
run's trials does, for tables of few and of many columns. Prints processor seconds and
functions compiled per detector (the best round); kernels count for the first detector
that uses them. With another checkout, its rounds run at the same time as this one's, so
that both have the same company on a shared machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parents[1]
# Those that share least come first, as before a run.
DETECTORS = ["ecod", "copod", "hbos", "kde", "knn", "iforest", "cats", "lof", "dte_np"]
CHILD = """
import json, sys, time
from numba.core import event
from odbench.plugins.find import find_detector
from odbench.sweep.warm_up import Sight, warm_up

found = {}
with event.install_recorder("numba:compile") as recorder:
    for name in sys.argv[1:]:
        start, known = time.process_time(), len(recorder.buffer)
        for wide in (False, True):
            warm_up(find_detector(name), 0, Sight(wide, False, False))
        # An event for the start of each compilation, and one for its end.
        count = (len(recorder.buffer) - known) // 2
        found[name] = time.process_time() - start, count
print(json.dumps(found))
"""


def start(checkout: Path, folder: str) -> subprocess.Popen[str]:
    """Compile a checkout's kernels into an empty folder."""
    rooms = ("", "detectors", "datasets_manifest")
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "NUMBA")}
    environment = {
        "PYTHONPATH": os.pathsep.join(str(checkout / room) for room in rooms),
        "NUMBA_CACHE_DIR": folder,
    }
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *DETECTORS],
        env=os.environ | one | environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def once(checkouts: list[Path]) -> list[dict[str, tuple[float, int]]]:
    """Compile once in each checkout, all at the same time."""
    with tempfile.TemporaryDirectory() as name:
        running = [
            start(checkout, f"{name}/{number}")
            for number, checkout in enumerate(checkouts)
        ]
        answers = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        sys.exit("a process failed")
    return [json.loads(answer) for answer in answers]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", type=Path, help="another checkout")
    asked = parser.parse_args()
    checkouts = [HERE, *([asked.against.resolve()] if asked.against else [])]
    rounds = [once(checkouts) for _ in range(asked.rounds)]
    for checkout, mine in zip(checkouts, zip(*rounds, strict=True), strict=True):
        best = min(mine, key=lambda found: sum(pair[0] for pair in found.values()))
        print(f"{checkout}: best of {asked.rounds}")
        for name, (seconds, count) in best.items():
            print(f"  {name:<8} {seconds:6.2f} s {count:4d} functions")
        seconds, counts = (sum(column) for column in zip(*best.values(), strict=True))
        print(f"  {'all':<8} {seconds:6.2f} s {counts:4d} functions", flush=True)


if __name__ == "__main__":
    main()
