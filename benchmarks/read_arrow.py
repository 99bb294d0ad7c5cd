"""Compare the cost of reading a data set from Arrow and from npz.

    python benchmarks/read_arrow.py --mirror DIR

Each data set is read in a fresh process with warm file caches. "read" ends when train,
test and labels can be indexed; "ready" when the tables are also scaled, which touches
every value, as a trial does. Memory (Linux only) is the growth of the process after its
imports, once the tables are scaled: "own" is its private memory, "all" its peak with
the mapped pages, which several workers share. Imports are not timed: they happen once
per worker, not once per set. Times are processor time, which other work on the machine
hardly changes; the minimum of the repeats is printed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

CHILD = """
import json, re, sys, time
import numpy as np
from odbench.data.protocol import standardise
kind, features, labels, archive = sys.argv[1:]
if kind == "arrow":
    import pyarrow
    from odbench.data.store_files import read_labels
    from odbench.data.features import read_features
def memory():
    status = open("/proc/self/status").read()
    return [
        int(re.search(key + r":\\s+(\\d+)", status)[1]) * 1024
        for key in ("RssAnon", "VmHWM")
    ]
standardise(np.ones((4, 2)), np.ones((4, 2)))
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # reset the peak, which the imports raised
before, start = memory(), time.process_time()
if kind == "arrow":
    train, test, _ = read_features(features)
    y = read_labels(labels)[0]
else:
    with np.load(archive) as file:
        train, test, y = file["train"], file["test"], file["test_labels"]
read = time.process_time() - start
scaled = standardise(train, test)
ready = time.process_time() - start
own, peak = (now - then for now, then in zip(memory(), before))
print(json.dumps([read, ready, own, peak]))
"""

DEFAULT = (
    "oddbench/AbandonedMineLand",
    "oddbench/SystemHealth",
    "oddbench/DataValidationEntries",
    "oddbench/MaritimeVessel",
)


def measure(kind: str, paths: list[str], repeats: int) -> list[float]:
    """Return the minimum of every quantity over fresh processes."""
    found = []
    for _ in range(repeats + 1):
        done = subprocess.run(
            [sys.executable, "-c", CHILD, kind, *paths],
            check=True,
            capture_output=True,
            text=True,
        )
        found.append(json.loads(done.stdout))
    return [min(values) for values in zip(*found[1:], strict=True)]


def main() -> None:
    """Pull the sets, read each in both ways and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("datasets", nargs="*", default=DEFAULT)
    options = parser.parse_args()

    from odbench.data.catalog import ensure, find, open_source, resolve

    records = [find(name) for name in options.datasets]
    stored = dict(ensure(records, mirror=options.mirror, progress=False))
    print(
        f"{'data set':34}{'values':>10}  {'read npz':>9}{'arrow':>9}{'ratio':>7}"
        f"  {'ready npz':>9}{'arrow':>9}{'ratio':>7}"
        f"  {'own npz':>9}{'arrow':>9}{'ratio':>7}"
        f"  {'all npz':>9}{'arrow':>9}{'ratio':>7}"
    )
    for record in records:
        suite, _ = resolve(record.suite)
        archive = open_source(suite, mirror=options.mirror).file(record)
        here = stored[record]
        paths = [str(here.features_path), str(here.labels_path), str(archive)]
        npz = measure("npz", paths, options.repeats)
        arrow = measure("arrow", paths, options.repeats)
        values = (record.n_train + record.n_test) * record.n_columns
        line = f"{record.id:34}{values:>10}"
        for i, unit in enumerate((1e3, 1e3, 2**-20, 2**-20)):
            a, b = npz[i] * unit, arrow[i] * unit
            ratio = a / b if b else float("inf")
            line += f"  {a:>9.1f}{b:>9.1f}{ratio:>7.1f}"
        print(line)
    print("read and ready in ms of processor time, own and all in MiB")


if __name__ == "__main__":
    main()
