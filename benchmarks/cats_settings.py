"""Compare CATS with other detectors in its three settings, and check ten orders.

    python benchmarks/cats_settings.py --suite ovrbench --mirror DIR [--limit N]
        [--detectors knn,iforest,cats] [--seeds 1] [--jobs N] [--out DIR]
        [--order-sets 3]

Runs the core zoo, or the detectors named, in the settings one-class, transductive and
unsupervised, into DIR, or a temporary folder; with DIR, the same command again skips
finished trials. For every suite and setting it prints one line per configuration:

place, AUROC, AP
    The place of the leaderboard and means in percent over data sets; a failed trial
    counts as it does there. In the transductive setting, the one-class results of
    detectors without scores of their own for it count.
seconds, / knn
    The sum of fit and score seconds over trials that ended well, and its ratio to that
    of ``knn`` in the same setting, or one-class where knn has no trials of its own.
    Detectors of one run share work, and each is charged its own need;
    `benchmarks/cats_time.py` times detectors alone.

Below stands by how much cats is ahead of the best other detector. Then, on the first
data sets of each suite (2,000 rows of each split), rows are put in ten random orders:
the largest difference of a score in each setting, which should be 0.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import odbench
from odbench.data.catalog import load_dataset, select
from odbench.leaderboard.tables import Settings
from odbench.scoring.settings import ONE_CLASS, TRANSDUCTIVE, UNSUPERVISED
from odbench_detectors import CATS

SETTINGS = (ONE_CLASS, TRANSDUCTIVE, UNSUPERVISED)
ORDERS, ROWS = 10, 2_000
_KEY = ["suite", "protocol", "detector", "config"]


def main() -> None:
    """Run, print the tables, check the orders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", default="ovrbench", help="Comma-separated suites.")
    parser.add_argument("--mirror")
    parser.add_argument("--detectors", help="Comma-separated; the core zoo by default.")
    parser.add_argument("--limit", type=int, help="Data sets per suite.")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--order-sets", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        results = trials(asked, asked.out or Path(scratch))
    board = odbench.build_leaderboard(results, settings=Settings(permutations=0))
    seconds = total_seconds(results)
    for suite in asked.suite.split(","):
        for setting in SETTINGS:
            rows = board[(board["suite"] == suite) & (board["protocol"] == setting)]
            show(suite, setting, pd.DataFrame(rows), seconds)
        check_orders(suite, asked.mirror, asked.order_sets)


def trials(asked: argparse.Namespace, out: Path) -> pd.DataFrame:
    """Run all settings, each into a folder of its own; return the results together."""
    runs = [
        odbench.run(
            asked.suite.split(","),
            detectors=asked.detectors,
            protocol=setting,
            limit=asked.limit,
            seeds=asked.seeds,
            jobs=asked.jobs,
            mirror=asked.mirror,
            out=out / setting,
            show_progress=False,
        )
        for setting in SETTINGS
    ]
    return pd.concat([pd.DataFrame(run) for run in runs], ignore_index=True)


def total_seconds(results: pd.DataFrame) -> pd.Series:
    """Sum the seconds of a configuration's trials, a mean over seeds, by `_KEY`."""
    done = results[results["status"] == "ok"]
    seconds = done["fit_seconds"] + done["score_seconds"]
    per_set = seconds.groupby([done[name] for name in [*_KEY, "dataset"]]).mean()
    return per_set.groupby(_KEY).sum()


def show(suite: str, setting: str, board: pd.DataFrame, seconds: pd.Series) -> None:
    """Print the table of one suite and setting."""

    def time_of(detector: str, config: str) -> float:
        own = seconds.get((suite, setting, detector, config))
        return float(own or seconds.get((suite, ONE_CLASS, detector, config), np.nan))

    print(f"\n{suite}, {setting}, {board['n_total'].max()} data sets")
    print(f"{'place':>5} {'detector':32} AUROC    AP  failed  seconds  / knn")
    knn = time_of("knn", "default")
    for row in board.sort_values("place").itertuples():
        name = (
            row.detector if row.config == "default" else f"{row.detector} {row.config}"
        )
        spent = time_of(row.detector, row.config)
        print(
            f"{row.place:5.0f} {name:32} {100 * row.mean_auroc:5.2f} "
            f"{100 * row.mean_ap:5.2f} {row.n_failed:7d} {spent:8.1f} "
            f"{spent / knn:6.2f}"
        )
    ahead(board)


def ahead(board: pd.DataFrame) -> None:
    """Print the distance from cats to the best other configuration."""
    is_cats = board["detector"] == "cats"
    if not is_cats.any() or is_cats.all():
        return
    for metric in ("auroc", "ap"):
        means = 100 * board[f"mean_{metric}"]
        best = means[~is_cats].idxmax()
        print(
            f"cats by mean {metric}: {means[is_cats].iloc[0] - means[best]:+.2f} "
            f"against {board['detector'][best]} ({board['config'][best]})"
        )


def check_orders(suite: str, mirror: str | None, count: int) -> None:
    """Print the largest difference of a score over ten orders of rows."""
    largest = dict.fromkeys(SETTINGS, 0.0)
    records = list(select(suite, mirror=mirror))[:count]
    for record in records:
        data = load_dataset(record.id, mirror=mirror)
        train, test = data.X_train[:ROWS], data.X_test[:ROWS]
        for setting, found in differences(train, test).items():
            largest[setting] = max(largest[setting], found)
    told = ", ".join(f"{setting} {found:g}" for setting, found in largest.items())
    print(f"{ORDERS} orders of {len(records)} sets, largest difference: {told}")


def differences(train: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """Return the largest difference of a score in each setting over random orders."""
    rng = np.random.default_rng(0)
    table = np.vstack([train, test])
    scored: dict[str, tuple[Callable[..., np.ndarray], int, int]] = {
        ONE_CLASS: (_alone, len(train), len(test)),
        TRANSDUCTIVE: (_batch, len(train), len(test)),
        UNSUPERVISED: (_own, 0, len(table)),
    }
    largest = {}
    for setting, (score, n, m) in scored.items():
        learned, rows = (train, table) if setting == UNSUPERVISED else (train, test)
        first = score(learned, rows)
        found = 0.0
        for _ in range(ORDERS):
            there, here = rng.permutation(n), rng.permutation(m)
            again = score(learned[there], rows[here])
            found = max(found, float(np.abs(again - first[here]).max()))
        largest[setting] = found
    return largest


def _alone(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    return CATS().fit(train).decision_function(test)


def _batch(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    return CATS().fit(train).score_batch(test)


def _own(_: np.ndarray, table: np.ndarray) -> np.ndarray:
    return CATS().fit_score(table)


if __name__ == "__main__":
    main()
