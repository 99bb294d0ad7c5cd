"""A comparison of two configurations as text, at most 80 characters wide."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from odbench.leaderboard.pairs import WHOLE
from odbench.leaderboard.tables import GROUP
from odbench.leaderboard.terminal import align, heading_of, shortened
from odbench.scoring.metrics import ranked_metrics
from odbench.scoring.paired import EQUIVALENT, TIE_ERRORS
from odbench.text import printable

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_NAME = 30
_LONGEST_LEVEL = 30
_LABELS = {metric.name: metric.label for metric in ranked_metrics()}


def render_pairs(table: pd.DataFrame) -> str:
    """Write a comparison for a terminal.

    Parameters
    ----------
    table : pandas.DataFrame
        From `odbench.leaderboard.pairs.compare_methods`.

    Returns
    -------
    str
        One block per suite, partition and protocol; no newline at the end.
    """
    groups = table.groupby(list(GROUP), sort=True)
    blocks = [_block(rows.to_dict("records")) for _, rows in groups]
    return "\n\n".join(blocks) + "\n\n" + _legend()


def _block(rows: list[dict[Any, Any]]) -> str:
    whole = [row for row in rows if row["slice"] == WHOLE[0]]
    first = whole[0]
    sets, families = first["n_datasets"], first["n_families"]
    lines = [
        heading_of(*(first[name] for name in GROUP)),
        f"a = {printable(first['a'])}",
        f"b = {printable(first['b'])}",
        f"{sets} data sets in {families} families, on which both were tried",
        "",
        *_summary(whole),
    ]
    parts = [row for row in rows if row["slice"] != WHOLE[0]]
    for metric in dict.fromkeys(row["metric"] for row in parts):
        lines += ["", *_slices([row for row in parts if row["metric"] == metric])]
    return "\n".join(lines)


def _summary(whole: list[dict[Any, Any]]) -> list[str]:
    """Write one column per metric."""
    cells = [["", *(_LABELS.get(row["metric"], row["metric"]) for row in whole)]]
    for part in ("a", "b"):
        name = shortened(str(whole[0][part]), _LONGEST_NAME)
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


def _slices(rows: list[dict[Any, Any]]) -> list[str]:
    label = _LABELS.get(rows[0]["metric"], rows[0]["metric"])
    cells = [[f"{label} by slice", "sets", "diff.", "95 % interval", "w/t/l", "p"]]
    for row in rows:
        name = f"{row['slice']}: {row['level']}"
        cells.append(
            [
                shortened(name, _LONGEST_LEVEL),
                str(row["n_datasets"]),
                _signed(row["difference"], 1),
                _interval(row, 1),
                _counts(row),
                _chance(row["p_holm"]),
            ]
        )
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
        return "not decided: too few families"
    return str(row["verdict"])
