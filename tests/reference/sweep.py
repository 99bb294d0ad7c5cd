"""Results as a worker writes them, and folding them at once: all in memory."""

import json

from odbench.results import COLUMNS
from odbench.sweep.journal import FOLDER, GENERATION, Journal

IDENTITY = (
    "suite", "partition", "dataset", "detector", "config_id", "seed", "protocol",
)  # fmt: skip


def folded(stored, journals):
    """Return the rows that a fold leaves.

    `stored` are the rows that were folded before, `journals` the generation and the
    text of each journal, in the order of generations and names.
    """
    rows = list(stored)
    for generation, text in journals:
        for line in text.splitlines(keepends=True):
            try:
                entry = json.loads(line) if line.endswith("\n") else {}
            except ValueError:
                continue
            if "key" in entry:
                row = {name: entry.get(name) for name in COLUMNS}
                rows.append({**row, "generation": generation})
    newest = {}
    for row in rows:
        trial = tuple(row[name] for name in IDENTITY)
        if trial not in newest or age(newest[trial]) <= age(row):
            newest[trial] = row
    return [newest[trial] for trial in sorted(newest)]


def age(row):
    """Return the generation of a row; a row without one is older than all others."""
    return row["generation"] or 0


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


def write(folder, *rows, generation=0):
    """Write a journal."""
    (folder / FOLDER / GENERATION).write_text(str(generation))
    with Journal(folder) as sink:
        for one in rows:
            sink.append(one)
