"""A comparison of two configurations as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from odbench.leaderboard.pairs import WHOLE
from odbench.leaderboard.tables import GROUP
from odbench.leaderboard.terminal import align, fitting, heading_of, shortened
from odbench.scoring.metrics import ranked_metrics
from odbench.scoring.paired import EQUIVALENT, TIE_ERRORS
from odbench.text import counted, printable

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_NAME = 30
_SHORTEST_LEVEL = 20
_LABELS = {metric.name: metric.label for metric in ranked_metrics()}


def render_pairs(table: pd.DataFrame, *, width: int | None = None) -> str:
    """Write a comparison for a terminal.

    Parameters
    ----------
    table : pandas.DataFrame
        From `odbench.leaderboard.pairs.compare_methods`.
    width : int, optional
        Columns of the terminal; without it no name is cut.

    Returns
    -------
    str
        One block per suite, partition and protocol; no newline at the end.
    """
    groups = table.groupby(list(GROUP), sort=True)
    blocks = [_block(rows.to_dict("records"), width) for _, rows in groups]
    return "\n\n".join(blocks) + "\n\n" + _legend()


def _block(rows: list[dict[Any, Any]], width: int | None) -> str:
    whole = [row for row in rows if row["slice"] == WHOLE[0]]
    first = whole[0]
    sets, families = first["n_datasets"], first["n_families"]
    lines = [
        heading_of(*(first[name] for name in GROUP)),
        f"a = {printable(first['a'])}",
        f"b = {printable(first['b'])}",
        f"{counted(sets, 'data set')} in {families:,} "
        f"famil{'y' if families == 1 else 'ies'}, on which both were tried",
        "",
        *_summary(whole, width),
    ]
    parts = [row for row in rows if row["slice"] != WHOLE[0]]
    for metric in dict.fromkeys(row["metric"] for row in parts):
        of_metric = [row for row in parts if row["metric"] == metric]
        lines += ["", *_slices(of_metric, width)]
    return "\n".join(lines)


def _summary(whole: list[dict[Any, Any]], width: int | None) -> list[str]:
    """Write one column per metric."""
    cells = [["", *(_LABELS.get(row["metric"], row["metric"]) for row in whole)]]
    for part in ("a", "b"):
        name = str(whole[0][part])
        name = name if width is None else shortened(name, _LONGEST_NAME)
        value = "first" if part == "a" else "second"
        cells.append([f"{part}: {name}", *(_points(row[value]) for row in whole)])
    cells += [
        ["difference", *(_signed(row["difference"]) for row in whole)],
        ["95 % interval", *(_interval(row) for row in whole)],
        ["p (sign flips)", *(_chance(row["p"]) for row in whole)],
        ["p (Wilcoxon)", *(_chance(row["p_wilcoxon"]) for row in whole)],
        ["wins/ties/losses of a", *(_counts(row) for row in whole)],
        ["median tie band", *(f"±{100 * row['median_band']:.1f}" for row in whole)],
        ["a is", *(_verdict(row) for row in whole)],
    ]
    return align(cells, left=(0,))


def _slices(rows: list[dict[Any, Any]], width: int | None) -> list[str]:
    label = _LABELS.get(rows[0]["metric"], rows[0]["metric"])
    cells = [[f"{label} by slice", "sets", "diff.", "95 % interval", "w/t/l", "p"]]
    cells += [
        [
            f"{row['slice']}: {row['level']}",
            str(row["n_datasets"]),
            _signed(row["difference"], 1),
            _interval(row, 1),
            _counts(row),
            _chance(row["p_holm"]),
        ]
        for row in rows
    ]
    cells = fitting(cells, width, shortest=_SHORTEST_LEVEL)
    return align(cells, left=(0,))


def _legend() -> str:
    region = f"±{100 * EQUIVALENT:.0f} point"
    lines = (
        f"Points of 100. Equivalent: the interval lies within {region}. Tie: a",
        f"difference within {TIE_ERRORS} standard errors, from the rows and seeds of",
        "each data set. Families count as one observation; p of slices is corrected",
        "by Holm; failures count as 0.",
    )
    return "\n".join(lines)


def _chance(p: float) -> str:
    return f"{p:.4f}" if p >= 0.0001 else "< 0.0001"


def _points(value: float) -> str:
    return f"{100.0 * value:.2f}"


def _signed(value: float, digits: int = 2) -> str:
    return f"{100.0 * value:+.{digits}f}"


def _interval(row: Mapping[Any, Any], digits: int = 2) -> str:
    if math.isnan(row["low"]):
        return "none"
    return f"{_signed(row['low'], digits)} to {_signed(row['high'], digits)}"


def _counts(row: Mapping[Any, Any]) -> str:
    return f"{row['wins']}/{row['ties']}/{row['losses']}"


def _verdict(row: Mapping[Any, Any]) -> str:
    if row["verdict"] == "unknown":
        return "unknown: few families"
    return str(row["verdict"])
