"""Judge `auto` by its regret against fixed detectors and the best of all.

    python benchmarks/auto_regret.py --mirror DIR --rows 3000 --results auto.csv

Each detector scores each data set in two settings: one-class (fit on train, score test)
and unsupervised (`fit_score` on all rows). Regret is the best fixed detector's adjusted
AP on that set less the detector's; 0 would be an oracle. Printed: the mean over
families of data sets with a 95 % interval, per suite, and the paired difference to
`auto`. Results are kept in a CSV file, and a second call continues it. Rows between
--above and --rows; --only reads the file and computes nothing.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from odbench.data.catalog import load_dataset, select
from odbench.data.dataset import Dataset, DatasetRecord
from odbench.data.protocol import standardise
from odbench.plugins.find import find_detector
from odbench.scoring.metrics import adjusted_average_precision, average_precision
from odbench.tables.recommend_similar import interval

CORE = (
    "cats,copod,dte_np,ecod,egmm,gmm,hbos,iforest,kde,knn,lof,mcd,ocsvm,pca"
)  # fmt: skip
FIELDS = ("setting", "suite", "dataset", "family", "rows", "detector", "ap_adjusted")
SETTINGS = ("one-class", "unsupervised")


def main() -> None:
    """Compute what is missing, and print both settings."""
    asked = arguments()
    records = chosen(asked)
    known = dict(read(asked.results))
    if not asked.only:
        for place, record in enumerate(records, 1):
            compute(record, asked, known)
            print(f"\r{place} of {len(records)} sets", end="", flush=True)
        print()
    for setting in asked.settings.split(","):
        told(setting, records, asked, known)


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirror", help="folder laid out like the hub")
    parser.add_argument("--suites", default="adbench,ovrbench,oddbench,synbench-2")
    parser.add_argument("--rows", type=int, default=3_000, help="most rows of a set")
    parser.add_argument("--above", type=int, default=0, help="rows that are too few")
    parser.add_argument("--columns", type=int, default=200, help="most columns")
    parser.add_argument("--limit", type=int, default=100_000, help="sets per suite")
    parser.add_argument("--detectors", default=CORE, help="fixed detectors")
    parser.add_argument("--settings", default=",".join(SETTINGS))
    parser.add_argument("--results", type=Path, default=Path("auto.csv"))
    parser.add_argument("--only", action="store_true", help="print known results")
    return parser.parse_args()


def chosen(asked: argparse.Namespace) -> list[DatasetRecord]:
    """Return the data sets, in an order that looks random and is always the same."""
    if asked.mirror:
        os.environ["ODBENCH_MIRROR"] = asked.mirror
    found: list[DatasetRecord] = []
    for suite in asked.suites.split(","):
        rows = [r for r in select(suite) if fits(r, asked)]
        rows.sort(key=lambda r: hashlib.sha256(r.id.encode()).hexdigest())
        found += rows[: asked.limit]
    return sorted(found, key=lambda r: hashlib.sha256(r.name.encode()).hexdigest())


def fits(record: DatasetRecord, asked: argparse.Namespace) -> bool:
    """Check a data set's size, which the manifest knows."""
    n = record.n_train + record.n_test
    size = asked.above < n <= asked.rows and record.n_columns <= asked.columns
    return size and record.n_anomalies is not None


def read(path: Path) -> Iterator[tuple[tuple[str, str, str], float]]:
    """Yield the kept results by setting, data set and detector."""
    if path.exists():
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                key = (row["setting"], f"{row['suite']}/{row['dataset']}")
                yield (*key, row["detector"]), float(row["ap_adjusted"])


def compute(
    record: DatasetRecord, asked: argparse.Namespace, known: dict[tuple, float]
) -> None:
    """Compute the results of a data set that are not known, and keep them."""
    detectors = ["auto", *asked.detectors.split(",")]
    wanted = [
        (setting, record.id, name)
        for setting in asked.settings.split(",")
        for name in detectors
        if (setting, record.id, name) not in known
    ]
    if not wanted:
        return
    dataset = load_dataset(record.id)
    new = not asked.results.exists()
    with asked.results.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(FIELDS)
        for key in wanted:
            known[key] = ap_of(key[0], key[2], dataset)
            about = (record.suite, record.name, record.family or record.id)
            size = record.n_train + record.n_test
            writer.writerow((key[0], *about, size, key[2], round(known[key], 6)))


def ap_of(setting: str, name: str, dataset: Dataset) -> float:
    """Return a detector's adjusted AP; a failure counts as 0, as on the leaderboard."""
    assert dataset.y_test is not None
    labels, train, test = dataset.y_test, dataset.X_train, dataset.X_test
    detector = find_detector(name).build(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if setting == "one-class":
                train, test = standardise(train, test)
                detector.fit(train)
                scores = detector.decision_function(test)
            else:
                rows = np.concatenate([train, test])
                labels = np.concatenate([np.zeros(len(train), labels.dtype), labels])
                scores = detector.fit_score(standardise(rows, rows[:1])[0])
        except Exception as error:
            print(f"\n{dataset.record.id} {name}: {type(error).__name__}: {error}")
            return 0.0
    if not np.isfinite(scores).all():
        return 0.0
    ap = average_precision(labels, scores)
    return float(adjusted_average_precision(ap, float(labels.mean())))


def told(
    setting: str,
    records: list[DatasetRecord],
    asked: argparse.Namespace,
    known: dict[tuple, float],
) -> None:
    """Print the regret of each detector, lowest first."""
    names = ["auto", *asked.detectors.split(",")]
    done = [r for r in records if all((setting, r.id, n) in known for n in names)]
    if not done:
        print(f"\n{setting}: no results yet")
        return
    ap = np.array([[known[setting, r.id, n] for n in names] for r in done])
    regret = ap[:, 1:].max(axis=1, keepdims=True) - ap
    families = [r.family or r.id for r in done]
    suites = np.array([r.suite for r in done])
    print(f"\n{setting}: {len(done)} sets of {len(set(families))} families")
    head = f"{'detector':10}{'adj. AP':>8}  {'regret (95 %)':22}{'less auto (95 %)':24}"
    print(head + "  ".join(sorted(set(suites))))
    for j in np.argsort(ranged(regret, families)[0], kind="stable"):
        mean = ranged(ap[:, [j]], families)[0][0]
        cells = [spelt(regret[:, [j]], families)]
        cells.append(spelt(regret[:, [j]] - regret[:, :1], families, sign="+"))
        each = [
            f"{regret[suites == s, j].mean():.3f}".ljust(len(s))
            for s in sorted(set(suites))
        ]
        print(f"{names[j]:10}{mean:8.3f}  {cells[0]:22}{cells[1]:24}" + "  ".join(each))


def ranged(values: np.ndarray, families: list[str]) -> tuple[np.ndarray, ...]:
    """Return the mean over families of the families' means, with its interval."""
    places = np.unique(families, return_inverse=True)[1]
    counts = np.bincount(places)
    means = [np.bincount(places, column) / counts for column in values.T]
    return interval(np.stack(means, axis=1))


def spelt(values: np.ndarray, families: list[str], sign: str = "") -> str:
    """Return a mean over families with its interval as text."""
    mean, low, high = (part[0] for part in ranged(values, families))
    return f"{mean:{sign}.3f} ({low:{sign}.3f} {high:{sign}.3f})"


if __name__ == "__main__":
    main()
