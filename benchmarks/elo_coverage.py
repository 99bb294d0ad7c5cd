"""Measure how often 95 % Elo intervals contain the truth, at known strengths.

    python benchmarks/elo_coverage.py

Each simulation draws a results table in which method i beats method j with exactly
the Bradley-Terry probability of their strengths, builds a leaderboard from it with
`odbench.build_leaderboard`, and checks which intervals contain the true rating and
whether the order is recovered. A second part copies each data set's draw within a
family, and compares resampling data sets with resampling families.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from odbench.leaderboard.tables import Settings, build_leaderboard
from odbench.scoring.elo import SCALE


def simulate(
    rng: np.random.Generator, strength: np.ndarray, families: int, size: int
) -> pd.DataFrame:
    """Draw results: one utility per family and method, repeated within the family.

    The difference of two standard Gumbel variables is logistic, so pairs of
    methods follow Bradley-Terry exactly.
    """
    drawn = strength + rng.gumbel(size=(families, len(strength)))
    utility = np.repeat(drawn, size, axis=0)
    auroc = 1.0 / (1.0 + np.exp(-utility))
    n, m = auroc.shape
    dataset, method = (part.ravel() for part in np.indices((n, m)))
    return pd.DataFrame(
        {
            "suite": "madeup",
            "partition": "public",
            "protocol": "one-class",
            "dataset": [f"set {d:04d}" for d in dataset],
            "content_sha256": "",
            "detector": [f"method {i:02d}" for i in method],
            "config": "default",
            "config_id": [f"{i:012x}" for i in method],
            "seed": 0,
            "status": "ok",
            "n_train": 1000,
            "n_test": 1000,
            "n_columns": 5,
            "n_anomalies": 100,
            "auroc": auroc.ravel(),
            "ap": auroc.ravel(),
            "f1": auroc.ravel(),
            "fit_seconds": 1.0,
            "score_seconds": 1.0,
            "family": [f"family {d // size}" for d in dataset],
        }
    )


def coverage(
    rng: np.random.Generator,
    strength: np.ndarray,
    *,
    simulations: int,
    families: int,
    size: int,
    settings: Settings,
) -> tuple[float, float, float]:
    """Return the coverage and mean width of the intervals, and the rank agreement.

    The agreement is the mean Spearman correlation of true and estimated ratings.
    """
    truth = 1000.0 + SCALE * (strength - strength.mean())
    held, widths, agreement = [], [], []
    for _ in range(simulations):
        results = simulate(rng, strength, families, size)
        table = build_leaderboard(results, settings=settings)
        table = table.sort_values("detector")
        low = table["elo_auroc_low"].to_numpy()
        high = table["elo_auroc_high"].to_numpy()
        held.append((low <= truth) & (truth <= high))
        widths.append((high - low).mean())
        places = table["elo_auroc"].rank().to_numpy()
        agreement.append(np.corrcoef(places, pd.Series(truth).rank())[0, 1])
    return float(np.mean(held)), float(np.mean(widths)), float(np.mean(agreement))


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--methods", type=int, default=13)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261123)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    strength = np.linspace(-1.0, 1.0, asked.methods)
    print("independent  families  per family  resampled  coverage  width  agreement")
    for families, size in ((60, 1), (260, 1), (690, 1), (130, 5)):
        for cluster in ("dataset", "family") if size > 1 else ("dataset",):
            settings = Settings(
                resamples=asked.resamples, permutations=0, cluster=cluster
            )
            held, width, agreement = coverage(
                rng,
                strength,
                simulations=asked.simulations,
                families=families,
                size=size,
                settings=settings,
            )
            kind = "yes" if size == 1 else "no"
            print(
                f"{kind:>11}  {families:8d}  {size:10d}  {cluster:>9}  "
                f"{100 * held:6.1f} %  {width:5.1f}  {agreement:9.3f}"
            )


if __name__ == "__main__":
    main()
