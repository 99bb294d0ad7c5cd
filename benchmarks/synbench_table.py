"""Print the table of SynBench by archetype and number of columns.

``python benchmarks/synbench_table.py RUN... [--without NAME,...]`` reads
``results.parquet`` of runs on the whole suite and prints Markdown: mean AUROC of every
other detector in its default configuration and of the oracle. The best detector of a
row is bold. A failed trial counts as 0.5, the AUROC of chance; the number of failures
is printed below.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from odbench.results import read_results
from odbench.synbench import oracle
from odbench.synbench.draw import DIMENSION_BINS
from odbench.synbench.suite import ARCHETYPES

CHANCE = 0.5
BINS = [f"{low} to {high}" for low, high in DIMENSION_BINS]


def scores(results: pd.DataFrame) -> pd.DataFrame:
    """Return mean AUROC by data set (rows) and detector (columns), seeds averaged.

    Uses only the public suite and default configurations; the oracle comes from the
    manifest.
    """
    kept = results[
        (results["suite"] == "synbench")
        & (results["partition"] == "public")
        & (results["config"] == "default")
        & (results["detector"] != "oracle")
    ].copy()
    kept.loc[kept["status"] != "ok", "auroc"] = CHANCE
    table = kept.pivot_table(index="dataset", columns="detector", values="auroc")
    known = {row.dataset: row.auroc for row in oracle.rows()}
    table.insert(0, "oracle", [known[name] for name in table.index])
    return table


def by_cell(results: pd.DataFrame) -> pd.DataFrame:
    """Average the scores by archetype and bin; the first column counts the sets."""
    table = scores(results)
    columns = results.drop_duplicates("dataset").set_index("dataset")["n_columns"]
    archetype = pd.Categorical(
        [name.rpartition("-")[0] for name in table.index], ARCHETYPES
    )
    edges = [1, *(high for _, high in DIMENSION_BINS)]
    width = pd.cut(columns.reindex(table.index).to_numpy(), edges, labels=BINS)
    groups = table.groupby([archetype, width], observed=True)
    out = groups.mean()
    out.insert(0, "sets", groups.size())
    return out.rename_axis(["archetype", "columns"])


def markdown(cells: pd.DataFrame) -> str:
    """Return the table; the best detector of each row is bold."""
    detectors = [name for name in cells.columns if name not in ("sets", "oracle")]
    head = ["archetype", "columns", "sets", "oracle", *detectors]
    lines = [_line(head), _line(["---", "---", *["---:"] * (len(head) - 2)])]
    for (archetype, width), row in cells.iterrows():
        best = round(max(row[detectors]), 3)
        shown = [_score(row[name], best) for name in detectors]
        fixed = [archetype, width, f"{row['sets']:.0f}", f"{row['oracle']:.3f}"]
        lines.append(_line([*fixed, *shown]))
    return "\n".join(lines)


def lessons(cells: pd.DataFrame) -> str:
    """Return a summary of the winners and their distance to the oracle."""
    detectors = cells.drop(columns=["sets", "oracle"])
    winners = detectors.idxmax(axis=1).value_counts()
    gap = cells["oracle"] - detectors.max(axis=1)
    won = ", ".join(f"{name} {count}" for name, count in winners.items())
    beaten = int((gap < 0).sum())
    return (
        f"Cells of {len(cells)} in which a detector is best: {won}.\n"
        f"The oracle is ahead of the best detector by {gap.mean():.3f} on average, by "
        f"{gap.max():.3f} at most ({', '.join(gap.idxmax())}); cells in which a "
        f"detector is ahead of it: {beaten}.\n"
        f"Lowest AUROC of a best detector: {detectors.max(axis=1).min():.3f} "
        f"({', '.join(detectors.max(axis=1).idxmin())})."
    )


def _score(value: float, best: float) -> str:
    text = f"{value:.3f}"
    return f"**{text}**" if round(value, 3) == best else text


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table of one or several runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--without", default="", help="comma-separated detectors")
    options = parser.parse_args()
    results = pd.concat([read_results(run) for run in options.runs], ignore_index=True)
    results = results[results["suite"] == "synbench"]
    results = results[~results["detector"].isin(options.without.split(","))]
    cells = by_cell(results)
    print(markdown(cells))
    print()
    print(lessons(cells))
    failed = results[results["status"] != "ok"]["detector"].value_counts()
    counts = ", ".join(f"{name} {count}" for name, count in failed.items())
    print(f"Failed trials, counted as {CHANCE}: {counts or 'none'}.")


if __name__ == "__main__":
    main()
