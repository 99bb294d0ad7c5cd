"""A leaderboard as plain text, no wider than the terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from odbench.errors import UsageError
from odbench.leaderboard.tables import GROUP, SEEN
from odbench.scoring.clusters import FEWEST
from odbench.scoring.policy import MEANINGS, Policy
from odbench.scoring.settings import ONE_CLASS, describe
from odbench.suites import coverage
from odbench.text import begun, padded, printable, shown_width

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 100
# Columns that decide between rows that are equal in the column to sort by.
_TIES = ("place", "mean_auroc", "mean_ap")
_NAME = "configuration"
_SHORTEST_NAME = 16
# Columns that are left out in a narrow terminal, in this order.
_LEAST_NEEDED = ("rank", "by AP 95 %", "Elo 95 %", "failed", "sets", "seconds")
# Columns with these prefixes sort in descending order, all others in ascending order.
_HIGHER_IS_BETTER = (
    "mean_", "elo_", "win_rate", "rauc_", "top3_", "p_best", "may_be_", "n_datasets",
    "ceiling_share_",
)  # fmt: skip


def render_table(
    table: pd.DataFrame,
    *,
    sort: str = "place",
    policy: Policy = "main",
    width: int | None = None,
) -> str:
    """Render a leaderboard for a terminal.

    Parameters
    ----------
    table : pandas.DataFrame
        From `odbench.leaderboard.tables.build_leaderboard`, or rows of it.
    sort : str
        Column to sort by, best first.
    policy : str
        How failures count in this table, for the remark below it.
    width : int, optional
        Characters per line: names are cut in the middle and columns left out until
        rows fit. By default, as for a file or a pipe, nothing is cut.

    Returns
    -------
    str
        One block per suite, partition and protocol: a header that says what is
        shown, one line per configuration, and remarks if trials failed or are
        missing or the policy is not "main". There is no newline at the end.

    Raises
    ------
    UsageError
        If the table does not have the column `sort`.
    """
    if table.empty:
        return "No trials to rank, so no leaderboard."
    groups = sorted_by(table, sort).groupby(list(GROUP), sort=True)
    return "\n\n".join(_block(rows, sort, policy, width) for _, rows in groups)


def sorted_by(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Sort a table by one column, best first, groups kept together.

    Parameters
    ----------
    table : pandas.DataFrame
        A leaderboard.
    column : str
        One of its columns.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    UsageError
        If the table does not have that column.
    """
    if column not in table.columns:
        msg = f"sort column {column!r}: wanted one of {', '.join(table.columns)}"
        raise UsageError(msg)
    keys = [*GROUP, column, *_TIES, "detector", "config"]
    keys = [key for key in keys if key in table.columns]
    keys = list(dict.fromkeys(keys))
    up = [not key.startswith(_HIGHER_IS_BETTER) for key in keys]
    return table.sort_values(keys, ascending=up, kind="stable", ignore_index=True)


def method_name(detector: str, config: str) -> str:
    """Return ``knn`` or ``knn[k=20]``."""
    return detector if config in ("default", "") else f"{detector}[{config}]"


def heading_of(suite: object, partition: object, protocol: object) -> str:
    """Return ``oddbench / public, one-class``."""
    return printable(f"{suite} / {partition}, {protocol}")


def _block(rows: pd.DataFrame, sort: str, policy: Policy, width: int | None) -> str:
    first = rows.iloc[0]
    better = "higher" if sort.startswith(_HIGHER_IS_BETTER) else "lower"
    direction = f" ({better} is better)" if _is_number(rows, sort) else ""
    lines = [
        f"{heading_of(first['suite'], first['partition'], first['protocol'])}: "
        f"{len(rows)} configuration{'' if len(rows) == 1 else 's'} on "
        f"{coverage(first['suite'], first['partition'], int(first['n_total']))}",
        f"sorted by {sort}{direction}",
        *_setting(str(first["protocol"]), width),
        "",
    ]
    aligned, left_out = _aligned(rows, sort, width)
    below = _remarks(rows, policy)
    if left_out:
        below += ["", f"Left out, wider than the terminal: {', '.join(left_out)}."]
    return "\n".join([*_wrapped(lines, width), *aligned, *_wrapped(below, width)])


def _wrapped(lines: Sequence[str], width: int | None) -> list[str]:
    """Break sentences at the terminal's width, if there is one; keep empty lines."""
    if width is None:
        return list(lines)
    return [part for line in lines for part in textwrap.wrap(line, width) or [""]]


def _setting(protocol: str, width: int | None) -> list[str]:
    """Describe a setting other than the usual one, at most `WIDTH` wide."""
    if protocol == ONE_CLASS:
        return []
    return textwrap.wrap(" ".join(describe(protocol)), min(width or WIDTH, WIDTH))


def _aligned(
    rows: pd.DataFrame, sort: str, width: int | None
) -> tuple[list[str], list[str]]:
    """Return the lines of the table, and the headings that did not fit.

    The column that the rows are sorted by is always among them.
    """
    records = rows.to_dict("records")
    names = [
        _mark(row) + method_name(row["detector"], row["config"]) + _seen_mark(row)
        for row in records
    ]
    cells = dict(_CELLS)
    ordered = _HEADINGS.get(sort, sort)
    if ordered not in cells and _is_number(rows, sort):
        cells[ordered] = _significant(sort)
    columns = {
        heading: [cell(row) for row in records] for heading, cell in cells.items()
    }
    left_out = []
    longest = max(map(shown_width, [_NAME, *names]))
    if width is not None:
        for heading in _LEAST_NEEDED:
            if heading == ordered:
                continue
            if width - _taken(columns) >= min(longest, _SHORTEST_NAME):
                break
            del columns[heading]
            left_out.append(heading)
        longest = max(len(_NAME), width - _taken(columns))
    shown = [shortened(name, longest) for name in names]
    body = zip(shown, *columns.values(), strict=True)
    return align([[_NAME, *columns], *map(list, body)], left=(0,)), left_out


def _is_number(rows: pd.DataFrame, column: str) -> bool:
    """Check whether a column holds numbers or truth values, and no text."""
    return rows[column].dtype.kind in "biuf"


def _significant(column: str) -> Callable[[Any], str]:
    """Return the cell of a column with four significant digits."""

    def cell(row: dict[str, Any]) -> str:
        value = row[column]
        return "-" if _is_missing(value) else f"{float(value):.4g}"

    return cell


def _taken(columns: Mapping[str, Sequence[str]]) -> int:
    """Return the width of columns with the gaps before them."""
    return sum(2 + max(map(shown_width, [h, *c])) for h, c in columns.items())


def _mark(row: Mapping[Any, Any]) -> str:
    """Return a mark for the run's own rows where there are published ones, too."""
    source = row.get("source")
    return "" if source is None else "* " if source == "run" else "  "


def _seen_mark(row: Mapping[Any, Any]) -> str:
    """Return a mark where weights were trained on data sets of the table."""
    count = row.get(SEEN)
    return "" if _is_missing(count) or not count else f" †{int(count)}"


def shortened(name: str, longest: int) -> str:
    """Cut a name in its middle, because configurations often differ at their ends."""
    if shown_width(name) <= longest:
        return name
    tail = (longest - 1) // 2
    start = begun(name, longest - 1 - tail)
    # A mark stays with the letter that it is on.
    first = len(name)
    while first and shown_width(name[first - 1 :]) <= tail:
        first -= 1
    while first < len(name) and not shown_width(name[first]):
        first += 1
    return f"{start}…{name[first:]}"


def fitting(
    cells: Sequence[Sequence[str]], width: int | None, *, shortest: int = _SHORTEST_NAME
) -> list[list[str]]:
    """Cut the names in the first column so that lines fit a terminal.

    Parameters
    ----------
    cells : sequence of sequences of str
        Cells of each line; the first line is the heading.
    width : int or None
        Characters per line; None to cut nothing.
    shortest : int
        Names are not cut below this length.

    Returns
    -------
    list of list of str
    """
    if width is None:
        return [list(line) for line in cells]
    others = list(zip(*cells, strict=True))[1:]
    taken = sum(2 + max(map(shown_width, each)) for each in others)
    longest = max(shortest, width - taken)
    return [[shortened(name, longest), *rest] for name, *rest in cells]


def align(lines: Sequence[Sequence[str]], *, left: Sequence[int] = ()) -> list[str]:
    """Pad columns of text to equal width, two spaces apart.

    Characters that a terminal would obey (colours, cursor moves) are escaped.

    Parameters
    ----------
    lines : sequence of sequences of str
        Cells of each line; the first line is the heading.
    left : sequence of int
        Indices of the left-aligned columns; all others are right-aligned.

    Returns
    -------
    list of str
    """
    lines = [[printable(cell) for cell in line] for line in lines]
    widths = [max(map(shown_width, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            padded(cell, width, right=place not in left)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def _remarks(rows: pd.DataFrame, policy: Policy) -> list[str]:
    failed, missing = int(rows["n_failed"].sum()), int(rows["n_missing"].sum())
    trials = int(rows["n_trials"].sum())
    remarks = [f"Failures: {policy} ({MEANINGS[policy]})."]
    if failed:
        remarks.append(f"{failed} of {trials} trials failed.")
    if missing:
        are_missing = "1 trial is" if missing == 1 else f"{missing} trials are"
        remarks.append(
            f"{are_missing} missing; a data set that was not tried counts as failed."
        )
    if len(remarks) == 1 and policy == "main":
        remarks = []
    if "source" in rows.columns:
        remarks.append("*: this run; all others are published results.")
    if SEEN in rows.columns and rows[SEEN].fillna(0).any():
        remarks += [
            "†: number of these data sets that its weights were trained on; the slice",
            "'not seen in training' leaves them out.",
        ]
    remarks += inference_lines(rows)
    return ["", *remarks] if remarks else []


def _number(column: str, digits: int, scale: float = 1.0) -> Callable[[Any], str]:
    def cell(row: dict[str, Any]) -> str:
        value = float(row[column])
        return "-" if math.isnan(value) else f"{value * scale:.{digits}f}"

    return cell


def _elo(row: dict[str, Any]) -> str:
    elo = float(row["elo_auroc"])
    # In a table that somebody else wrote, the interval may not contain the rating.
    low = min(row["elo_auroc_low"] - elo, 0.0)
    high = max(row["elo_auroc_high"] - elo, 0.0)
    if math.isnan(low):
        return f"{elo:.0f}"
    if round(-low) == round(high):
        return f"{elo:.0f} ±{high:.0f}"
    return f"{elo:.0f} -{abs(low):.0f}/+{high:.0f}"


def _seconds(row: dict[str, Any]) -> str:
    value = row["median_fit_seconds"] + row["median_score_seconds"]
    return "-" if math.isnan(value) else f"{value:.3g}"


def _sets(row: dict[str, Any]) -> str:
    tried, total = int(row["n_datasets"]), int(row["n_total"])
    return str(tried) if tried == total else f"{tried}/{total}"


def place_range(row: Mapping[Any, Any], name: str) -> str:
    """Return ``3 (2-5)``: the place and its interval, or the place alone."""
    place, low, high = (
        row.get(column) for column in (name, f"{name}_low", f"{name}_high")
    )
    if _is_missing(place):
        return "-"
    if _is_missing(low) or _is_missing(high):
        return f"{place:.0f}"
    return f"{place:.0f} ({low:.0f}-{high:.0f})"


def inference_lines(rows: pd.DataFrame) -> list[str]:
    """Say what the intervals mean, and how small a difference the table can show.

    Parameters
    ----------
    rows : pandas.DataFrame
        Leaderboard of one suite, partition and protocol.

    Returns
    -------
    list of str
        Sentences of at most 100 characters; none for one configuration.
    """
    first = rows.iloc[0].to_dict()
    families = first.get("n_families")
    if len(rows) < 2 or _is_missing(families):
        return []
    lines = []
    if not _is_missing(first.get("place_low")):
        lines.append(
            "Places: simultaneous 95 % intervals; 1 in the interval: may be best."
        )
    if _has_none(rows, "mean_auroc_low"):
        noun = "family" if families == 1 else "families"
        lines.append(
            f"No other intervals: {families:.0f} {noun} of data sets; wanted "
            f"{FEWEST} or more of about equal size."
        )
    elif _has_none(rows, "elo_auroc_low"):
        tied = rows["rank_auroc"].nunique() == 1
        lines.append(
            "No Elo intervals: all comparisons are ties."
            if tied
            else "No Elo intervals: a group of configurations wins every comparison."
        )
    sizes = [
        float(first.get(f"detectable_{name}", math.nan)) for name in ("auroc", "ap")
    ]
    if not any(map(math.isnan, sizes)):
        half = (rows["rank_auroc_high"] - rows["rank_auroc_low"]).median() / 2.0
        points, ap_points = (f"{100.0 * size:.1f}" for size in sizes)
        lines.append(
            f"{families:.0f} families of data sets show differences of {points} points "
            f"of AUROC, {ap_points} of AP"
        )
        lines.append(
            f"(power 80 %, among all pairs); average ranks are known to ±{half:.2f}."
        )
    return lines


def _has_none(rows: pd.DataFrame, column: str) -> bool:
    """Check whether no row has the end of an interval; a single one may lack it."""
    return column not in rows or bool(rows[column].isna().all())


def _is_missing(value: Any) -> bool:
    return value is None or bool(value != value)  # noqa: PLR0124 - NaN or pandas.NA


_CELLS: tuple[tuple[str, Callable[[Any], str]], ...] = (
    ("place 95 %", lambda row: place_range(row, "place")),
    ("sets", _sets),
    ("failed", lambda row: str(int(row["n_failed"]))),
    ("AUROC", _number("mean_auroc", 2, 100.0)),
    ("AP", _number("mean_ap", 2, 100.0)),
    ("rank", _number("rank_auroc", 2)),
    ("Elo 95 %", _elo),
    ("by AP 95 %", lambda row: place_range(row, "place_ap")),
    ("seconds", _seconds),
)
# Heading that shows a column, where it has another name.
_HEADINGS = {
    "place": "place 95 %", "place_low": "place 95 %", "place_high": "place 95 %",
    "n_datasets": "sets", "n_failed": "failed",
    "mean_auroc": "AUROC", "mean_ap": "AP", "rank_auroc": "rank",
    "elo_auroc": "Elo 95 %",
    "place_ap": "by AP 95 %", "place_ap_low": "by AP 95 %",
    "place_ap_high": "by AP 95 %",
}  # fmt: skip
