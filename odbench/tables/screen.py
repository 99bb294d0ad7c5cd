"""Show scored rows in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from odbench.tables.columns import USED
from odbench.tables.scored import Scored
from odbench.text import counted, printable

_WIDTH = 80
_NAMES = 12
_ID = 20


def screen_lines(scored: Scored, top: int, width: int = _WIDTH) -> Iterator[str]:
    """Yield the lines that describe the result.

    Parameters
    ----------
    scored : Scored
    top : int
        Number of rows to list.
    width : int
        Characters per line; names of columns may exceed it.
    """
    yield from _wrapped(_title(scored), width)
    yield from _wrapped(_setting(scored), width)
    yield ""
    yield from column_lines(scored, width)
    yield ""
    yield from _rows(scored, top, width)
    yield from _wrapped(scored.verdict(), width)


def _title(scored: Scored) -> str:
    return f"{scored.name}: {counted(len(scored.scores), 'row')} ({scored.form})"


def _setting(scored: Scored) -> str:
    if scored.setting == "unsupervised":
        return f"{scored.detector}, unsupervised: rows are compared with each other"
    return f"{scored.detector}, one-class: rows are compared with {scored.reference}"


def column_lines(scored: Scored, width: int = _WIDTH) -> Iterator[str]:
    """Yield a line per role, and one per column that is left out or has a remark."""
    for role in USED:
        names = [column.name for column in scored.columns if column.role == role]
        if names:
            more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
            text = ", ".join(names[:_NAMES]) + more
            yield from _wrapped(f"{role:10}{text}", width, indent=10)
    out = [column for column in scored.columns if not column.used]
    for place, column in enumerate(out[:_NAMES]):
        head = "left out" if not place else ""
        note = f" ({column.note})" if column.note else ""
        text = f"{head:10}{column.name}: {column.role}{note}"
        yield from _wrapped(text, width, indent=10)
    if len(out) > _NAMES:
        yield f"{'':10}and {len(out) - _NAMES} more"
    noted = [
        column
        for column in scored.columns
        if column.role in ("number", "integer", "date") and column.note
    ]
    for place, column in enumerate(noted):
        head = "remarks" if not place else ""
        yield from _wrapped(f"{head:10}{column.name}: {column.note}", width, 10)


def _rows(scored: Scored, top: int, width: int) -> Iterator[str]:
    title = scored.id_name[:_ID]
    head = f"{'rank':>6} {'row':>9} {'score':>9} {'p_value':>9}  flag  {title}"
    yield printable(head.rstrip())
    places = scored.top(top)
    for row, number in zip(
        places.tolist(), scored.numbers(places).tolist(), strict=True
    ):
        flag = "*" if scored.flagged[row] else ""
        name = ""
        if scored.id_name:
            name = str(scored.ids[row].as_py())
        yield printable(
            f"{scored.rank[row]:6d} {number:9d} {scored.scores[row]:9.4g} "
            f"{scored.p_values[row]:9.2g}  {flag:4}  {name}"
        ).rstrip()
        for reason in scored.reasons.get(row, ()):
            yield from _wrapped(f"{'':17}{reason}", width, indent=19)
    yield ""


def _wrapped(text: str, width: int, indent: int = 2) -> list[str]:
    """Break a text between words; what is not printable is escaped."""
    start = len(text) - len(text.lstrip())
    lines = textwrap.wrap(
        # A number and its percent sign stay on one line.
        printable(text.strip()).replace(" %", "\u00a0%"),
        width,
        initial_indent=" " * start,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\u00a0%", " %") for line in lines]
