"""A metric that is only added to `METRICS` reaches results, tables and the page."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from odbench.scoring.metrics import METRICS, listed_metrics, ranked_metrics

# Runs in an interpreter of its own, where the metric is registered before anything
# reads the table. The threading backend keeps the worker in that interpreter.
RUN = """
import sys
from pathlib import Path

from odbench.scoring import metrics

def hit_rate(steps):
    # Share of anomalies among the rows that share the highest score.
    return float(steps.hits[0] / steps.rows[0])

metrics.METRICS += (
    metrics.Metric(
        name="hit_rate",
        label="Hit rate",
        meaning="share of anomalies among the highest scores",
        of=hit_rate,
        use="ranked",
    ),
)

import json

import odbench
from odbench.leaderboard.page.data import Group, page_data
from odbench.leaderboard.page.records import records_of
from odbench.leaderboard.tables import table_of
from odbench.scoring.cells import split_results
from odbench.scoring.policy import apply_policy

out = Path(sys.argv[1])
results = odbench.run(
    "synbench-mini", detectors=["ecod", "hbos", "knn"], limit=4, jobs=1,
    backend="threading", out=out, show_progress=False,
)
odbench.build_leaderboard(results).to_csv(out / "table.csv", index=False)
quality = [apply_policy(cells) for cells in split_results(results)]
groups = [Group(one, table_of(one)) for one in quality]
data = page_data(groups, records_of(results), title="T", files=())
(out / "page.json").write_text(json.dumps(data))
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made-up") / "run"
    subprocess.run([sys.executable, "-c", RUN, str(folder)], check=True)
    return folder


def test_the_results_hold_it(out):
    results = pd.read_parquet(out / "results.parquet")

    assert list(results.columns).index("hit_rate") == (
        list(results.columns).index(METRICS[-1].name) + 1
    )
    assert results["hit_rate"].between(0, 1).all()
    # It is not a copy of another metric.
    assert not any((results["hit_rate"] == results[m.name]).all() for m in METRICS)


@pytest.mark.parametrize("file", ["leaderboard.csv", "table.csv"])
def test_the_leaderboard_ranks_by_it(out, file):
    table = pd.read_csv(out / file)
    results = pd.read_parquet(out / "results.parquet")

    for statistic in ("mean", "rank", "elo", "top3"):
        columns = [f"{statistic}_{m.name}" for m in ranked_metrics()]
        assert {*columns, f"{statistic}_hit_rate"} <= set(table.columns)
        assert table[f"{statistic}_hit_rate"].notna().all()
    means = results.groupby("detector")["hit_rate"].mean()
    found = table.set_index("detector")["mean_hit_rate"]
    pd.testing.assert_series_equal(
        found.sort_index(), means, check_names=False, atol=1e-6
    )


def test_the_page_has_it(out):
    data = json.loads((out / "page.json").read_text())
    (board,) = data["boards"]

    assert [m["name"] for m in data["metrics"]][-1] == "hit_rate"
    assert data["metrics"][-1]["label"] == "Hit rate"
    assert {"hit_rate", "rank_hit_rate"} <= set(board["cells"])
    assert {"median_hit_rate", "best_hit_rate"} <= set(board["sets"])
    (everything, *_) = board["slices"]
    assert "mean_hit_rate" in everything["tables"]["each"]
    assert set(everything["pareto"]) == {m["name"] for m in data["metrics"]}
    assert set(everything["wins"]) == {m["name"] for m in data["metrics"]}


def test_results_without_it_can_still_be_read_and_ranked(out, tmp_path):
    """Results of an older version lack the column; its statistics stay empty."""
    old = tmp_path / "old.parquet"
    pd.read_parquet(out / "results.parquet").drop(columns="hit_rate").to_parquet(old)
    code = RUN.split("import json", maxsplit=1)[0] + (
        "import odbench\n"
        "table = odbench.build_leaderboard(odbench.read_results(sys.argv[1]))\n"
        "assert table['mean_hit_rate'].isna().all()\n"
        "assert table['total_rank'].notna().all()\n"
    )

    subprocess.run([sys.executable, "-c", code, str(old)], check=True)


def test_the_table_is_sound():
    names = [metric.name for metric in METRICS]

    assert len(set(names)) == len(names)
    assert ranked_metrics()[0] is METRICS[0]
    assert METRICS[0].required
    assert all(m.lowest < m.highest for m in METRICS)
    assert [m.use for m in listed_metrics()] == sorted(
        (m.use for m in listed_metrics()), reverse=True
    )


def test_the_table_of_the_docs_is_that_of_the_metrics():
    page = Path(__file__).parents[2] / "docs" / "metrics.md"
    section = page.read_text("utf-8").split("## One trial")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| .* \| ([^|]*) \| [^|]* \|$", section, re.M)
    chance = {0.5: "; 0.5 is chance"}

    def expected(metric):
        low = f"{metric.lowest:g} to" if metric.lowest > -1 else "at most"
        return f"{low} {metric.highest:g}, higher{chance.get(metric.chance, '')}"

    assert [name for name, _ in rows] == [metric.name for metric in METRICS]
    for (_, told), metric in zip(rows, METRICS, strict=True):
        assert told.startswith(expected(metric))
