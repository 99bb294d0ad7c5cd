"""Simulated results for the page: clear differences, failures, hostile names."""

import numpy as np
import pandas as pd

from odbench.leaderboard.evaluated import Evaluated
from odbench.leaderboard.tables import Settings
from odbench.results import COLUMNS
from odbench.submissions.private_table import COLUMNS as COLUMNS_OF_SUBMISSIONS

DETECTORS = (
    "ecod", "copod", "hbos", "knn", "lof", "dte_np", "iforest", "ocsvm", "pca", "mcd",
    "gmm", "egmm", "kde", "cats",
)  # fmt: skip
GRIDS = (("knn", "k"), ("lof", "k"), ("iforest", "trees"), ("hbos", "bins"))
STATUSES = ("failed", "timeout", "memory", "nonfinite")
REASONS = {
    "failed": "LinAlgError: leading minor of order 12 is not positive definite",
    "timeout": "3600 s are over",
    "memory": "16.0 GiB are used up",
    "nonfinite": "13 of 4,120 scores are not finite",
}
# Markup and an address that an attacker could put into a name, a reason or a link.
HOSTILE = (
    "</script><script>window.broken = 1</script>"
    "<img src=x onerror=window.broken=1>{{data}}\u2028&lt;b&gt;"
)
HOSTILE_URL = "javascript:window.broken=1"
SMALL = {
    ("oddbench", "public"): 140,
    ("oddbench", "private"): 30,
    ("synbench", "public"): 60,
    ("ovrbench", "public"): 6,
}
FULL = {
    ("oddbench", "public"): 690,
    ("oddbench", "private"): 100,
    ("ovrbench", "public"): 756,
    ("ovrbench", "private"): 100,
    ("synbench", "public"): 800,
}
FILES = tuple(
    f"{suite}/{name}.csv"
    for suite in ("oddbench", "synbench")
    for name in ("public", "private", "per_dataset", "slices")
)
PROVENANCE = (
    ("Command", "odbench leaderboard build core-zoo --out leaderboard"),
    ("Results", "core-zoo, 3,680 trials, sha256 0f343b0931126a20"),
    ("Versions", "odbench 0.1.0, python 3.11.7, numpy 2.4.6"),
)
QUICK = Settings(permutations=20)
SET = "Oddbench_table_of_0003_measurements"
VIEWS = {
    "leaderboard": "#/leaderboard",
    "all columns": "#/leaderboard?cols=all&suite=synbench",
    "oracle": "#/leaderboard?view=oracle",
    "private": "#/leaderboard?partition=private",
    "submissions": "#/leaderboard?suite=synbench&partition=private",
    "no submissions": "#/leaderboard?suite=ovrbench&partition=private",
    "closed": "#/winrates?suite=ovrbench&partition=private",
    "submission": "#/submission/synbench/private/Method%203",
    "data sets": "#/datasets",
    "detector": "#/detector/000000000003",
    "data set": f"#/dataset/oddbench/{SET}",
    "win rates": "#/winrates",
    "critical differences": "#/ranks",
    "time and quality": "#/pareto",
    "failures": "#/failures",
    "search": "#/search?q=table_of_001",
    "about": "#/about",
    "not found": "#/detector/nobody",
}


def configurations(n: int) -> list[tuple[str, str]]:
    """Name n configurations, several of some detectors."""
    defaults = [(name, "default") for name in DETECTORS]
    grid = [
        (name, f"{parameter}={value}")
        for name, parameter in GRIDS
        for value in (10, 20, 50, 100, 200, 300, 500)
    ]  # fmt: skip
    return (defaults + grid)[:n]


def simulated(sizes: dict, *, methods: int, seeds: int = 1, rng=None) -> pd.DataFrame:
    """Simulate results in which methods differ clearly despite noise."""
    rng = np.random.default_rng(20260101) if rng is None else rng
    return pd.concat(
        [
            _suite(
                suite,
                partition,
                n,
                methods=configurations(methods),
                seeds=seeds,
                rng=rng,
            )
            for (suite, partition), n in sizes.items()
        ],
        ignore_index=True,
    )


def _suite(suite, partition, n, *, methods, seeds, rng) -> pd.DataFrame:
    m = len(methods)
    sets = _sets(suite, partition, n, rng)
    strength = np.linspace(1.4, 0.5, m) + 0.15 * np.sin(np.arange(m))
    difficulty = rng.normal(0.2, 0.9, size=(n, 1, 1))
    effect = strength[None, :, None] + difficulty + rng.normal(0, 0.5, size=(n, m, 1))
    noise = np.where(np.arange(m)[None, :, None] % 3 == 1, 0.05, 0.0)
    auroc = 1 / (1 + np.exp(-(effect + noise * rng.normal(size=(n, m, seeds)))))
    rate = (sets["n_anomalies"] / sets["n_test"]).to_numpy()[:, None, None]
    ap = rate + (1 - rate) * np.clip(auroc - 0.45, 0, 1) ** 1.6
    speed = 10 ** rng.normal(-3 + 3 * rng.random(m), 0.05, size=m)
    rows = sets["n_train"].to_numpy()[:, None, None]
    seconds = np.broadcast_to(speed[:, None] * rows / 1e3, auroc.shape).ravel()
    trial = np.array(np.unravel_index(np.arange(n * m * seeds), (n, m, seeds)))
    status = np.full(n * m * seeds, "ok", dtype=object)
    unlucky = rng.random(n * m * seeds) < 0.01 * (trial[1] % 5 == 3)
    status[unlucky] = rng.choice(STATUSES, unlucky.sum())
    frame = sets.iloc[trial[0]].reset_index(drop=True)
    frame = frame.assign(
        suite=suite,
        partition=partition,
        detector=np.array([d for d, _ in methods], dtype=object)[trial[1]],
        config=np.array([c for _, c in methods], dtype=object)[trial[1]],
        config_id=np.array([f"{k:012x}" for k in range(m)], dtype=object)[trial[1]],
        detector_version="0.1.0",
        detector_reference="https://doi.org/10.1109/TKDE.2022.3159580",
        deterministic=trial[1] % 3 != 1,
        inductive=True,
        seed=trial[2],
        protocol="one-class",
        status=status,
        reason=[REASONS.get(s) for s in status],
        auroc=np.where(unlucky, np.nan, auroc.ravel()),
        ap=np.where(unlucky, np.nan, ap.ravel()),
        f1=np.where(unlucky, np.nan, ap.ravel()),
        fit_seconds=np.where(unlucky, np.nan, seconds),
        score_seconds=np.where(unlucky, np.nan, seconds / 3),
    )
    return frame.reindex(columns=list(COLUMNS))


def _sets(suite, partition, n, rng) -> pd.DataFrame:
    names = [f"{suite.title()}_table_of_{k:04d}_measurements" for k in range(n)]
    n_train = (10 ** rng.uniform(2.5, 5, n)).astype(int)
    n_test = n_train + (n_train * rng.uniform(0.02, 0.3, n)).astype(int) + 2
    synthetic = suite == "synbench"
    return pd.DataFrame(
        {
            "dataset": names,
            "content_sha256": [f"{rng.integers(2**62):064x}" for _ in names],
            "n_train": n_train,
            "n_test": n_test,
            "n_columns": (2 ** rng.uniform(1, 8, n)).astype(int),
            "n_anomalies": n_test - n_train,
            "domain": None if synthetic else rng.choice(
                ["Engineering", "Science", "Logistics", "Human", "Other"], n),
            "archetype": rng.choice(
                ["local", "cluster", "global", "dependency"], n) if synthetic else None,
            "family": [f"family {k // 3}" for k in range(n)],
            "label_conflict": rng.integers(0, 5, n) // 4,
            "duplicate_train": rng.random(n) ** 4,
            "test_in_train": rng.random(n) ** 4,
            "anomalies_in_train": rng.random(n) ** 6,
            "source_url": [
                f"https://github.com/someone/{suite}-{k:04d}/blob/master/data/Table_{k}.csv"
                for k in range(n)
            ],
            "licence": "CC BY 4.0",
        }
    )  # fmt: skip


def evaluated(*, method: str = "Method", text: str = "none") -> list[Evaluated]:
    """Simulate a table of submissions, every third one re-run."""
    rows = tuple(
        dict.fromkeys(COLUMNS_OF_SUBMISSIONS, text)
        | {
            "suite": "synbench",
            "partition": "private",
            "method": f"{method} {k}",
            "kind": "deep" if k % 2 else "classical",
            "tier": "re-scored" if k % 3 else "re-run",
            "n_datasets": 100,
            "n_failed": k,
            "mean_auroc": round(0.9 - 0.03 * k, 3),
            "mean_ap": round(0.5 + 0.02 * ((k * 5) % 7), 3),
            "mean_ap_adjusted": round(0.4 + 0.02 * ((k * 5) % 7), 3),
            "median_fit_seconds": 10.0 ** (k - 4),
            "median_score_seconds": 0.25,
            "evaluated": f"2026-01-{k + 1:02d}",
        }
        for k in range(7)
    )
    file = "synbench/private.csv"
    return [Evaluated("synbench", "private", file, "ab" * 32, rows)]


def hostile() -> pd.DataFrame:
    """Return small results in which every free text attacks the page."""
    frame = simulated({("oddbench", "public"): 12}, methods=3)
    frame.loc[frame["dataset"] == frame["dataset"].iloc[0], "dataset"] = HOSTILE
    first = frame["detector"] == "ecod"
    frame.loc[first, ["config", "detector_reference"]] = [HOSTILE, HOSTILE_URL]
    frame["source_url"] = HOSTILE_URL
    frame["licence"] = HOSTILE
    frame["domain"] = HOSTILE
    bad = first & (frame["dataset"] == HOSTILE)
    frame.loc[bad, ["status", "reason", "auroc", "ap"]] = [
        "failed",
        HOSTILE,
        None,
        None,
    ]
    return frame
