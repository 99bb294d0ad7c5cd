"""Text to show: untrusted text made harmless, numbers with their nouns."""

from __future__ import annotations

import itertools
import re
import unicodedata

# Control and format characters (joiners, direction marks, soft hyphens), surrogates and
# line separators: a terminal obeys them, or a reader does not see them.
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
# A leading character that makes a spreadsheet treat the cell as a formula.
_FORMULA = re.compile(r"[=+\-@\t\r]")


def is_plain(text: str) -> bool:
    r"""Check whether a text has only visible characters and spaces.

    Examples
    --------
    >>> is_plain("Löf [k=20]"), is_plain("two\nlines"), is_plain("a\u200bb")
    (True, False, False)
    """
    return not any(unicodedata.category(char) in _HIDDEN for char in text)


def printable(text: str) -> str:
    r"""Return a text with control characters escaped, for a terminal.

    Examples
    --------
    >>> print(printable("a\x1b[31mb"))
    a\x1b[31mb
    """
    if text.isprintable():
        return text
    return "".join(
        char if is_plain(char) else char.encode("unicode_escape").decode()
        for char in text
    )


def shown_width(text: str) -> int:
    r"""Return the number of columns that a text takes in a terminal.

    Wide letters, such as Chinese ones, take two; marks on other letters take none.

    Examples
    --------
    >>> shown_width("knn"), shown_width("\u6a21\u578b"), shown_width("Lo\u0308f")
    (3, 4, 3)
    """
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Fill a text with spaces to a width in columns of a terminal.

    Parameters
    ----------
    text : str
    width : int
        A text that is wider is unchanged.
    right : bool
        Whether the text is on the right, after the spaces.
    """
    spaces = " " * (width - shown_width(text))
    return spaces + text if right else text + spaces


def begun(text: str, width: int) -> str:
    r"""Return as much of the start of a text as fits into columns of a terminal.

    Examples
    --------
    >>> begun("knn", 2), begun("\u6a21\u578b", 3) == "\u6a21"
    ('kn', True)
    """
    if text.isascii():
        return text[: max(width, 0)]
    ends = itertools.accumulate(map(_columns_of, text))
    return text[: sum(end <= width for end in ends)]


def _columns_of(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def names_in(text: str) -> list[str]:
    """Return the names of a comma-separated list, without spaces and empty ones.

    Examples
    --------
    >>> names_in("oddbench, adbench,")
    ['oddbench', 'adbench']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun in the singular or the plural.

    Examples
    --------
    >>> counted(1, "data set"), counted(3, "data set"), counted(1200, "row")
    ('1 data set', '3 data sets', '1,200 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def show_bytes(number: float) -> str:
    """Return a number of bytes in a unit that suits it, with three digits.

    Examples
    --------
    >>> show_bytes(12), show_bytes(1 << 20), show_bytes(2.516e9), show_bytes(1e11)
    ('12 B', '1.00 MiB', '2.34 GiB', '93.1 GiB')
    """
    power = 0
    while number >= 1024 and power < len(_BYTE_UNITS) - 1:
        number, power = number / 1024, power + 1
    digits = 0 if power == 0 or number >= 100 else 1 if number >= 10 else 2
    return f"{number:.{digits}f} {_BYTE_UNITS[power]}"


def cell_text(text: str) -> str:
    """Return a text that a spreadsheet does not treat as a formula.

    Examples
    --------
    >>> cell_text("=1+1"), cell_text("knn")
    ("'=1+1", 'knn')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def text_of_cell(cell: str) -> str:
    """Return the text that `cell_text` wrote into a cell.

    Examples
    --------
    >>> text_of_cell("'=1+1"), text_of_cell("'knn'")
    ('=1+1', "'knn'")
    """
    is_marked = cell.startswith("'") and _FORMULA.match(cell, 1)
    return cell[1:] if is_marked else cell


def markdown_text(text: str) -> str:
    r"""Return a text on one line, with Markdown and HTML escaped.

    Examples
    --------
    >>> print(markdown_text("dte_np[k=20]"), markdown_text("[a](b) <c>"))
    dte_np[k=20] \[a\](b) \<c\>
    """
    # Brackets and underscores have a meaning in Markdown only in some positions.
    brackets = r"|[\[\]]" if "](" in text else ""
    marks = rf"[\\`*<>|]|(?<!\w)_|_(?!\w){brackets}"
    return re.sub(marks, r"\\\g<0>", printable(text))
