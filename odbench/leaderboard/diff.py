"""Rank changes between two leaderboards, and whether they exceed the Elo intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from odbench.leaderboard.tables import GROUP
from odbench.leaderboard.terminal import align, fitting, heading_of, method_name

if TYPE_CHECKING:
    import pandas as pd

WHO = (*GROUP, "detector", "config")
COLUMNS = (
    *WHO, "change", "place_before", "place_after", "mean_auroc_before",
    "mean_auroc_after", "elo_before", "elo_after", "within_interval",
    "n_total_before", "n_total_after",
)  # fmt: skip

# Elo points that count as no difference: tables are written with two decimals, and
# the ratings behind an interval are computed less exactly than the rating itself.
_SAME = 0.05
# The leaderboard that has a group whose rows are all new or all gone.
_ONLY_IN = {"new": "the second", "gone": "the first"}


def compare(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Compare two leaderboards row by row.

    Parameters
    ----------
    before, after : pandas.DataFrame
        Leaderboards (`odbench.leaderboard.tables.build_leaderboard`).

    Returns
    -------
    pandas.DataFrame
        One row per configuration of either, with its name; ``change`` ("new",
        "gone", "up", "down", "same" by its place); places by mean AUROC within
        suite, partition and protocol; mean AUROC and Elo before and after;
        ``within_interval``: each Elo lies inside the other's interval, so the two
        tables agree; null if either interval is missing; data sets of both tables.
        Elo ratings have mean 1000 over the configurations of a table, so they also move
        when others come or go.
    """
    both = (
        _placed(before)
        .add_suffix("_before")
        .join(_placed(after).add_suffix("_after"), how="outer", sort=True)
    )
    both["change"] = _changes(both)
    both["within_interval"] = _agree(both)
    both = both.reset_index()
    order = [*GROUP, "place_after", "place_before", "detector", "config"]
    both = both.sort_values(order, kind="stable", ignore_index=True)
    return both[list(COLUMNS)]


def render_diff(changes: pd.DataFrame, width: int | None = None) -> str:
    """Write a comparison for a terminal.

    Parameters
    ----------
    changes : pandas.DataFrame
        From `compare`.
    width : int, optional
        Characters per line, where names are cut; by default, nothing is.

    Returns
    -------
    str
        One block for each suite, partition and protocol; without a newline at the
        end.
    """
    blocks = []
    for (suite, partition, protocol), rows in changes.groupby(list(GROUP), sort=True):
        heading = heading_of(suite, partition, protocol)
        if rows["change"].nunique() == 1 and rows["change"].iloc[0] in _ONLY_IN:
            where = _ONLY_IN[rows["change"].iloc[0]]
            many = "" if len(rows) == 1 else "s"
            blocks.append(
                f"{heading}: only in {where} ({len(rows)} configuration{many})"
            )
            continue
        lines: list[list[str]] = [
            ["configuration", "place", "change", "AUROC", "Elo", "within interval"]
        ]
        for row in rows.to_dict("records"):
            name = method_name(str(row["detector"]), str(row["config"]))
            within = row["within_interval"]
            lines.append(
                [
                    name,
                    _arrow(row["place_before"], row["place_after"], 0),
                    str(row["change"]),
                    _arrow(
                        100 * row["mean_auroc_before"], 100 * row["mean_auroc_after"], 2
                    ),
                    _arrow(row["elo_before"], row["elo_after"], 0),
                    "-" if within is None else ("yes" if within else "no"),
                ]
            )
        blocks.append(
            "\n".join(
                [heading, "", *align(fitting(lines, width), left=(0,)), *_notes(rows)]
            )
        )
    return "\n\n".join(blocks) or "Nothing to compare."


def _notes(rows: pd.DataFrame) -> list[str]:
    """Say why two tables differ where no configuration changed."""
    notes = []
    sizes = [
        set(rows[name].dropna().astype(int))
        for name in ("n_total_before", "n_total_after")
    ]
    if all(sizes) and sizes[0] != sizes[1]:
        first, second = (", ".join(map(str, sorted(size))) for size in sizes)
        notes.append(
            f"Different data sets ({first} and {second}): all columns depend on them."
        )
    if rows["change"].isin(list(_ONLY_IN)).any():
        notes.append(
            "Different configurations: places and Elo are relative to those of a table."
        )
    return ["", *notes] if notes else []


def _placed(table: pd.DataFrame) -> pd.DataFrame:
    rows = table.copy()
    # Means in a file are rounded, so places from them may be others than its own.
    means = rows.groupby(list(GROUP))["mean_auroc"]
    ranked = means.rank(method="min", ascending=False)
    own = rows["place"] if "place" in rows.columns else ranked
    rows["place"] = own.astype("float64").fillna(ranked)
    rows = rows.rename(
        columns={"elo_auroc": "elo", "elo_auroc_low": "low", "elo_auroc_high": "high"}
    )
    columns = ["place", "mean_auroc", "elo", "low", "high", "n_total"]
    numbers = rows.reindex(columns=[*WHO, *columns]).set_index(list(WHO))
    # A leaderboard without rows has columns of objects, whose NaN give warnings.
    return numbers.astype("float64")


def _changes(both: pd.DataFrame) -> list[str]:
    change = []
    for was, now in zip(both["place_before"], both["place_after"], strict=True):
        if np.isnan(was):
            change.append("new")
        elif np.isnan(now):
            change.append("gone")
        else:
            change.append("same" if was == now else "up" if now < was else "down")
    return change


def _agree(both: pd.DataFrame) -> pd.Series[bool]:
    ends = both[["low_before", "high_before", "low_after", "high_after"]]
    agree = (
        _inside(both["elo_after"], both["low_before"], both["high_before"])
        & _inside(both["elo_before"], both["low_after"], both["high_after"])
    ).astype(object)
    agree[ends.isna().any(axis=1)] = None
    return agree


def _inside(elo: pd.Series, low: pd.Series, high: pd.Series) -> pd.Series[bool]:
    return elo.between(low - _SAME, high + _SAME)


def _arrow(before: float, after: float, digits: int) -> str:
    was, now = (
        "-" if np.isnan(value) else f"{value:.{digits}f}" for value in (before, after)
    )
    return was if was == now else f"{was} > {now}"
