"""Compare orders of a leaderboard by how stable they are.

    python benchmarks/headline_order.py

Reads the results in leaderboard/runs. For each suite and each candidate order it counts
how often the order of two configurations changes although nothing about them changed:
when a third configuration is dropped, and when one is entered twice (a copy with noise
of 0.0001). A third number is the agreement (Kendall's tau) of the orders on two random
halves of the families. Takes about a minute.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from odbench.leaderboard.tables import families_of
from odbench.scoring import aggregate, elo
from odbench.scoring.cells import split_results
from odbench.scoring.policy import apply_policy

RUNS = Path(__file__).parents[1] / "leaderboard" / "runs"
NOISE = 1e-4
HALVES = 100


def orders(auroc: np.ndarray, ap: np.ndarray) -> dict[str, np.ndarray]:
    """Return each candidate's number per configuration; lower is better."""
    rank, rank_ap = aggregate.ranks(auroc), aggregate.ranks(ap)
    rating, rating_ap = elo.rate(rank).elo, elo.rate(rank_ap).elo
    higher = [
        auroc.mean(axis=0), ap.mean(axis=0), rating, rating_ap,
        aggregate.top_share(rank), aggregate.top_share(rank_ap),
    ]  # fmt: skip
    lower = [rank.mean(axis=0), rank_ap.mean(axis=0)]
    return {
        "mean AUROC": -auroc.mean(axis=0),
        "mean rank": rank.mean(axis=0),
        "Elo": -rating,
        "total rank": aggregate.total_rank(higher, lower),
    }


def flips(before: np.ndarray, after: np.ndarray) -> int:
    """Count the pairs whose order is reversed."""
    first, second = np.triu_indices(len(before), 1)
    was, now = (
        np.sign(np.round(x[first] - x[second], 9)) for x in (before, after)
    )  # fmt: skip
    return int((was * now < 0).sum())


def changed(
    auroc: np.ndarray, ap: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return, for each order, [cases, pairs] flipped by dropping and by cloning."""
    whole = orders(auroc, ap)
    methods = auroc.shape[1]
    found = {name: np.zeros(4, dtype=int) for name in whole}
    for i in range(methods):
        kept = np.delete(np.arange(methods), i)
        noise = rng.normal(0.0, NOISE, (2, len(auroc)))
        fewer = orders(auroc[:, kept], ap[:, kept])
        more = orders(
            np.column_stack([auroc, auroc[:, i] + noise[0]]),
            np.column_stack([ap, ap[:, i] + noise[1]]),
        )
        for name, numbers in whole.items():
            dropped = flips(numbers[kept], fewer[name])
            cloned = flips(numbers, more[name][:methods])
            found[name] += [dropped > 0, dropped, cloned > 0, cloned]
    return found


def halves(
    auroc: np.ndarray, ap: np.ndarray, family: np.ndarray, rng: np.random.Generator
) -> dict[str, float]:
    """Return the mean agreement of the orders on two halves of the families."""
    taus: dict[str, list[float]] = {}
    for _ in range(HALVES):
        side = rng.permutation(family.max() + 1) % 2
        in_first = side[family] == 0
        one = orders(auroc[in_first], ap[in_first])
        other = orders(auroc[~in_first], ap[~in_first])
        for name, numbers in one.items():
            tau = kendalltau(numbers, other[name]).statistic
            taus.setdefault(name, []).append(float(tau))
    return {name: float(np.mean(values)) for name, values in taus.items()}


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(20261128)
    files = sorted(RUNS.glob("*/results.parquet"))
    results = pd.concat([pd.read_parquet(file) for file in files])
    print("suite     order       dropping: cases, pairs  cloning: cases, pairs  halves")
    for cells in split_results(results):
        if cells.protocol != "one-class":
            continue
        quality = apply_policy(cells)
        auroc, ap = quality.values["auroc"], quality.values["ap"]
        found = changed(auroc, ap, rng)
        agreement = halves(auroc, ap, families_of(cells).family, rng)
        for name, counts in found.items():
            of = f"of {len(cells.methods)}"
            print(
                f"{cells.suite:9} {name:11} {counts[0]:9} {of}, {counts[1]:5}  "
                f"{counts[2]:13} {of}, {counts[3]:4}   {agreement[name]:.3f}"
            )


if __name__ == "__main__":
    main()
