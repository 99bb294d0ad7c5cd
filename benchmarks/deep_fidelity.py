"""Neural detectors against published means per data set, on ADBench's tables.

    python benchmarks/deep_fidelity.py MIRROR PUBLISHED.csv --detectors dte_c,deep_svdd

MIRROR is a folder with ADBench's files. PUBLISHED has the columns setting, metric,
dataset, method, mean (in percent), as in the results of Livernoche et al., ICLR 2024
(arXiv 2305.18593). Tables of fewer than 1,000 rows are left out, because the published
runs draw 1,000 rows with replacement from them before they split, so that test rows
are also training rows.

The split is the published one: train is the first half of the inliers in the order of
the file (`--split random` draws it, as odbench does). Larger tables are reduced to
50,000 rows, as published. Results are appended to `--out` one by one, and a run that
finds them there goes on where it was stopped; `--only-print` prints the table of what
is there. Printed per detector: tables, our mean AUROC and AP, the published ones of the
same tables, the differences, and the rank correlation of the AUROC over tables.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score

from odbench.plugins.find import find_detector

# Our detector -> the published method.
PUBLISHED_AS = {
    "autoencoder": "VAE",
    "deep_svdd": "DeepSVDD",
    "drocc": "DROCC",
    "dte_c": "DTE-C",
    "goad": "GOAD",
    "icl": "ICL",
    "slad": "SLAD",
    "dte_np": "DTE-NP",
    "knn": "kNN",
}
MAX_ROWS = 50_000
FIELDS = ("detector", "dataset", "seed", "split", "auroc", "ap", "seconds")


def tables(mirror: Path, args: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Yield the chosen tables, the cheapest first."""
    found = []
    for path in mirror.rglob("Classical/*.npz"):
        with np.load(path) as file:
            rows, columns = file["X"].shape
        name = path.stem.partition("_")[2].lower()
        fits = args.min_rows <= rows <= args.max_rows and columns <= args.max_columns
        if fits and (args.datasets is None or name in args.datasets.split(",")):
            found.append((min(rows, MAX_ROWS) * (columns + 64), name, path))
    for _, name, path in sorted(found):
        yield name, path


def split(
    path: Path, seed: int, kind: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return standardised train and test rows and the labels of the latter."""
    with np.load(path) as file:
        X, y = file["X"].astype(np.float64), file["y"].ravel()
    rng = np.random.default_rng(seed)
    if len(X) > MAX_ROWS:
        rows = rng.choice(len(X), MAX_ROWS, replace=False)
        X, y = X[rows], y[rows]
    inliers = np.flatnonzero(y == 0)
    if kind == "random":
        inliers = rng.permutation(inliers)
    half = round(len(inliers) / 2)
    train, test = inliers[:half], np.concatenate([inliers[half:], np.flatnonzero(y)])
    centre, spread = X[train].mean(axis=0), X[train].std(axis=0)
    spread[spread == 0] = 1.0
    return (X[train] - centre) / spread, (X[test] - centre) / spread, y[test]


def measure(args: argparse.Namespace) -> None:
    """Run what is missing in `--out`, and append it."""
    done = set()
    if args.out.exists():
        done = {tuple(row.split(",")[:4]) for row in args.out.read_text().splitlines()}
    else:
        args.out.write_text(",".join(FIELDS) + "\n")
    for name, path in tables(args.mirror, args):
        for seed in range(args.seeds):
            for spec in args.detectors.split(","):
                label = spec.replace(",", ";")
                if (label, name, str(seed), args.split) in done:
                    continue
                train, test, y = split(path, seed, args.split)
                started = time.process_time()
                detector = find_detector(spec.replace(";", ",")).build(seed)
                scores = detector.fit(train).decision_function(test)
                row = [
                    label, name, seed, args.split,
                    100 * roc_auc_score(y, scores),
                    100 * average_precision_score(y, scores),
                    time.process_time() - started,
                ]  # fmt: skip
                with args.out.open("a", newline="") as sink:
                    csv.writer(sink, lineterminator="\n").writerow(
                        [f"{v:.2f}" if isinstance(v, float) else v for v in row]
                    )
                print(*row[:4], *(f"{v:.1f}" for v in row[4:]), flush=True)


def report(args: argparse.Namespace) -> None:
    """Print one line per detector."""
    published = pd.read_csv(args.published)
    published = published[published["setting"] == "one-class"]
    published = published.pivot_table("mean", ["dataset", "method"], "metric")
    ours = pd.read_csv(args.out)
    ours = ours[ours["split"] == args.split]
    if args.per_table:
        print(ours.pivot_table("auroc", "dataset", "detector").round(1).to_string())
    print(
        f"{'detector':20}tables seeds", 2 * "   mean   pub. diff.", " rank (AUROC, AP)"
    )
    for spec, rows in ours.groupby("detector"):
        method = PUBLISHED_AS.get(spec.partition(":")[0], "-")
        means = rows.groupby("dataset")[["auroc", "ap"]].mean()
        seeds = rows["seed"].nunique()
        line = f"{spec:20}{len(means):6}{seeds:6}"
        if method not in published.index.get_level_values("method"):
            print(f"{line}{means['auroc'].mean():8.1f}{means['ap'].mean():21.1f}")
            continue
        theirs = published.xs(method, level="method").reindex(means.index)
        for metric in ("auroc", "ap"):
            mine, other = means[metric].mean(), theirs[metric].mean()
            line += f"{mine:8.1f}{other:7.1f}{mine - other:+6.1f}"
        rank = spearmanr(means["auroc"], theirs["auroc"]).statistic
        print(f"{line}{rank:6.2f}  against {method}")


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mirror", type=Path)
    parser.add_argument("published", type=Path)
    parser.add_argument("--detectors", default="deep_svdd,dte_c")
    parser.add_argument("--datasets", help="comma-separated names in lower case")
    parser.add_argument("--min-rows", type=int, default=1_000)
    parser.add_argument("--max-rows", type=int, default=10_000)
    parser.add_argument("--max-columns", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--split", choices=("published", "random"), default="published")
    parser.add_argument("--out", type=Path, default=Path("deep_fidelity.csv"))
    parser.add_argument("--per-table", action="store_true")
    parser.add_argument("--only-print", action="store_true")
    args = parser.parse_args()
    if not args.only_print:
        measure(args)
    report(args)


if __name__ == "__main__":
    main()
