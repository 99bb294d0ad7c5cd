"""The published tables of grids are those of the published runs over grids."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GRIDS = ROOT / "leaderboard" / "grids"


@pytest.mark.filterwarnings("ignore:.*not ranked in the setting one-class")
@pytest.mark.skipif(not GRIDS.is_dir(), reason="the published grids are not at hand")
def test_the_tables_of_the_grids_are_those_of_their_runs():
    path = ROOT / "benchmarks" / "published_grids.py"
    spec = importlib.util.spec_from_file_location("published_grids", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    tables = dict(script.grid_tables())

    assert set(tables) == set(GRIDS.glob("*/*.csv"))
    for table, content in tables.items():
        assert table.read_bytes() == content, f"{table}: run {path.name}"
