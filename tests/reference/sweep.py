"""Results as a worker writes them, and folding them at once: all in memory."""

import json

from odbench.results import COLUMNS
from odbench.sweep.journal import Journal

IDENTITY = (
    "suite", "partition", "dataset", "detector", "config_id", "seed", "protocol",
)  # fmt: skip


def folded(stored, journals):
    """Return the rows that a fold leaves.

    `stored` are the rows that were folded before, `journals` the text of each journal,
    in the order of their names.
    """
    rows = list(stored)
    for text in journals:
        for line in text.splitlines(keepends=True):
            try:
                entry = json.loads(line) if line.endswith("\n") else {}
            except ValueError:
                continue
            if "key" in entry:
                rows.append({name: entry.get(name) for name in COLUMNS})
    newest = {}
    for row in rows:
        trial = tuple(row[name] for name in IDENTITY)
        if trial not in newest or newest[trial]["started_at"] <= row["started_at"]:
            newest[trial] = row
    return [newest[trial] for trial in sorted(newest)]


def row(dataset="a", seed=0, key="k", started_at="2026-01-01T00:00:00", **more):
    """One result with what every row has."""
    return {
        "suite": "oddbench",
        "partition": "public",
        "dataset": dataset,
        "detector": "knn",
        "config": "default",
        "config_id": "0" * 12,
        "content_sha256": "c",
        "detector_version": "1",
        "seed": seed,
        "protocol": "one-class",
        "status": "ok",
        "started_at": started_at,
        "key": key,
        **more,
    }


def write(folder, *rows):
    """Write a journal."""
    with Journal(folder) as sink:
        for one in rows:
            sink.append(one)
