"""Tables as CSV and Markdown, byte for byte the same on every machine.

Numbers are rounded to a useful precision, which also hides the last bits, in which two
machines may differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.leaderboard.tables import GROUP
from odbench.leaderboard.terminal import inference_lines, method_name, place_range
from odbench.scoring.policy import MEANINGS
from odbench.scoring.settings import describe
from odbench.suites import ORACLE, ORACLE_WORDS, coverage
from odbench.text import cell_text, markdown_text

if TYPE_CHECKING:
    import pandas as pd

_DECIMALS = 6
# Prefix of a column's name and its decimals; the first match applies.
_BY_NAME = (("elo_", 2), ("rank_", 4), ("total_rank", 4), ("place", 0))
# Probabilities that no number of sign flips bounds from below: a small one is not 0.
_SIGNIFICANT = ("p_wilcoxon",)


def csv_bytes(table: pd.DataFrame, *, decimals: int | None = None) -> bytes:
    """Write a table as CSV.

    Parameters
    ----------
    table : pandas.DataFrame
        The table; its index is not written.
    decimals : int, optional
        Maximum number of decimals; a column keeps its own number if that is smaller.

    Returns
    -------
    bytes
        UTF-8 with a header and LF line ends; missing values are empty. Text that a
        spreadsheet would treat as a formula gets an apostrophe in front.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    copy = rounded(table, decimals=decimals)
    for name in copy.columns:
        if not (is_numeric_dtype(copy[name]) or is_bool_dtype(copy[name])):
            copy[name] = _harmless(copy[name])
    text: str = copy.to_csv(index=False, lineterminator="\n")
    return text.encode()


def rounded(table: pd.DataFrame, *, decimals: int | None = None) -> pd.DataFrame:
    """Round every column of floats to its number of decimals.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table of this package.
    decimals : int, optional
        Maximum number of decimals in every column.

    Returns
    -------
    pandas.DataFrame
        A copy; whole-number columns of floats become nullable integers.
    """
    limit = _DECIMALS if decimals is None else decimals
    copy = table.copy()
    for name in copy.columns:
        if copy[name].dtype != np.float64:
            continue
        if name in _SIGNIFICANT:
            copy[name] = [float(f"{value:.{_DECIMALS}g}") for value in copy[name]]
            continue
        places = min(_decimals(str(name)), limit)
        copy[name] = copy[name].round(places) + 0.0
        if places == 0 or str(name).startswith("n_"):
            copy[name] = copy[name].astype("Int64")
    return copy


def suite_markdown(suite: str, table: pd.DataFrame) -> str:
    """Write the Markdown page of a suite, for readers of the repository.

    Parameters
    ----------
    suite : str
        Name of the suite.
    table : pandas.DataFrame
        Leaderboard of the suite, all partitions and protocols.

    Returns
    -------
    str
        Markdown that ends with a newline.
    """
    lines = [f"# {suite}", ""]
    for (_, partition, protocol), rows in table.groupby(list(GROUP), sort=True):
        sets = int(rows["n_total"].iloc[0])
        lines += [
            f"## {partition}, {protocol}",
            "",
            f"{coverage(suite, str(partition), sets)}, {len(rows)} configurations, "
            "sorted by place: mean AUROC, higher is better. "
            + " ".join(describe(str(protocol))),
            "",
            *markdown_table(rows),
            "",
            *_notes(rows),
        ]
    return "\n".join(lines).rstrip("\n") + "\n"


def markdown_table(rows: pd.DataFrame) -> list[str]:
    """Write the main columns of a leaderboard as lines of Markdown.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of one suite, partition and protocol, in the order to show.

    Returns
    -------
    list of str
    """
    headings = (
        "place (95 %)", "configuration", "sets", "failed", "AUROC (95 %)", "AP (95 %)",
        "place by AP (95 %)", "rank", "Elo (95 %)", "win rate", "top 3", "total rank",
        "fit s", "score s",
    )  # fmt: skip
    lines = [
        "| " + " | ".join(headings) + " |",
        "| " + " | ".join(["--:", ":--"] + ["--:"] * (len(headings) - 2)) + " |",
    ]
    for row in rows.to_dict("records"):
        cells = (
            place_range(row, "place"),
            markdown_text(method_name(row["detector"], row["config"])),
            f"{row['n_datasets']:.0f}",
            f"{row['n_failed']:.0f}",
            _range(row, "mean_auroc", 2, 100.0),
            _range(row, "mean_ap", 2, 100.0),
            place_range(row, "place_ap"),
            _plain(row["rank_auroc"], 2),
            _range(row, "elo_auroc", 0),
            _percent(row["win_rate"], 1),
            _percent(row["top3_auroc"], 1),
            _plain(row["total_rank"], 2),
            _seconds(row["median_fit_seconds"]),
            _seconds(row["median_score_seconds"]),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _harmless(column: pd.Series[Any]) -> pd.Series[Any]:
    """Change the texts that a spreadsheet would take for a formula; few are."""
    texts = (value for value in column.unique() if isinstance(value, str))
    changed = {text: safe for text in texts if (safe := cell_text(text)) != text}
    if not changed:
        return column
    return column.map(lambda value: changed.get(value, value), na_action="ignore")


def _notes(rows: pd.DataFrame) -> list[str]:
    failed, trials = int(rows["n_failed"].sum()), int(rows["n_trials"].sum())
    missing = int(rows["n_missing"].sum())
    notes = [f"{failed} of {trials} trials failed and count as {MEANINGS['main']}."]
    if missing:
        are = "trial is" if missing == 1 else "trials are"
        notes[0] += (
            f" {missing} {are} missing: a data set that was not tried counts as "
            f"failed, a single seed not at all."
        )
    notes += ["", " ".join(inference_lines(rows))]
    if (rows["detector"] == ORACLE).any():
        notes += ["", ORACLE_WORDS]
    return [*notes, ""]


def _decimals(name: str) -> int:
    for beginning, places in _BY_NAME:
        if name.startswith(beginning):
            return places
    return _DECIMALS


def _plain(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def _percent(value: float, digits: int) -> str:
    return _plain(100.0 * value, digits)


def _range(row: Mapping[Any, Any], name: str, digits: int, scale: float = 1.0) -> str:
    """Return ``1277 (1246 to 1319)``, or the value alone if it has no interval."""
    value, low, high = (
        scale * float(row[column]) for column in (name, f"{name}_low", f"{name}_high")
    )
    if np.isnan(low):
        return _plain(value, digits)
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _seconds(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3g}"
