"""Lines of a recommendation for a terminal of 80 columns."""

from __future__ import annotations

import textwrap

from odbench.tables.recommend import Advice
from odbench.tables.recommend_facts import FACTS
from odbench.text import counted, printable

LIMITED = " within the limits"
_NO_BREAK = "\N{NO-BREAK SPACE}"


def advice_lines(advice: Advice) -> list[str]:
    """Return the recommendation as lines of at most 80 columns."""
    told = f"{advice.table}:"
    if advice.reference is not None:
        told = f"{advice.table} against {advice.reference}, which has"
    lines = [*_wrapped(f"{told} {_facts(advice)}"), ""]
    width = max(len(row["detector"]) for row in advice.rows)
    header = f"{'detector':{width}} {'place':>5}"
    header += f"  {'AUROC (95 %)':17}{'adj. AP (95 %)':17}{'seconds':>7}{'GiB':>7}"
    lines.append(header)
    for row in advice.rows:
        mark = "" if row["within_limits"] else " x"
        lines.append(
            f"{row['detector']:{width}} {row['place']:5.1f}  "
            f"{_ranged(row, 'auroc'):17}{_ranged(row, 'ap'):17}"
            f"{_short(row['seconds']):>7}{_short(row['memory_gib']):>7}{mark}"
        )
    if not all(row["within_limits"] for row in advice.rows):
        lines.append("x: outside the limits")
    if all(row["memory_gib"] is None for row in advice.rows):
        lines.append("GiB: too few measurements of memory in the evidence")
    lines += ["", *_wrapped(verdict(advice))]
    lines += _wrapped(
        f"Behind it: {advice.n_sets} similar data sets of {advice.n_families} families "
        f"(a family counts once); {advice.provenance}."
    )
    return lines


def verdict(advice: Advice) -> str:
    """Return the recommendation as a sentence."""
    if not advice.recommended:
        return "No detector keeps these limits; raise one of them."
    limited = "" if all(row["within_limits"] for row in advice.rows) else LIMITED
    told = f"Recommended: {advice.recommended}."
    if advice.recommended == advice.best_overall:
        told += (
            f" It is also the best over all data sets{limited}: this table's facts do "
            f"not change the choice."
        )
    else:
        told += f" Over all data sets the best{limited} is {advice.best_overall}."
    if advice.as_good:
        told += f" May be as good: {', '.join(advice.as_good)}."
    return told


def _facts(advice: Advice) -> str:
    told = []
    for fact, (words, scale) in FACTS.items():
        value = advice.facts[fact]
        if scale == "log":
            told.append(counted(round(value), words))
        elif fact == "dependence":
            told.append(f"{words} {value:.2f}")
        else:
            told.append(f"{value:.0%} {words}".replace("%", " %"))
    return ", ".join(told)


def _wrapped(text: str) -> list[str]:
    # "14 %" stays on one line.
    kept = printable(text).replace(" %", _NO_BREAK + "%")
    lines = textwrap.wrap(kept, 80, break_on_hyphens=False)
    return [line.replace(_NO_BREAK, " ") for line in lines]


def _ranged(row: dict[str, object], name: str) -> str:
    mean, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if low is None:
        return f"{mean:.3f}"
    return f"{mean:.3f} {low:.2f}-{high:.2f}"


def _short(value: float | None) -> str:
    if value is None:
        return "-"
    if value < 0.01:
        return "<0.01"
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
