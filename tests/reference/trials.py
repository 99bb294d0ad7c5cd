"""Made-up results, built from the trials that a test needs."""

import pandas as pd
import pyarrow as pa

from odbench.results import schema


def trial(dataset, detector, auroc=None, **other):
    """One trial; without an AUROC it failed."""
    row = {
        "suite": "toy",
        "partition": "public",
        "protocol": "one-class",
        "dataset": dataset,
        "content_sha256": f"hash of {dataset}",
        "detector": detector,
        "detector_version": "1.0",
        "config": "default",
        "seed": 0,
        "status": "failed" if auroc is None else "ok",
        "n_train": 500,
        "n_test": 100,
        "n_columns": 4,
        "n_anomalies": 10,
        "auroc": auroc,
        "ap": None if auroc is None else auroc / 2,
        "f1": None if auroc is None else auroc / 3,
        "fit_seconds": 1.0,
        "score_seconds": 0.5,
    } | other
    row.setdefault("config_id", f"{row['detector']}/{row['config']}")
    return row


def table(trials):
    return pa.Table.from_pylist(list(trials), schema=schema())


def frame(trials):
    """The data frame that reading these trials from a file would give."""
    return table(trials).to_pandas()


def random_trials(rng, *, datasets=12, methods=5, seeds=2, failing=0.1, missing=0.05):
    """Trials of every data set with every method, some failed, some absent."""
    for d in range(datasets):
        facts = {
            "n_train": int(rng.integers(100, 20_000)),
            "n_columns": int(rng.integers(2, 40)),
            "n_anomalies": int(rng.integers(2, 60)),
            "domain": ["Science", "Human"][d % 2],
            "family": f"family {d // 3}",
            "label_conflict": int(d % 4 == 0),
        }
        for m in range(methods):
            if rng.random() < missing:
                continue
            for seed in range(seeds):
                ok = rng.random() >= failing
                # Few different values, so that ties happen.
                auroc = float(rng.integers(40, 101)) / 100 if ok else None
                yield trial(
                    f"set {d:02d}",
                    f"method {m}",
                    auroc,
                    seed=seed,
                    fit_seconds=float(rng.random()) if ok else None,
                    score_seconds=float(rng.random()) if ok else None,
                    **facts,
                )


def from_matrix(values, **other):
    """One trial per cell of a list of rows; None is a failure, "absent" no trial."""
    return frame(
        trial(f"set {d:03d}", f"method {m}", value, **other)
        for d, row in enumerate(values)
        for m, value in enumerate(row)
        if value != "absent"
    )


def place(results: pd.DataFrame, folder):
    """Write a run's folder."""
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    rows = pa.Table.from_pandas(results, schema=schema(), preserve_index=False)
    pq.write_table(rows, folder / "results.parquet")
    return folder
