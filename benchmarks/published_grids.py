"""Write the tables of the published grids: four views of each detector, and regret.

    python benchmarks/published_grids.py

reads the runs with ``--grid`` in ``leaderboard/grids/runs/`` and writes ``views.csv``
and ``regret.csv`` into ``leaderboard/grids/SUITE/``, as a build of these runs would.
They stand apart from the published leaderboard: ten configurations of one method would
crowd its ranks. A test compares the tables with the runs, so write them again when
these change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from odbench.leaderboard.formats import csv_bytes
from odbench.leaderboard.load import read_present
from odbench.leaderboard.regret import regret_table
from odbench.leaderboard.tables import DEFAULT
from odbench.leaderboard.views import has_grid, view_table
from odbench.scoring.cells import split_results
from odbench.scoring.policy import apply_policy

GRIDS = Path(__file__).parents[1] / "leaderboard" / "grids"


def grid_tables() -> Iterator[tuple[Path, bytes]]:
    """Yield the path and the content of each table."""
    runs = sorted((GRIDS / "runs").iterdir())
    results = pd.concat([read_present(run) for run in runs], ignore_index=True)
    for name, rows in results.groupby("suite", sort=True):
        for kind, tables in _tables(rows).items():
            content = csv_bytes(pd.concat(tables, ignore_index=True))
            yield GRIDS / str(name) / f"{kind}.csv", content


def _tables(results: pd.DataFrame) -> dict[str, list[pd.DataFrame]]:
    made: dict[str, list[pd.DataFrame]] = {"views": [], "regret": []}
    for cells in split_results(results):
        if has_grid(cells):
            quality = apply_policy(cells, "main")
            # Views have no intervals of places, which take permutations.
            made["views"].append(view_table(quality, replace(DEFAULT, permutations=0)))
            made["regret"].append(regret_table(quality))
    return made


def main() -> None:
    """Write the tables and name them."""
    for path, content in grid_tables():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(path)


if __name__ == "__main__":
    main()
