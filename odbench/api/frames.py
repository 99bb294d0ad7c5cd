"""Results and leaderboards as data frames that notebooks and prompts show briefly."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pandas as pd

from odbench.errors import UsageError
from odbench.leaderboard import tables
from odbench.leaderboard.export.cells import HEADINGS, Cell, table_cells
from odbench.leaderboard.tables import DEFAULT, GROUP, Settings
from odbench.leaderboard.terminal import heading_of, render_table
from odbench.suites import coverage
from odbench.text import counted

if TYPE_CHECKING:
    from odbench.scoring.policy import Policy

_WHOLE = {"detector", "config", "mean_auroc", "mean_ap", "place", "n_total", *GROUP}


class Leaderboard(pd.DataFrame):
    """A leaderboard: a data frame with a short form for prompts and notebooks.

    Selections and copies of it are plain data frames; `pandas.DataFrame(board)` shows
    every column.
    """

    def __repr__(self) -> str:
        if not set(self.columns) >= _WHOLE:
            return repr(pd.DataFrame(self))
        return render_table(pd.DataFrame(self))

    def _repr_html_(self) -> str:
        if not set(self.columns) >= _WHOLE or self.empty:
            return _plain_html(self)
        groups = pd.DataFrame(self).groupby(list(GROUP), sort=True)
        return "".join(_table_html(rows) for _, rows in groups)


class Results(pd.DataFrame):
    """Results of a run: a data frame with a short form for prompts and notebooks."""

    def __repr__(self) -> str:
        if not {"suite", "dataset", "detector", "config", "status"} <= set(
            self.columns
        ):
            return repr(pd.DataFrame(self))
        return _headline(self)

    def _repr_html_(self) -> str:
        needed = {"suite", "dataset", "detector", "config", "status", "auroc", "ap"}
        if not needed <= set(self.columns):
            return _plain_html(self)
        groups = pd.DataFrame(self).groupby(["detector", "config"], sort=True)
        summary = groups.agg(
            trials=("status", "size"),
            failed=("status", lambda status: int((status != "ok").sum())),
            auroc=("auroc", "mean"),
            ap=("ap", "mean"),
        )
        summary[["auroc", "ap"]] = (100 * summary[["auroc", "ap"]]).round(1)
        text = f"<p>{html.escape(_headline(self))}</p>"
        return text + str(summary.reset_index().to_html(index=False, border=0))


def build_leaderboard(
    results: pd.DataFrame, *, policy: Policy = "main", settings: Settings = DEFAULT
) -> Leaderboard:
    """Rank every configuration in the results.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per trial, from `odbench.run` or `odbench.read_results`.
    policy : str
        How failures count, one of `odbench.scoring.policy.POLICIES`.
    settings : Settings
        Permutations, clusters, seed.

    Returns
    -------
    Leaderboard
        A data frame, see `odbench.leaderboard.tables.build_leaderboard`.

    Raises
    ------
    ResultsError
        If results do not belong in one table.
    UsageError
        If `results` is no data frame, or there is no such policy.
    """
    if not isinstance(results, pd.DataFrame):
        msg = (
            f"results of type {type(results).__name__}: wanted the data frame of "
            "odbench.run; odbench.read_results(RUN) reads that of a run's folder"
        )
        raise UsageError(msg)
    board = tables.build_leaderboard(
        pd.DataFrame(results), policy=policy, settings=settings
    )
    return Leaderboard(board)


def _plain_html(table: pd.DataFrame) -> str:
    return str(pd.DataFrame(table).to_html(max_rows=10, max_cols=20, border=0))


def _headline(results: pd.DataFrame) -> str:
    """Count the trials, their configurations, data sets and failures."""
    if results.empty:
        return "no trials"
    configurations = len(results[["detector", "config"]].drop_duplicates())
    sets = len(results[["suite", "dataset"]].drop_duplicates())
    suites = ", ".join(sorted(map(str, results["suite"].unique())))
    failed = int((results["status"] != "ok").sum())
    return (
        f"{counted(len(results), 'trial')} of "
        f"{counted(configurations, 'configuration')} on {counted(sets, 'data set')} "
        f"of {suites}; {failed} failed"
    )


def _table_html(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    names = [str(first[name]) for name in GROUP]
    sets = coverage(names[0], names[1], int(first["n_total"]))
    head = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
    body = "".join(
        f"<tr>{''.join(map(_cell_html, row))}</tr>" for row in table_cells(rows)
    )
    caption = html.escape(f"{heading_of(*names)}: {sets}")
    return (
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _cell_html(cell: Cell) -> str:
    text = html.escape(cell.text)
    text = f"<b>{text}</b>" if cell.best else text
    if cell.interval:
        text += f" <small>({html.escape(cell.interval)})</small>"
    return f"<td>{text}</td>"
