"""Measure error rates, coverage and power of the leaderboard's inference.

    python benchmarks/inference.py null       # false positives if all are equal
    python benchmarks/inference.py ranks      # false positives of rank tests
    python benchmarks/inference.py means      # coverage of means, ranks, Elo, gaps
    python benchmarks/inference.py trials     # coverage of intervals of one trial
    python benchmarks/inference.py power      # smallest difference that N sets show

Without a name, all run. `null` and `means` resample families of the results in
leaderboard/runs, so that values are as skewed and as dependent as real ones. Each part
prints a table and the seconds it took.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from odbench.scoring import aggregate, elo, places, significance
from odbench.scoring.cells import split_results
from odbench.scoring.clusters import Clusters, clusters_of
from odbench.scoring.intervals import auroc_interval, average_precision_interval
from odbench.scoring.means import difference_interval, mean_interval
from odbench.scoring.policy import apply_policy

RUNS = Path(__file__).parents[1] / "leaderboard" / "runs"
SEED = 20261128


def real_values(suite: str) -> dict[str, np.ndarray]:
    """Return AUROC and AP per data set and configuration, the oracle left out."""
    files = sorted(RUNS.glob("*/results.parquet"))
    results = pd.concat([pd.read_parquet(file) for file in files])
    results = results[(results["suite"] == suite) & (results["detector"] != "oracle")]
    cells = next(c for c in split_results(results) if c.protocol == "one-class")
    return dict(apply_policy(cells).values)


def in_families(
    n: int, rng: np.random.Generator, population: int
) -> tuple[np.ndarray, Clusters]:
    """Draw n data sets: half of them alone, half in families of two to four.

    The data sets of a family are one data set, twice to four times: the strongest
    dependence there is.
    """
    chosen: list[int] = []
    names: list[str] = []
    while len(chosen) < n:
        alone = len(chosen) < n / 2
        size = 1 if alone else min(int(rng.integers(2, 5)), n - len(chosen))
        chosen += [int(rng.integers(population))] * size
        names += [f"family {len(chosen)}"] * size
    return np.array(chosen), clusters_of(n, names)


def null(simulations: int) -> None:
    """Print how often equal methods are called different."""
    rng = np.random.default_rng(SEED)
    values = real_values("oddbench")["auroc"]
    print(
        "   N   M  families: P(some p_best <= .05)  alone: the same  test against best"
    )
    for n in (25, 60, 260):
        for m in (2, 14, 19):
            wrong = np.zeros(3)
            for _ in range(simulations):
                rows, clusters = in_families(n, rng, len(values))
                table = _equal(values[rows], clusters, m, rng)
                wrong[0] += _some_are_excluded(table, clusters, rng)
                rows, clusters = rng.integers(len(values), size=n), clusters_of(n)
                table = _equal(values[rows], clusters, m, rng)
                wrong[1] += _some_are_excluded(table, clusters, rng)
                wrong[2] += _naive(table)
            shares = 100 * wrong / simulations
            print(f"{n:4} {m:3} {shares[0]:32.1f} {shares[1]:16.1f} {shares[2]:18.1f}")


def _equal(
    values: np.ndarray, clusters: Clusters, m: int, rng: np.random.Generator
) -> np.ndarray:
    """Deal the values of each data set to m methods at random, alike in families."""
    keys = rng.random((len(clusters.sizes), values.shape[1]))
    order = np.argsort(keys, axis=1)[:, :m]
    return np.take_along_axis(values, order[clusters.family], axis=1)


def _some_are_excluded(
    table: np.ndarray, clusters: Clusters, rng: np.random.Generator
) -> bool:
    tests = places.pair_tests(table, clusters, rng=rng, permutations=500)
    return bool((places.places(tests).p_best <= 0.05).any())


def _naive(table: np.ndarray) -> bool:
    """Test each method against the best one with t and Holm's first step."""
    best = table.mean(axis=0).argmax()
    behind = table[:, [best]] - np.delete(table, best, axis=1)
    error = behind.std(axis=0, ddof=1) / np.sqrt(len(table))
    p = 2 * norm.sf(behind.mean(axis=0) / np.maximum(error, 1e-12))
    return bool(p.min() * len(p) <= 0.05)


def ranks(simulations: int) -> None:
    """Print how often rank tests call equal methods different, by what is counted.

    A method's value is normal; each family likes methods by twice that spread.
    """
    rng = np.random.default_rng(SEED)
    print("families   data sets  largest   M  families: p  CD  data sets: p  CD")
    for sizes in ([1] * 60, [4] * 20, [4] * 6, [1] * 60 + [20]):
        family = np.repeat(np.arange(len(sizes)), sizes)
        clusters = clusters_of(len(family), [str(g) for g in family])
        for m in (5, 14):
            wrong = np.zeros(4)
            for _ in range(simulations):
                liking = 2.0 * rng.standard_normal((len(sizes), m))
                values = liking[family] + rng.standard_normal((len(family), m))
                rank = aggregate.ranks(values)
                widest = np.ptp(rank.mean(axis=0))
                for at, counted in enumerate((clusters, None)):
                    test = significance.friedman(rank, counted)
                    found = test.p <= 0.05, widest >= test.critical_difference
                    wrong[2 * at : 2 * at + 2] += found
            shown = "".join(f"{x:6.1f}" for x in 100 * wrong / simulations)
            print(f"{len(sizes):8} {len(family):11} {max(sizes):8} {m:3} {shown}")


def means(simulations: int) -> None:
    """Print the coverage of every kind of interval over data sets."""
    rng = np.random.default_rng(SEED)
    print(
        "suite     N  families  mean AUROC  mean AP  rank  Elo  difference  all gaps"
        "  all places"
    )
    for suite in ("oddbench", "synbench"):
        values = real_values(suite)
        truth = _estimates(values, None)
        for n in (5, 10, 25, 60, 260):
            for dependent in (False, True):
                held: dict[str, list[float]] = {}
                for _ in range(simulations):
                    rows, clusters = in_families(n, rng, len(values["auroc"]))
                    if not dependent:
                        rows = rng.integers(len(values["auroc"]), size=n)
                        clusters = clusters_of(n)
                    drawn = {name: v[rows] for name, v in values.items()}
                    _count(truth, drawn, clusters, rng, held)
                cells = [_percent(held.get(name)) for name in COLUMNS]
                print(f"{suite:8} {n:3} {'yes' if dependent else 'no':>8}", *cells)


COLUMNS = ("auroc", "ap", "rank", "elo", "difference", "gaps", "places")


def _percent(held: list[float] | None) -> str:
    shown = [x for x in held or [] if not np.isnan(x)]
    return f"{100 * np.mean(shown):9.1f}" if len(shown) >= 20 else "   (none)"


def _estimates(values: dict[str, np.ndarray], _: None) -> dict[str, np.ndarray]:
    rank = aggregate.ranks(values["auroc"])
    mean = values["auroc"].mean(axis=0)
    return {
        "auroc": mean,
        "ap": values["ap"].mean(axis=0),
        "rank": rank.mean(axis=0),
        "elo": elo.rate(rank).elo,
        "difference": mean[0] - mean[1:],
        "gaps": mean.max() - mean,
        "places": aggregate.places(mean),
    }


def _count(
    truth: dict[str, np.ndarray],
    drawn: dict[str, np.ndarray],
    clusters: Clusters,
    rng: np.random.Generator,
    held: dict[str, list[float]],
) -> None:
    auroc = drawn["auroc"]
    m = auroc.shape[1]
    rank = aggregate.ranks(auroc)
    low, high = mean_interval(1 - (rank - 1) / (m - 1), clusters)
    ratings = elo.rate(rank, clusters)
    tests = places.pair_tests(auroc, clusters, rng=rng, permutations=500)
    found = places.places(tests)
    ends = {
        "auroc": mean_interval(auroc, clusters),
        "ap": mean_interval(drawn["ap"], clusters),
        "rank": (m - high * (m - 1), m - low * (m - 1)),
        "elo": (ratings.low, ratings.high),
        "difference": difference_interval(auroc[:, :1] - auroc[:, 1:], clusters),
        "gaps": places.gap_ends(auroc.mean(axis=0), tests),
        "places": (found.low, found.high),
    }
    for name, (low, high) in ends.items():
        if np.isnan(low).any():
            held.setdefault(name, []).append(np.nan)
            continue
        inside = (low <= truth[name] + 1e-9) & (truth[name] - 1e-9 <= high)
        together = name in ("gaps", "places")
        held.setdefault(name, []).append(inside.all() if together else inside.mean())


Sampler = Callable[[np.random.Generator, int], np.ndarray]
# Scores of anomalies; inliers are standard normal.
MODELS: dict[str, Sampler] = {
    "mean 0.3": lambda rng, n: rng.normal(0.3, 1.0, n),
    "mean 1": lambda rng, n: rng.normal(1.0, 1.0, n),
    "mean 2": lambda rng, n: rng.normal(2.0, 1.0, n),
    "mean 3": lambda rng, n: rng.normal(3.0, 1.0, n),
    "wide": lambda rng, n: rng.normal(1.0, 4.0, n),
    "half obvious": lambda rng, n: rng.normal(0, 1, n) + 7 * (rng.random(n) < 0.5),
    "4 in 5 obvious": lambda rng, n: rng.normal(0, 1, n) + 7 * (rng.random(n) < 0.8),
    "below chance": lambda rng, n: rng.normal(-0.5, 0.5, n),
}


def trials(simulations: int) -> None:
    """Print the coverage of the intervals of a single trial."""
    rng = np.random.default_rng(SEED)
    print("anomalies  inliers  model            AUROC  covered   AP     covered")
    worst = {"AUROC": 100.0, "AP": 100.0}
    for n_a, n_i in ((5, 20), (5, 95), (5, 995), (10, 90), (20, 180), (50, 450)):
        labels = np.r_[np.ones(n_a), np.zeros(n_i)]
        for name, model in MODELS.items():
            area = norm.cdf(model(rng, 400_000)).mean()
            drawn = [
                np.r_[model(rng, n_a), rng.normal(size=n_i)] for _ in range(simulations)
            ]
            by_rank = [auroc_interval(labels, scores) for scores in drawn]
            by_ap = [average_precision_interval(labels, scores) for scores in drawn]
            expected = np.mean([found.value for found in by_ap])
            shares = [
                100 * np.mean([f.low <= truth <= f.high for f in found])
                for found, truth in ((by_rank, area), (by_ap, expected))
            ]
            worst = {k: min(worst[k], s) for k, s in zip(worst, shares, strict=True)}
            print(
                f"{n_a:9}  {n_i:7}  {name:15}  {area:.3f}  {shares[0]:6.1f}   "
                f"{expected:.3f}  {shares[1]:6.1f}"
            )
    print(f"lowest: AUROC {worst['AUROC']:.1f} %, AP {worst['AP']:.1f} %")


def power(simulations: int) -> None:
    """Print the smallest difference that tables of N data sets show."""
    rng = np.random.default_rng(SEED)
    print("suite       N   AUROC      AP   average rank known to   place interval")
    for suite in ("oddbench", "synbench"):
        values = real_values(suite)
        for n in (10, 25, 60, 260, 690, 2446):
            found = []
            for _ in range(max(3, simulations // 50)):
                rows = rng.integers(len(values["auroc"]), size=n)
                found.append(_sizes({k: v[rows] for k, v in values.items()}, rng))
            size = np.nanmean(found, axis=0)
            print(
                f"{suite:8} {n:4}  {100 * size[0]:6.2f}  {100 * size[1]:6.2f}  "
                f"{size[2]:22.2f}   {size[3]:14.1f}"
            )


def _sizes(drawn: dict[str, np.ndarray], rng: np.random.Generator) -> list[float]:
    clusters = clusters_of(len(drawn["auroc"]))
    tests = [
        places.pair_tests(drawn[name], clusters, rng=rng, permutations=1000)
        for name in ("auroc", "ap")
    ]
    m = drawn["auroc"].shape[1]
    share = 1 - (aggregate.ranks(drawn["auroc"]) - 1) / (m - 1)
    low, high = mean_interval(share, clusters)
    found = places.places(tests[0])
    return [
        *(places.detectable(test) for test in tests),
        float(np.median(high - low)) * (m - 1) / 2,
        float((found.high - found.low + 1).mean()),
    ]


PARTS = {"null": (null, 1000), "ranks": (ranks, 2000), "means": (means, 300),
         "trials": (trials, 1000), "power": (power, 200)}  # fmt: skip


def main() -> None:
    """Run the chosen parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--simulations", type=int, help="per line of the table")
    asked = parser.parse_args()
    for name in asked.part:
        part, usual = PARTS[name]
        started = time.perf_counter()
        part(asked.simulations or usual)
        print(f"{name}: {time.perf_counter() - started:.0f} s\n")


if __name__ == "__main__":
    main()
