"""Every test that docs/faults.md names exists, and every row has one."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "docs/faults.md").read_text(encoding="utf-8").splitlines()
HEADER = "| kind | how it is caused | what happens | test |"
ROWS = [
    line
    for line in LINES
    if line.startswith("|") and line != HEADER and not line.startswith("|---")
]
NAME = re.compile(r"`([\w/]+\.py)::(\w+)`")


def functions(path: Path) -> set[str]:
    """Return the names of all functions of a file, those of its classes included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_there_are_rows():
    assert len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_a_row_has_four_cells_and_one_test_that_exists(row):
    cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert len(cells) == 4, row
    assert all(cells[1:]), row

    found = NAME.fullmatch(cells[3])

    assert found, row
    path, name = found.groups()
    assert name.startswith("test_")
    assert (ROOT / path).is_file(), path
    assert name in functions(ROOT / path), f"{path}::{name}"


def test_every_test_that_the_page_names_is_in_a_table():
    named = [name for line in LINES for name in re.findall(r"\w+\.py::\w+", line)]

    assert len(named) == len(ROWS)
