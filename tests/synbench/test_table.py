"""The table of benchmarks/synbench_table.py averages the right trials."""

import importlib.util
import json
from pathlib import Path

import pandas as pd
import pytest

from odbench.data.manifest import read_manifest

FILE = Path(__file__).parents[2] / "benchmarks" / "synbench_table.py"


@pytest.fixture(scope="module")
def table():
    spec = importlib.util.spec_from_file_location("synbench_table", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def results():
    """Two detectors on four sets; one trial failed, one detector has two seeds."""
    records = {record.name: record for record in read_manifest("synbench")}
    rows = []
    for name, knn, pca in (
        ("gmm-subspace-000", (0.9,), (0.6, 0.8)),
        ("gmm-subspace-005", (0.7,), (0.5, 0.5)),
        ("gmm-subspace-001", (0.6,), (0.9, 0.9)),
        ("copula-dependence-004", (None,), (0.8, 0.6)),
    ):
        for detector, values in (("knn", knn), ("pca", pca)):
            for seed, value in enumerate(values):
                rows.append(
                    {
                        "suite": "synbench", "partition": "public", "dataset": name,
                        "detector": detector, "config": "default", "seed": seed,
                        "status": "failed" if value is None else "ok", "auroc": value,
                        "n_columns": records[name].n_columns,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def test_cells_average_sets_after_seeds_and_count_failures_as_chance(table, results):
    cells = table.by_cell(results)

    first = cells.loc["gmm-subspace", "2 to 5"]
    assert (first["sets"], first["oracle"]) == (2, 1.0)
    assert first["knn"] == pytest.approx(0.8)
    assert first["pca"] == pytest.approx(0.6)
    last = cells.loc["copula-dependence", "51 to 100"]
    assert (last["knn"], last["pca"]) == (0.5, pytest.approx(0.7))
    records = {record.name: record for record in read_manifest("synbench")}
    facts = json.loads(records["copula-dependence-004"].parameters)
    assert last["oracle"] == facts["oracle_auroc"]


def test_markdown_marks_the_best_detector_of_each_row(table, results):
    lines = table.markdown(table.by_cell(results)).splitlines()

    assert lines[0] == "| archetype | columns | sets | oracle | knn | pca |"
    assert lines[2] == "| gmm-subspace | 2 to 5 | 2 | 1.000 | **0.800** | 0.600 |"
    assert lines[3] == "| gmm-subspace | 6 to 10 | 1 | 1.000 | 0.600 | **0.900** |"
    assert len(lines) == 2 + 3


def test_lessons_name_winners(table, results):
    said = table.lessons(table.by_cell(results))

    assert "pca 2, knn 1" in said
    assert "cells in which a detector is ahead of it: 0" in said
