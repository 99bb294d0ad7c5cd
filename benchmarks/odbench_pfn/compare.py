"""Compare odbench_pfn with kNN and CATS on real tables, set by set, in one process.

    python benchmarks/odbench_pfn/compare.py --suite ovrbench --part dev

`--part dev` takes the development sets (docs/adr: how odbench_pfn is judged), `held`
the held-out ones, `all` both.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from odbench.data.catalog import load_dataset, select
from odbench.data.protocol import choose_rows, standardise
from odbench.scoring.metrics import auroc, average_precision
from odbench_detectors.cats.detector import CATS
from odbench_detectors.foundation.odbench_pfn.detector import OdbenchPFN
from odbench_detectors.knn.detector import KNN

_EVERY = 3


def names_of(suite: str, part: str, mirror: str | None) -> list[str]:
    """Return the ids of a part of a suite."""
    ids = sorted(record.id for record in select(suite, mirror=mirror))
    development = {"adbench": ids, "ovrbench": ids[::_EVERY]}.get(suite, [])
    if part == "dev":
        return development
    held = [name for name in ids if name not in set(development)]
    return held if part == "held" else ids


def quality(detector: object, train: np.ndarray, test: np.ndarray, y: np.ndarray):  # noqa: ANN201 - a script
    """Return AUROC, AP and processor seconds of one detector, one-class."""
    start = time.process_time()
    scores = detector.fit(train).decision_function(test)
    seconds = time.process_time() - start
    return [auroc(y, scores), average_precision(y, scores), seconds]


def main() -> None:
    """Print a row per set, then the means and the differences to kNN."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", required=True)
    parser.add_argument("--part", choices=["dev", "held", "all"], default="dev")
    parser.add_argument("--mirror")
    parser.add_argument("--weights", default="")
    parser.add_argument("--context", type=int, default=20_000)
    parser.add_argument("--limit", type=int, default=10_000)
    parser.add_argument("--detectors", default="odbench_pfn,knn,cats")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--out", type=Path)
    a = parser.parse_args()
    makers = {
        "odbench_pfn": lambda: OdbenchPFN(context=a.context, weights=a.weights),
        "knn": KNN, "cats": CATS,
    }  # fmt: skip
    makers = {name: makers[name] for name in a.detectors.split(",")}
    names, found = names_of(a.suite, a.part, a.mirror)[:: a.every], []
    for name in names:
        data = load_dataset(name, mirror=a.mirror)
        rows = choose_rows(
            len(data.X_train), data.y_test, len(data.X_test),
            dataset_id=name, limit=a.limit,
        )  # fmt: skip
        train, test = standardise(data.X_train[rows.train], data.X_test[rows.test])
        y = data.y_test[rows.test]
        found.append([quality(make(), train, test, y) for make in makers.values()])
        cells = "  ".join(
            f"{100 * r[0]:5.1f}/{100 * r[1]:5.1f} {r[2]:5.1f}s" for r in found[-1]
        )
        print(f"{name[:44]:44s} {train.shape!s:14s} {cells}", flush=True)
    summarise(np.array(found), list(makers))
    if a.out:
        np.savez(a.out, names=names, found=np.array(found))


def summarise(found: np.ndarray, names: list[str]) -> None:
    """Print means over sets, and the differences to kNN with 95 % intervals."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(found), size=(10_000, len(found)))
    for i, name in enumerate(names):
        text = f"{name:12s} {len(found)} sets"
        for k, metric in enumerate(("AUROC", "AP")):
            gap = 100 * (found[:, i, k] - found[:, 1, k])
            low, high = np.quantile(gap[drawn].mean(axis=1), [0.025, 0.975])
            text += f"  {metric} {100 * found[:, i, k].mean():.1f}"
            text += f" ({gap.mean():+.1f}, {low:+.1f} to {high:+.1f})"
        print(text + f"  median {np.median(found[:, i, 2]):.2f} s")


if __name__ == "__main__":
    main()
