"""See what changes if small differences count as ties.

    python benchmarks/ties.py

For each suite in leaderboard/runs: the share of comparisons of two configurations on a
data set that a tie band decides, and the agreement (Kendall's tau) of the order by win
rate with the order under ties of equal values (5 decimals). The last band is that of
`odbench leaderboard compare`: 1.96 standard errors of each data set. A few seconds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from odbench.scoring.cells import split_results
from odbench.scoring.paired import TIE_ERRORS, variance_of
from odbench.scoring.policy import apply_policy

RUNS = Path(__file__).parents[1] / "leaderboard" / "runs"


def main() -> None:
    """Print the table."""
    files = sorted(RUNS.glob("*/results.parquet"))
    results = pd.concat([pd.read_parquet(file) for file in files])
    print("suite     metric  band          tied   order of win rates   first three")
    for cells in split_results(results):
        if cells.protocol != "one-class":
            continue
        anomalies = cells.facts["n_anomalies"].to_numpy(dtype=float)
        inliers = cells.facts["n_test"].to_numpy(dtype=float) - anomalies
        names = [method.label for method in cells.methods]
        for metric, values in apply_policy(cells).values.items():
            apart = values[:, :, None] - values[:, None, :]
            none = np.zeros_like(values)
            rows = variance_of(metric, values, none, anomalies, inliers)
            error = TIE_ERRORS * np.sqrt(rows[:, :, None] + rows[:, None, :])
            plain = None
            for label, band in (("5 decimals", 5e-6), ("0.001", 0.001),
                                ("0.005", 0.005), ("1.96 errors", error)):  # fmt: skip
                tied = np.abs(apart) <= band
                share = np.where(tied, 0.5, apart > 0).mean(axis=(0, 2))
                plain = share if plain is None else plain
                off = ~np.eye(len(names), dtype=bool)
                best = [names[i] for i in np.argsort(-share)[:3]]
                part = 100 * tied[:, off].mean()
                tau = kendalltau(plain, share).statistic
                print(
                    f"{cells.suite:9} {metric:6}  {label:11} {part:6.1f} %  {tau:19.3f}"
                    f"   {', '.join(best)}"
                )


if __name__ == "__main__":
    main()
