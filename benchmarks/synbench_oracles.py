"""Hold the oracles of a version 2 suite against detectors of the zoo.

``python benchmarks/synbench_oracles.py --suite synbench-2 --jobs 2`` draws every set,
fits each detector on train and scores test, as a run would, and compares its AUROC
with the oracle's by a paired test (DeLong). It prints mean AUROCs by stratum, and how
often and by how much an oracle was beaten. ``--out FILE`` keeps a CSV row per set and
detector.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from odbench.data.protocol import standardise
from odbench.data.synbench_check import auroc_gap
from odbench.data.transports.generated import generator
from odbench.plugins.find import find_detectors
from odbench.synbench.v2.difficulty import separation

DETECTORS = "ecod,knn,iforest,gmm,egmm,mcd,cats"


def measure(name: str, suite: str, detectors: str, rows: int) -> list[dict[str, Any]]:
    """Compare each detector with the oracle of one set."""
    import threadpoolctl

    made = generator(suite).make(name)
    # Test rows are shuffled, so that the first ones are as good as any.
    labels, oracle = made.y_test[:rows], made.oracle_scores[:rows]
    train, test = standardise(made.X_train[:rows], made.X_test[:rows])
    found = []
    for one in find_detectors(detectors):
        started = time.process_time()
        with threadpoolctl.threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores = np.asarray(one.build().fit(train).decision_function(test))
        gap, error = auroc_gap(labels, oracle, scores)
        found.append(
            {
                "dataset": name,
                "stratum": made.metadata["parameters"]["difficulty"][0],
                "oracle": separation(oracle[labels == 0], oracle[labels == 1]),
                "detector": one.info.name,
                "auroc": separation(scores[labels == 0], scores[labels == 1]),
                "errors_ahead": -gap / error,
                "seconds": time.process_time() - started,
            }
        )
    return found


def main() -> None:
    """Compare on all sets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default="synbench-2")
    parser.add_argument("--detectors", default=DETECTORS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rows", type=int, default=20_000, help="Per table, at most.")
    parser.add_argument("--step", type=int, default=1, help="Every STEP-th set.")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    names = generator(given.suite).names()[:: given.step]
    work = functools.partial(
        measure, suite=given.suite, detectors=given.detectors, rows=given.rows
    )
    rows: list[dict[str, Any]] = []
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        for done, part in enumerate(pool.imap_unordered(work, names), start=1):
            rows += part
            if done % 50 == 0:
                print(f"{done} of {len(names)} sets", file=sys.stderr)
    table = pd.DataFrame(rows)
    if given.out:
        table.sort_values(["dataset", "detector"]).to_csv(given.out, index=False)
    print(
        table.pivot_table(index="stratum", columns="detector", values="auroc").round(3)
    )
    print(table.groupby("stratum")["oracle"].mean().round(3))
    for limit in (2, 3, 4):
        ahead = table[table["errors_ahead"] > limit]
        print(f"oracles beaten by more than {limit} standard errors: {len(ahead)}")
        print(ahead.to_string() if limit > 2 and len(ahead) else "")
    print(table.groupby("detector")["seconds"].sum().round(0))


if __name__ == "__main__":
    main()
