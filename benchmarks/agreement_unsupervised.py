r"""Compare unsupervised results with a table of reference results, per data set.

    odbench run --suite SUITES --mirror DIR --protocol unsupervised --detectors LIST \
        --seeds 1 --out RUN
    python benchmarks/agreement_unsupervised.py RUN REFERENCE.csv knn=KNN lof=LOF

REFERENCE.csv has the columns dataset, detector, auroc, ap (in percent with --percent),
and may have suite. Prints for each pair the number of data sets, both means, the
largest difference, and the share of data sets that agree to 0.1 points.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd


def main() -> None:
    """Print one line per pair of names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("pairs", nargs="+", help="OURS=THEIRS, such as knn=KNN")
    parser.add_argument("--percent", action="store_true")
    parser.add_argument("--fewest-rows", type=int, default=0)
    options = parser.parse_args()
    results = pd.read_parquet(options.run / "results.parquet")
    results = results[results["protocol"] == "unsupervised"]
    results = results[results["n_test"] >= options.fewest_rows]
    name = results["detector"] + results["config"].map(
        lambda config: "" if config == "default" else f":{config}"
    )
    theirs = pd.read_csv(options.reference)
    if options.percent:
        theirs[["auroc", "ap"]] /= 100
    heading = "AUROC ours / theirs    AP ours / theirs  largest  agree"
    print(f"{'detector':22} {'reference':10}  sets  {heading}")
    for pair in options.pairs:
        # A configuration has equals signs of its own, as in ecod:aggregate=columns.
        ours, _, reference = pair.rpartition("=")
        _compare(results[name == ours], theirs, ours, reference)


def _compare(
    results: pd.DataFrame, theirs: pd.DataFrame, ours: str, reference: str
) -> None:
    keys = [key for key in ("suite", "dataset") if key in theirs.columns]
    means = results.groupby(keys)[["auroc", "ap"]].mean()
    known = theirs[theirs["detector"] == reference].dropna(subset=["auroc"])
    known = known.set_index(keys)[["auroc", "ap"]].add_suffix("_theirs")
    both = means.join(known, how="inner")
    difference = (both["auroc"] - both["auroc_theirs"]).abs()
    mean = both[["auroc", "auroc_theirs", "ap", "ap_theirs"]].mean() * 100
    print(
        f"{ours:22} {reference:10} {len(both):5}"
        f"  {mean['auroc']:9.2f} / {mean['auroc_theirs']:5.2f}"
        f"  {mean['ap']:9.2f} / {mean['ap_theirs']:5.2f}"
        f"  {difference.max() * 100:7.2f}  {(difference < 0.001).mean():5.0%}"
    )


if __name__ == "__main__":
    main()
