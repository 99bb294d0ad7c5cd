"""Rows on stdout: a table to read, JSON or CSV to go on with."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from odbench.text import begun, padded, printable, shown_width

if TYPE_CHECKING:
    import pandas as pd

# Words are not cut below these lengths; sentences and names are, to make room for the
# other texts, but not for more columns.
_SHORTEST = 12
_READABLE = 30
# Columns that the narrowest terminal gets.
_FEWEST = 3


def print_rows(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], form: str
) -> None:
    """Print rows on stdout.

    Parameters
    ----------
    rows : sequence of mappings
        Column -> value; None is an empty cell, and null in JSON.
    columns : sequence of str
        Columns to print, in order.
    form : {"table", "json", "csv"}
        A table fits the terminal: its widest texts are cut, and its last columns left
        out, which a line on stderr names. In a file or a pipe nothing is cut. JSON is
        one array.
    """
    if form == "json":
        chosen = [{name: row.get(name) for name in columns} for row in rows]
        click.echo(json.dumps(chosen, indent=1, ensure_ascii=False))
        return
    if form == "csv":
        cells = [[_csv_cell(row.get(name)) for name in columns] for row in rows]
        sink = io.StringIO()
        csv.writer(sink, lineterminator="\n").writerows([list(columns), *cells])
        click.echo(sink.getvalue(), nl=False)
        return
    # A name may hold a line break, which would break the table.
    cells = [[printable(_cell(row.get(name))) for name in columns] for row in rows]
    width = terminal_width()
    kept = _room_for([list(columns), *cells], width)
    columns, left_out = columns[:kept], columns[kept:]
    cells = [line[:kept] for line in cells]
    numeric = [_is_numeric(row.get(name) for row in rows) for name in columns]
    cells = _fitting([list(columns), *cells], numeric, width)[1:]
    widths = [
        max([len(name), *(shown_width(line[i]) for line in cells)])
        for i, name in enumerate(columns)
    ]
    for line in [list(columns), *cells]:
        filled = (
            padded(text, width, right=right)
            for text, width, right in zip(line, widths, numeric, strict=True)
        )
        click.echo("  ".join(filled).rstrip())
    if left_out:
        named = ", ".join(left_out)
        said = f"Left out, wider than the terminal: {named}; see `--format csv`."
        click.echo(said, err=True)


def print_facts(facts: Mapping[str, str]) -> None:
    """Print names with their values on stdout, aligned, in the width of a terminal.

    Parameters
    ----------
    facts : mapping of str to str
        A value goes on below itself where it is too long, and a word is broken only
        where it has no line to itself. In a file or a pipe each value is one line.
    """
    start = max(map(len, facts), default=0) + 2
    width = terminal_width()
    for name, value in facts.items():
        lines = [printable(value)]
        if width is not None:
            room = max(width - start, _SHORTEST)
            lines = textwrap.wrap(lines[0], room, break_on_hyphens=False) or [""]
        for place, line in enumerate(lines):
            click.echo(f"{'' if place else name:{start}}{line}".rstrip())


def terminal_width() -> int | None:
    """Return the characters per line of the terminal; None for a file or a pipe."""
    if not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def _room_for(lines: list[list[str]], width: int | None) -> int:
    """Return how many columns fit the terminal, from the left, with texts cut."""
    columns = list(zip(*lines, strict=True))
    if width is None:
        return len(columns)
    least = [_READABLE, *map(_floor, columns[1:])]
    widest = [max(map(shown_width, column)) for column in columns]
    least = list(map(min, least, widest))
    kept = len(columns)
    while kept > _FEWEST and sum(least[:kept]) + 2 * (kept - 1) > width:
        kept -= 1
    return kept


def _floor(column: Sequence[str]) -> int:
    """Return the length below which the texts of a column say nothing."""
    least = _READABLE if any(map(_is_prose, column)) else _SHORTEST
    return max(len(column[0]), least)


def _is_prose(text: str) -> bool:
    return text.count(" ") > 2


def _fitting(
    lines: list[list[str]], numeric: Sequence[bool], width: int | None
) -> list[list[str]]:
    """Cut the texts of the widest columns until each line fits the terminal."""
    widths = [max(map(shown_width, column)) for column in zip(*lines, strict=True)]
    floors = [max(len(head), _SHORTEST) for head in lines[0]]
    texts = [i for i, number in enumerate(numeric) if not number]
    excess = 0 if width is None else sum(widths) + 2 * (len(widths) - 1) - width
    # The first column holds names, and is cut last.
    for candidates in (texts[1:] if texts[:1] == [0] else texts, texts):
        while excess > 0:
            i = max(candidates, key=lambda k: widths[k] - floors[k], default=None)
            if i is None or widths[i] <= floors[i]:
                break
            widths[i] -= 1
            excess -= 1
    return [[_cut(t, w) for t, w in zip(line, widths, strict=True)] for line in lines]


def _cut(text: str, longest: int) -> str:
    """Cut a sentence at its end, and a name in its middle."""
    from odbench.leaderboard.terminal import shortened

    if shown_width(text) > longest and _is_prose(text):
        return f"{begun(text, longest - 1).rstrip()}…"
    return shortened(text, longest)


def emit(table: pd.DataFrame, form: str) -> None:
    """Print a leaderboard's table on stdout as CSV or as JSON, rounded."""
    from odbench.leaderboard.formats import csv_bytes, rounded

    if form == "csv":
        click.echo(csv_bytes(table).decode(), nl=False)
    else:
        click.echo(rounded(table).to_json(orient="records", indent=2))


def _cell(value: Any) -> str:
    """Return a value as text."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return " ".join(str(item) for item in value)
    return str(value)


def _csv_cell(value: Any) -> str:
    """Return a value as text; truth is written as in JSON and in the files of --out."""
    return str(value).lower() if isinstance(value, bool) else _cell(value)


def _is_numeric(values: Any) -> bool:
    """Whether a column holds numbers alone, so that it is aligned on the right."""
    present = [value for value in values if value is not None]
    return bool(present) and all(isinstance(v, (int, float)) for v in present)
