"""Lines of a ranking of columns for a terminal of 80 columns."""

from __future__ import annotations

import textwrap

from odbench.tables.column_ranking import RankedColumn, Ranking, ignore_option
from odbench.text import counted, printable

_WIDTH = 80
_NAME = 18


def ranking_lines(ranking: Ranking) -> list[str]:
    """Return a ranking as lines of at most 80 columns."""
    compared = [one for one in ranking.columns if one.structure is not None]
    lines = _wrapped(
        f"{ranking.table}: {counted(ranking.n_rows, 'row')}, "
        f"{counted(len(ranking.columns), 'column')} ({ranking.form})"
    )
    labelled = bool(ranking.label)
    if compared:
        lines += ["", _head(labelled)]
        lines += [_line(one, labelled=labelled) for one in compared]
    lines += _remarks(ranking)
    lines += [line for note in ranking.notes for line in _wrapped(f"note: {note}")]
    if ranking.to_ignore:
        lines += ["", "A detector is better off without some of them:"]
        option = ignore_option(ranking.to_ignore)
        lines.append(printable(f"  odbench score ... {option}"))
    return lines


def _head(labelled: bool) -> str:
    label = f"{'label':>6}" if labelled else ""
    return (
        f"{'column':{_NAME}} {'kind':8} {'distinct':>8} {'missing':>7} "
        f"{'structure':>9}{label}  most similar"
    )


def _line(one: RankedColumn, *, labelled: bool) -> str:
    label = f"{_share(one.label):>6}" if labelled else ""
    similar = "none"
    if one.most_similar:
        width = 13 if labelled else 19
        similar = f"{_cut(one.most_similar, width)} {_share(one.redundancy)}"
    return (
        f"{_cut(one.column, _NAME):{_NAME}} {one.kind:8} {one.distinct:8,} "
        f"{_percent(one.missing):>7} {_share(one.structure):>9}{label}  {similar}"
    )


def _remarks(ranking: Ranking) -> list[str]:
    """Return a line per column that has warnings."""
    lines = [""] if any(one.warnings for one in ranking.columns) else []
    for one in ranking.columns:
        if one.warnings:
            lines += _wrapped(f"{one.column}: {'; '.join(one.warnings)}")
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        printable(text), _WIDTH, subsequent_indent="  ", break_on_hyphens=False
    )


def _cut(text: str, width: int) -> str:
    text = printable(text)
    return text if len(text) <= width else text[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _percent(value: float) -> str:
    if value == 0:
        return ""
    return "<1 %" if value < 0.01 else f"{value:.0%}".replace("%", " %")
