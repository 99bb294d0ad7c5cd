"""Time ECOD on every set of a mirror against PyOD, or compare its variants.

    python benchmarks/ecod_suite.py --mirror DIR [--suite S[,S]] [--variants]

odbench reads its Arrow store (filled beforehand: pulling is not timed) and scores the
columns in place; PyOD reads the mirror's npz files, so it is timed only on
one-class files. Both use the same rows (at most 100,000), fit, score the test
rows and compute AUROC; wall seconds, one thread. Neither standardises: ECOD depends on
the order of values and the sign of the skewness, which scaling keeps.

With --variants, prints instead mean AUROC and AP of every variant and Wilcoxon's
signed-rank test of "columns" against "sums", the evidence for the default.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402 - the number of threads is read on import

VARIANTS = {
    "sums": {},
    "columns": {"aggregate": "columns"},
    "columns, batch": {"aggregate": "columns", "reference": "batch"},
}


def stored(suite: str, mirror: Path) -> Iterator[Any]:
    """Yield the data sets of a suite that are in the mirror, from the store."""
    from odbench.data.catalog import select
    from odbench.data.pull import ensure

    records = select(suite, mirror=mirror)
    for _, outcome in sorted(
        ensure(records, mirror=mirror, progress=False), key=lambda pair: pair[0].id
    ):
        if isinstance(outcome, Exception):
            print(f"left out: {outcome}")
        else:
            yield outcome


def rows_of(item: Any, labels: np.ndarray) -> tuple[Any, Any]:
    """Choose rows as a sweep does; all rows are a slice, to avoid a copy."""
    from odbench.data.protocol import choose_rows

    n_train, n_test = item.record.n_train, len(labels)
    if n_train + n_test <= 100_000:
        return slice(None), slice(None)
    rows = choose_rows(n_train, labels, n_test, dataset_id=item.record.id, seed=0)
    return rows.train, rows.test


def ours(item: Any, **params: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and scores of a stored set."""
    from odbench_detectors.ecod.detector import ECOD

    train, test, _ = item.features()
    labels = item.labels()
    chosen = rows_of(item, labels)
    detector = ECOD(device="cpu", **params).fit(train[chosen[0]])
    return labels[chosen[1]], detector.decision_function(test[chosen[1]])


def theirs(item: Any, mirror: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and PyOD's scores of the same set, read from its npz file."""
    from pyod.models import ecod as peer

    folder = {"oddbench": "OddBench", "ovrbench": "OvRBench"}[item.record.suite]
    file = mirror / "MacrOData-CMU" / folder / item.record.path
    with np.load(file, allow_pickle=False) as archive:
        train, test = archive["train"], archive["test"]
        labels = archive["test_labels"]
    chosen = rows_of(item, labels)
    detector = peer.ECOD().fit(train[chosen[0]].astype(np.float64))
    scores = detector.decision_function(test[chosen[1]].astype(np.float64))
    return labels[chosen[1]], scores


def race(items: list[Any], mirror: Path) -> None:
    """Print seconds over all sets, and how far AUROC differs from PyOD's."""
    from odbench.scoring.metrics import auroc

    same = {"aggregate": "columns", "reference": "batch"}
    for item in items[:3]:
        ours(item), ours(item, **same), theirs(item, mirror)
    seconds = dict.fromkeys(("ECOD", "ECOD as PyOD's", "PyOD"), 0.0)
    apart = 0.0
    for item in items:
        area = {}
        for name in seconds:
            started = time.perf_counter()
            if name == "PyOD":
                labels, scores = theirs(item, mirror)
            else:
                labels, scores = ours(item, **({} if name == "ECOD" else same))
            area[name] = auroc(labels, scores)
            seconds[name] += time.perf_counter() - started
        apart = max(apart, abs(area["ECOD as PyOD's"] - area["PyOD"]))
    for name, spent in seconds.items():
        print(f"  {name:<15} {spent:8.2f} s  {seconds['PyOD'] / spent:5.1f}x")
    print(f"  largest difference in AUROC from PyOD: {apart:.1e}")


def compare(items: list[Any]) -> None:
    """Print mean AUROC and AP of the variants, and test two of them."""
    from scipy.stats import wilcoxon

    from odbench.scoring.metrics import auroc, average_precision

    results = {}
    for name, params in VARIANTS.items():
        pairs = [ours(item, **params) for item in items]
        results[name] = 100 * np.array(
            [(auroc(y, s), average_precision(y, s)) for y, s in pairs]
        )
        means = results[name].mean(axis=0)
        print(f"  {name:<15} AUROC {means[0]:6.2f}  AP {means[1]:6.2f}")
    gain = results["columns"] - results["sums"]
    for k, metric in enumerate(("AUROC", "AP")):
        error = gain[:, k].std(ddof=1) / np.sqrt(len(gain))
        print(
            f"  columns - sums, {metric:<5}: {gain[:, k].mean():+.2f} (standard error "
            f"{error:.2f}), better on {(gain[:, k] > 0).sum()}, worse on "
            f"{(gain[:, k] < 0).sum()}, p = {wilcoxon(gain[:, k]).pvalue:.3f}"
        )


def main() -> None:
    """Run the comparison on the requested suites."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--suite", default="oddbench,ovrbench")
    parser.add_argument("--variants", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    every = []
    for suite in options.suite.split(","):
        items = list(stored(suite, options.mirror))
        print(f"{suite}: {len(items)} data sets", flush=True)
        every += items
        compare(items) if options.variants else race(items, options.mirror)
    if options.variants and "," in options.suite:
        print(f"all: {len(every)} data sets")
        compare(every)


if __name__ == "__main__":
    main()
