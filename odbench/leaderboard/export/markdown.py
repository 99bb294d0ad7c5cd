"""A table as Markdown, best values in bold."""

from __future__ import annotations

from odbench.leaderboard.export.cells import HEADINGS, Cell
from odbench.text import markdown_text


def markdown_table(rows: list[list[Cell]], *, caption: str) -> str:
    """Return a table of Markdown under its caption.

    Parameters
    ----------
    rows : list of list of Cell
        From `table_cells`.
    caption : str
        Plain text.

    Returns
    -------
    str
        Markdown that ends with a newline.
    """
    lines = [
        markdown_text(caption),
        "",
        "| " + " | ".join(HEADINGS) + " |",
        "| --: | :-- |" + " --: |" * (len(HEADINGS) - 2),
        *("| " + " | ".join(map(_cell, row)) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _cell(cell: Cell) -> str:
    text = markdown_text(cell.text)
    text = f"**{text}**" if cell.best else text
    return f"{text} ({cell.interval})" if cell.interval else text
