"""Test whether a reference's single draw could have come from odbench's detector.

    odbench run --suite SUITES --mirror DIR --detectors pyod.LODA --seeds 20 --out RUN
    python benchmarks/agreement_of_draws.py RUN REFERENCE.csv pyod.LODA LODA

REFERENCE.csv has the columns dataset, detector, auroc. If the reference is a draw like
those of the run, its rank among them is uniform over the data sets. Prints a
Kolmogorov-Smirnov test of that, both means, and the standard error of their difference,
the amount by which two draws of the same detector would differ.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import kstest


def main() -> None:
    """Print the means and the test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("detector", help="the detector's name in the run")
    parser.add_argument("name", help="the detector's name in the reference")
    options = parser.parse_args()
    results = pd.read_parquet(options.run / "results.parquet")
    ours = results[(results["detector"] == options.detector) & results["auroc"].notna()]
    theirs = pd.read_csv(options.reference).query("detector == @options.name")
    both = ours.merge(theirs, on="dataset", suffixes=("", "_theirs"))
    both["below"] = both["auroc"] < both["auroc_theirs"]
    sets = both.groupby("dataset").agg(
        mean=("auroc", "mean"),
        spread=("auroc", "std"),
        draws=("auroc", "size"),
        below=("below", "sum"),
        reference=("auroc_theirs", "first"),
    )
    # A rank takes one of draws + 1 values; a random step makes it continuous.
    steps = np.random.default_rng(0).random(len(sets))
    ranks = (sets["below"] + steps) / (sets["draws"] + 1)
    p = kstest(ranks, "uniform").pvalue
    error = np.sqrt((sets["spread"] ** 2 * (1 + 1 / sets["draws"])).sum()) / len(sets)
    gap = sets["mean"].mean() - sets["reference"].mean()
    print(f"{len(sets)} data sets, at least {sets['draws'].min()} draws each")
    print(f"mean AUROC {100 * sets['mean'].mean():.2f} here, ", end="")
    print(f"{100 * sets['reference'].mean():.2f} in the reference: ", end="")
    print(f"{100 * gap:+.2f}, standard error {100 * error:.2f}")
    print(f"rank of the reference among the draws is uniform: p = {p:.2f}")


if __name__ == "__main__":
    main()
