"""Measure each view of CATS alone and left out, and find where CATS loses to kNN.

    python benchmarks/cats_ablation.py --mirror DIR [--limit N] [--suites a,b]

Prints mean AUROC / mean AP in percent over the development suites by the one-class
protocol, with at most `--limit` rows per data set (the protocol's own limit is
100,000); then the difference to kNN (fifth neighbour) by slice, and the processor
seconds of both.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

import numpy as np
from cats_sets import SUITES, Development, development

from odbench.scoring.metrics import auroc, average_precision
from odbench_detectors.cats.detector import CATS
from odbench_detectors.cats.explain import amounts_of
from odbench_detectors.cats.views import VIEWS
from odbench_detectors.knn.detector import KNN

Table = dict[str, list[tuple[float, float]]]


def evaluate(
    data: Development, table: Table, seconds: dict[str, float]
) -> tuple[float, float]:
    """Score one set with CATS, its views and kNN; return CATS minus kNN."""

    def note(name: str, scores: np.ndarray) -> tuple[float, float]:
        pair = (
            100 * auroc(data.labels, scores),
            100 * average_precision(data.labels, scores),
        )
        table[name].append(pair)
        return pair

    start = time.process_time()
    far = KNN().fit(data.train).decision_function(data.test)
    seconds["kNN"] += time.process_time() - start
    start = time.process_time()
    detector = CATS().fit(data.train)
    scores = detector.decision_function(data.test)
    seconds["CATS"] += time.process_time() - start
    parts = [detector.surprises(at) for _, at in detector.placed(data.test)]
    views = {name: np.concatenate([p[name] for p in parts]) for name in VIEWS}
    amounts = amounts_of(views)
    whole = sum(amounts.values())
    ours = note("CATS", scores)
    theirs = note("kNN", far)
    for name, surprise in views.items():
        note(f"{name} alone", surprise)
        note(f"without {name}", whole - amounts[name])
    return ours[0] - theirs[0], ours[1] - theirs[1]


def slices(data: Development) -> list[str]:
    """Return the names of the slices that a set belongs to."""
    n, d = data.train.shape
    duplicates = 1 - len(np.unique(data.train, axis=0)) / n
    return [
        "n < 1,000" if n < 1000 else "n >= 1,000",
        "d <= 5" if d <= 5 else "d 6-20" if d <= 20 else "d > 20",
        "duplicates > 10 %" if duplicates > 0.1 else "duplicates <= 10 %",
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror")
    parser.add_argument("--limit", type=int, default=20_000)
    parser.add_argument("--suites", default=",".join(SUITES))
    options = parser.parse_args()
    for suite in options.suites.split(","):
        table: Table = defaultdict(list)
        by_slice: Table = defaultdict(list)
        seconds: dict[str, float] = defaultdict(float)
        for data in development(suite, options.mirror, options.limit):
            difference = evaluate(data, table, seconds)
            for name in slices(data):
                by_slice[name].append(difference)
        print(f"\n{suite}: {len(table['CATS'])} sets, at most {options.limit} rows")
        for name, pairs in table.items():
            print(f"{name:24s} {np.mean(pairs, axis=0).round(2)}")
        for name, pairs in sorted(by_slice.items()):
            mean, lost = np.mean(pairs, axis=0).round(2), np.mean(np.array(pairs) < 0)
            print(f"CATS - kNN, {name:20s} {len(pairs):3d} {mean} loses {lost:.0%}")
        print("processor seconds:", {k: round(v, 1) for k, v in seconds.items()})


if __name__ == "__main__":
    main()
