"""A table and a paragraph as LaTeX that needs no package."""

from __future__ import annotations

import unicodedata

from odbench.leaderboard.export.cells import HEADINGS, Cell

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "&": r"\&",
    "%": r"\%", "$": r"\$", "#": r"\#", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "±": r"$\pm$", "[": "{[}", "]": "{]}",
    "*": r"$^{*}$", "…": r"\ldots{}",
}  # fmt: skip
# Letters up to here are in the fonts that LaTeX uses without a package.
_LAST_LETTER = "ÿ"


def escaped(text: str) -> str:
    r"""Return a text with the characters that LaTeX would obey escaped.

    A character that a plain LaTeX document cannot print becomes its code point.

    Examples
    --------
    >>> print(escaped("dte_np[k=20] 95 %"))
    dte\_np{[}k=20{]} 95 \%
    """
    return "".join(_character(char) for char in text)


def _character(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    if " " <= char <= "~":
        return char
    if char.isalpha() and char <= _LAST_LETTER and unicodedata.decomposition(char):
        return char
    return f"{{[}}U+{ord(char):04X}{{]}}"


def latex_table(rows: list[list[Cell]], *, caption: str, label: str) -> str:
    r"""Return a ``table`` environment.

    Parameters
    ----------
    rows : list of list of Cell
        From `table_cells`.
    caption : str
        Plain text.
    label : str
        Plain text, the name for ``\ref``.

    Returns
    -------
    str
        LaTeX that ends with a newline. Best values are bold, intervals small.
    """
    columns = "rl" + "r" * (len(HEADINGS) - 2)
    lines = [
        r"\begin{table}",
        r"\centering\scriptsize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{escaped(caption)}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\hline",
        " & ".join(HEADINGS) + r" \\",
        r"\hline",
        *(" & ".join(map(_cell, row)) + r" \\" for row in rows),
        r"\hline",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _cell(cell: Cell) -> str:
    text = escaped(cell.text)
    text = rf"\textbf{{{text}}}" if cell.best else text
    if not cell.interval:
        return text
    ends = cell.interval.replace(" to ", "--" if "-" not in cell.interval else " to ")
    return rf"{text} {{\tiny ({escaped(ends)})}}"


def latex_document(inputs: list[str]) -> str:
    """Return a document that shows the exported files, to try them."""
    shown = "\n".join(rf"\input{{{name}}}" for name in inputs)
    return (
        "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n"
        "\\usepackage[T1]{fontenc}\n\\begin{document}\n"
        f"{shown}\n"
        "\\bibliographystyle{plain}\n\\bibliography{references}\n\\end{document}\n"
    )
