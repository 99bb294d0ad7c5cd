"""Write the tables of README and docs from the published results.

    python docs/tables.py

replaces each block between ``<!-- table NAME -->`` and ``<!-- end -->`` by the table
of that name below. Every number is read from ``leaderboard/*/public.csv`` or
``leaderboard/grids/*/regret.csv`` and rounded once. `tests/test_docs.py` checks that
the pages hold what this script writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pandas as pd

from odbench.leaderboard.views import FEWEST_CONFIGURATIONS, VIEWS

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TITLES = {
    "oddbench": "OddBench",
    "ovrbench": "OvRBench",
    "adbench": "ADBench",
    "synbench": "SynBench",
    "synbench-2": "SynBench 2",
}
REAL = ("oddbench", "ovrbench", "adbench")
GENERATED = ("synbench", "synbench-2")
# No value is equal to the best, so that nothing is bold.
NOTHING = pd.Series({"mean_auroc": None, "mean_ap": None})
# cats itself, and the detector that cats is a part of.
OF_CATS = ["cats", "cats_pfn"]
# The sum and its two parts.
NETWORKS = ("cats_pfn", "cats", "odbench_pfn")
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
    lines = [["mean AUROC / mean AP", *(TITLES[suite] for suite in REAL)]]
    lines += [
        [name, *(_pair(boards[suite], name, NOTHING) for suite in REAL)]
        for name in ("pca", "pca:floor=1e-12")
    ]
    return markdown(lines)


def others(board: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of detectors that cats is no part of."""
    return board.drop(index=OF_CATS, errors="ignore")


def settings(suites: tuple[str, ...] = REAL) -> str:
    """Mean AUROC and AP of cats and of the best of `others`, per setting and suite."""
    lines = [["setting", "mean AUROC / mean AP", *(TITLES[suite] for suite in suites)]]
    for protocol in ("one-class", "transductive", "unsupervised"):
        boards = {suite: leaderboard(suite, protocol) for suite in suites}
        cells = [_pair(board, "cats", NOTHING) for board in boards.values()]
        lines.append([protocol, "cats", *cells])
        by_auroc, by_ap = (
            [_best_other(board, key) for board in boards.values()]
            for key in ("mean_auroc", "mean_ap")
        )
        if by_auroc == by_ap:
            lines.append(["", "best other", *by_auroc])
        else:
            lines.append(["", "best other by AUROC", *by_auroc])
            lines.append(["", "best other by AP", *by_ap])
    return markdown(lines)


def _best_other(board: pd.DataFrame, key: str) -> str:
    name = others(board)[key].idxmax()
    return f"{_pair(board, name, NOTHING)} ({name})"


def cats_suites() -> str:
    """Measures of cats and of the best of `others` on each suite, one-class."""
    lines = [["", "mean AUROC", "mean AP", "average rank", "Elo (95 %)"]]
    for suite, title in TITLES.items():
        board = leaderboard(suite)
        best = others(board)["mean_auroc"].idxmax()
        sets = int(board["n_datasets"].max())
        for name, label in (("cats", f"{title}, {sets} sets: cats"), (best, best)):
            row = board.loc[name]
            elo = [row[f"elo_auroc{end}"] for end in ("", "_low", "_high")]
            lines.append(
                [
                    label,
                    f"{100 * row['mean_auroc']:.2f}",
                    f"{100 * row['mean_ap']:.2f}",
                    f"{row['rank_auroc']:.2f}",
                    "{:.0f} ({:.0f} to {:.0f})".format(*elo),
                ]
            )
    return markdown(lines)


def leads() -> str:
    """How far others are behind the first on each suite, with simultaneous intervals.

    On the synthetic suites the oracle is the best, and gaps are measured from it.
    """
    lines = [["", "behind it", "AUROC, points", "AP, points"]]
    for suite in REAL:
        board = leaderboard(suite)
        first = board["mean_auroc"].idxmax()
        names = [name for name in NETWORKS if name in board.index and name != first]
        names.append(board.drop(index=[first, *names])["mean_auroc"].idxmax())
        title = f"{TITLES[suite]}, {int(board['n_datasets'].max())} sets: {first}"
        for name in names:
            gaps = [_gap(board, first, name, key) for key in ("auroc", "ap")]
            lines.append([title, name, *gaps])
            title = ""
    return markdown(lines)


def _gap(board: pd.DataFrame, first: str, name: str, metric: str) -> str:
    """Gap of a row to the first; gaps are measured from the best by the metric."""
    best = board[f"mean_{metric}"].idxmax()
    if best != first:
        return f"{best} is first"
    gap = [100 * board.loc[name, f"gap_{metric}{end}"] for end in ("", "_low", "_high")]
    return "{:.1f} ({:.1f} to {:.1f})".format(*gap)


def networks() -> str:
    """Mean AUROC and AP of the detectors with the shipped network, and beside them."""
    boards = [leaderboard(suite) for suite in TITLES]
    titles = [
        f"{title} ({int(board['n_datasets'].max())})"
        for title, board in zip(TITLES.values(), boards, strict=True)
    ]
    lines = [["mean AUROC / mean AP", *titles]]
    lines += [
        [name, *(_pair(board, name, NOTHING) for board in boards)]
        for name in ("knn", *reversed(NETWORKS))
    ]
    return markdown(lines)


def cats_against_knn() -> str:
    """How often, and by how much, knn is ahead of cats, one-class."""
    lines = [
        ["", "knn ahead, AUROC", "knn ahead, AP", "median loss", "median gain",
         "five largest of the summed lead"]
    ]  # fmt: skip
    for suite, title in TITLES.items():
        path = ROOT / "leaderboard" / suite / "per_dataset.csv"
        rows = pd.read_csv(path)
        rows = rows[(rows["protocol"] == "one-class") & (rows["config"] == "default")]
        wide = rows.pivot_table(
            index="dataset", columns="detector", values=["auroc", "ap"]
        )
        auroc, ap = (
            100 * (wide[key]["cats"] - wide[key]["knn"]) for key in ("auroc", "ap")
        )
        top = auroc.nlargest(5).sum() / auroc.sum()
        lines.append(
            [
                f"{title}, {len(wide)} sets",
                f"{100 * (auroc < 0).mean():.0f} % of the sets",
                f"{100 * (ap < 0).mean():.0f} %",
                f"{-auroc[auroc < 0].median():.1f} points",
                f"{auroc[auroc > 0].median():.1f} points",
                f"{100 * top:.0f} %",
            ]
        )
    return markdown(lines)


def grids() -> str:
    """Regret of the four views of each detector with a grid, on each suite."""
    lines = [["suite", "detector", "configurations", *VIEWS]]
    for suite, title in TITLES.items():
        rows = pd.read_csv(ROOT / "leaderboard" / "grids" / suite / "regret.csv")
        rows = rows[rows["protocol"] == "one-class"]
        for detector, own in rows.groupby("detector", sort=False):
            count = int(own["n_configurations"].iloc[0])
            if count < FEWEST_CONFIGURATIONS:
                continue
            cells = own.set_index(["view", "metric"])["regret"]
            pairs = [_regret(cells, view) for view in VIEWS]
            lines.append([title, str(detector), str(count), *pairs])
    return markdown(lines)


def _regret(cells: pd.Series, view: str) -> str:
    if (view, "auroc") not in cells.index:
        return ""
    pair = (f"{cells[view, metric]:+.3f}" for metric in ("auroc", "ap"))
    return " / ".join(value.replace("0.", ".") for value in pair)


def markdown(lines: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; the first line is its header."""
    header, *rows = [list(line) for line in lines]
    text = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in text)


TABLES: dict[str, Callable[[], str]] = {
    "headline": headline,
    "headline-unsupervised": partial(headline, "unsupervised"),
    "grids": grids,
    "settings": settings,
    "settings-generated": partial(settings, GENERATED),
    "cats-suites": cats_suites,
    "leads": leads,
    "networks": networks,
    "cats-against-knn": cats_against_knn,
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
