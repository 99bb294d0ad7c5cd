"""Write the tables of README and docs from the published results.

    python docs/tables.py

replaces each block between ``<!-- table NAME -->`` and ``<!-- end -->`` by the table
of that name below. Every number is read from ``leaderboard/*/public.csv`` and rounded
once. `tests/test_docs.py` checks that the pages hold what this script writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TITLES = {
    "oddbench": "OddBench",
    "ovrbench": "OvRBench",
    "adbench": "ADBench",
    "synbench": "SynBench",
}
REAL = ("oddbench", "ovrbench", "adbench")
_BLOCK = re.compile(r"<!-- table (\S+) -->\n(.*?)<!-- end -->", re.DOTALL)


def leaderboard(suite: str, protocol: str = "one-class") -> pd.DataFrame:
    """Return the public leaderboard of a suite by configuration, the best on top.

    Parameters
    ----------
    suite : str
        Name of the suite.
    protocol : str
        The setting.
    """
    rows = pd.read_csv(ROOT / "leaderboard" / suite / "public.csv")
    rows = rows[rows["protocol"] == protocol]
    rows = rows[~rows["detector"].isin(["oracle"])]
    name = rows["detector"] + ":" + rows["config"]
    return rows.set_index(name.str.removesuffix(":default"))


def headline(protocol: str = "one-class") -> str:
    """Mean AUROC and AP of each configuration of the zoo on the real suites."""
    boards = {suite: leaderboard(suite, protocol) for suite in REAL}
    titles = [
        f"{TITLES[suite]} ({int(board['n_datasets'].max())})"
        for suite, board in boards.items()
    ]
    best = {
        suite: board[["mean_auroc", "mean_ap"]].max() for suite, board in boards.items()
    }
    lines = [["mean AUROC / mean AP", *titles]]
    for name in boards[REAL[0]].index:
        if not name.startswith("pyod."):
            cells = [_pair(boards[suite], name, best[suite]) for suite in REAL]
            lines.append([name, *cells])
    return markdown(lines)


def _pair(board: pd.DataFrame, name: str, best: pd.Series) -> str:
    if name not in board.index:
        return "-"
    row = board.loc[name]
    return " / ".join(
        f"**{100 * row[key]:.1f}**"
        if row[key] == best[key]
        else f"{100 * row[key]:.1f}"
        for key in ("mean_auroc", "mean_ap")
    )


def pca_floor() -> str:
    """Mean AUROC and AP of pca with and without a floor on the real suites."""
    boards = {suite: leaderboard(suite) for suite in REAL}
    nothing = pd.Series({"mean_auroc": None, "mean_ap": None})
    lines = [["mean AUROC / mean AP", *(TITLES[suite] for suite in REAL)]]
    lines += [
        [name, *(_pair(boards[suite], name, nothing) for suite in REAL)]
        for name in ("pca", "pca:floor=1e-12")
    ]
    return markdown(lines)


def markdown(lines: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; the first line is its header."""
    header, *rows = [list(line) for line in lines]
    text = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in text)


TABLES: dict[str, Callable[[], str]] = {
    "headline": headline,
    "pca-floor": pca_floor,
}


def filled(page: str) -> str:
    """Return a page with the tables that its blocks name."""
    return _BLOCK.sub(
        lambda block: f"<!-- table {block[1]} -->\n{TABLES[block[1]]()}<!-- end -->",
        page,
    )


def main() -> None:
    """Fill the blocks of every page."""
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        new = filled(page)
        if new != page:
            path.write_text(new, encoding="utf-8")
            print(f"written: {path.relative_to(ROOT)}")  # noqa: T201


if __name__ == "__main__":
    main()
