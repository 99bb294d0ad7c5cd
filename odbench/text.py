"""Strangers' words, made harmless for where they are shown."""

from __future__ import annotations

import re
import unicodedata

# Controls, formats (joiners, direction marks, soft hyphens), halves of characters, and
# separators of lines: what a terminal obeys, or what a reader does not see.
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
# A leading character that makes a spreadsheet treat the cell as a formula.
_FORMULA = re.compile(r"[=+\-@\t\r]")


def is_plain(text: str) -> bool:
    r"""Say whether a text has visible characters and spaces alone.

    Examples
    --------
    >>> is_plain("Löf [k=20]"), is_plain("two\nlines"), is_plain("a\u200bb")
    (True, False, False)
    """
    return not any(unicodedata.category(char) in _HIDDEN for char in text)


def printable(text: str) -> str:
    r"""Return a text with everything that a terminal would obey spelled out.

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


def cell_text(text: str) -> str:
    """Return a text that a spreadsheet does not run, as the page's downloads do.

    Examples
    --------
    >>> cell_text("=1+1"), cell_text("knn")
    ("'=1+1", 'knn')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def markdown_text(text: str) -> str:
    r"""Return a text that is read neither as Markdown nor as HTML, on one line.

    Examples
    --------
    >>> print(markdown_text("dte_np[k=20]"), markdown_text("[a](b) <c>"))
    dte_np[k=20] \[a\](b) \<c\>
    """
    # Brackets make a link, and underscores stress a word, in some places alone.
    brackets = r"|[\[\]]" if "](" in text else ""
    marks = rf"[\\`*<>|]|(?<!\w)_|_(?!\w){brackets}"
    return re.sub(marks, r"\\\g<0>", printable(text))
