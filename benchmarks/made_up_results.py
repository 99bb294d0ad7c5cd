"""Make up results: trials of methods with known strength."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from odbench.results import schema, write_results

DOMAINS = ("Engineering", "Science", "Logistics", "Human", "Other")


def write(
    path: Path,
    *,
    datasets: int,
    methods: int,
    seeds: int,
    failing: float = 0.01,
    suite: str = "madeup",
) -> None:
    """Write a results file of ``datasets * methods * seeds`` trials.

    Parameters
    ----------
    path : Path
        File to write.
    datasets, methods, seeds : int
        Size of the full grid of trials.
    failing : float
        Share of the trials that time out.
    suite : str
        Name of the suite.
    """
    rng = np.random.default_rng(20261123)
    d, m, s = (
        part.ravel() for part in np.indices((datasets, methods, seeds), dtype=np.int64)
    )
    n = len(d)
    logit = (
        rng.normal(1.2, 1.0, datasets)[d]
        + np.linspace(-0.8, 0.8, methods)[m]
        + rng.normal(0.0, 0.5, (datasets, methods))[d, m]
        + rng.normal(0.0, 0.05, n)
    )
    auroc = 1.0 / (1.0 + np.exp(-logit))
    ok = rng.random(n) >= failing
    n_test = rng.integers(200, 50_000, datasets)
    n_anomalies = np.maximum(2, (n_test * rng.uniform(0.01, 0.4, datasets))).astype(int)
    share = (n_anomalies / n_test)[d]
    digits = rng.integers(0, 16, (datasets, 64))
    hashes = np.array(["".join(f"{x:x}" for x in row) for row in digits])
    values = {
        "suite": np.full(n, suite),
        "partition": np.full(n, "public"),
        "dataset": np.array([f"set_{i:05d}" for i in range(datasets)])[d],
        "content_sha256": hashes[d],
        "detector": np.array([f"method{i:02d}" for i in range(methods)])[m],
        "detector_version": np.full(n, "1.0"),
        "config": np.full(n, "default"),
        "config_id": np.array([f"{i:012x}" for i in range(methods)])[m],
        "seed": s,
        "protocol": np.full(n, "one-class"),
        "status": np.where(ok, "ok", "timeout"),
        "reason": np.where(ok, "", "over 600 s"),
        "n_train": n_test[d],
        "n_test": n_test[d],
        "n_columns": rng.integers(2, 100, datasets)[d],
        "n_anomalies": n_anomalies[d],
        "auroc": auroc,
        "ap": share + (1 - share) * auroc**4,
        "ap_adjusted": auroc**4,
        "f1": auroc**5,
        "fit_seconds": rng.lognormal(np.linspace(-4, 2, methods)[m], 1.0),
        "score_seconds": rng.lognormal(-3.0, 1.0, n),
        "peak_memory_bytes": rng.integers(10**8, 10**9, n),
        "started_at": np.full(n, "2026-11-23T00:00:00Z"),
        "worker": np.full(n, "made-up"),
        "domain": rng.choice(DOMAINS, datasets)[d],
        "archetype": np.full(n, None),
        "family": np.array([f"family_{i // 3}" for i in range(datasets)])[d],
        "label_conflict": (rng.random(datasets) < 0.2).astype(int)[d],
    }
    null = ~ok
    masked = {"auroc", "ap", "ap_adjusted", "f1", "fit_seconds", "score_seconds"}
    full = schema()
    table = pa.table(
        {
            field.name: (
                pa.array(values[field.name], field.type,
                         mask=null if field.name in masked else None)
                if field.name in values
                else pa.nulls(n, field.type)
            )
            for field in full
        }
    )  # fmt: skip
    write_results(table.cast(full), path)
