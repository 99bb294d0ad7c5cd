"""Find out how a text table is written: encoding, delimiter, quotes and header."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from odbench.errors import DataError

DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "\x1f": "none"}
# Delimiter of a table with one column: a control character that no text contains.
SINGLE = "\x1f"
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_LINES = 200
_NUMBER = re.compile(r"[+-]?(\d[\d.,' ]*|[.,]\d+)([eE][+-]?\d+)?\s*%?")


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes
    ----------
    encoding : str
        Name of a Python codec.
    delimiter : str
        One character; `SINGLE` for a table with one column.
    names : tuple of str
        The cells of the first row.
    header : bool
        False if the first row is data.
    quoted : bool
        Whether the sample contains quotes, so that cells may contain line breaks.
    """

    encoding: str
    delimiter: str
    names: tuple[str, ...]
    header: bool
    quoted: bool

    def __str__(self) -> str:
        header = "" if self.header else ", no header"
        return f"delimiter {_NAMES[self.delimiter]}, {self.encoding}{header}"


def find_dialect(head: bytes, name: str, *, whole: bool) -> Dialect:
    """Find out how a text table is written.

    Parameters
    ----------
    head : bytes
        The beginning of the file, at best the first MiB.
    name : str
        The file, for messages.
    whole : bool
        Whether `head` is the whole file; otherwise its last line may be cut.

    Returns
    -------
    Dialect

    Raises
    ------
    DataError
        If the file is empty or binary.
    """
    encoding = find_encoding(head, name)
    text = head.decode(encoding, errors="ignore")
    if not whole:
        text = text[: text.rfind("\n") + 1] or text
    if not text.strip():
        msg = f"{name}: is empty; wanted a header line and rows"
        raise DataError(msg)
    delimiter = find_delimiter(text)
    rows = _parsed(text, delimiter, 2)
    first = rows[0]
    header = not all(_NUMBER.fullmatch(cell.strip()) or not cell for cell in first)
    # Numbers above text are names, such as years.
    below = rows[1] if len(rows) > 1 else []
    header = header or any(
        cell and not _NUMBER.fullmatch(cell.strip()) for cell in below
    )
    return Dialect(encoding, delimiter, tuple(first), header, '"' in text)


def find_encoding(head: bytes, name: str) -> str:
    """Return the codec of a text file: UTF-8 or UTF-16 by its mark, else a guess.

    Raises
    ------
    DataError
        If the bytes are not text.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        msg = (
            f"{name}: is a binary file; wanted CSV, TSV, JSON lines, Parquet or "
            f"Feather, or one of them as .gz or .zst"
        )
        raise DataError(msg)
    try:
        # The last character may be cut, which takes at most three bytes.
        head[: max(len(head) - 3, 0)].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 6:
            return _eight_bit(head, name)
    return "utf-8"


def _eight_bit(head: bytes, name: str) -> str:
    """Return the codec of text that is not UTF-8; random bytes are refused."""
    controls = sum(head.count(bytes([code])) for code in (*range(1, 9), *range(14, 32)))
    if controls > len(head) / 100:
        msg = (
            f"{name}: is a binary file; wanted CSV, TSV, JSON lines, Parquet or Feather"
        )
        raise DataError(msg)
    try:
        head.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def find_delimiter(text: str) -> str:
    """Return the delimiter that splits most lines as it splits the header.

    Parameters
    ----------
    text : str
        The first lines of a table.

    Returns
    -------
    str
        One of `DELIMITERS`, or `SINGLE`.
    """
    best, found = (0.0, 0), SINGLE
    for delimiter in DELIMITERS:
        widths = [len(row) for row in _parsed(text, delimiter, _LINES)]
        if not widths:
            continue
        # A character inside cells splits rows, but not as it splits the header.
        width, share = widths[0], widths.count(widths[0]) / len(widths)
        if width > 1 and share >= 0.5 and (round(share, 1), width) > best:
            best, found = (round(share, 1), width), delimiter
    return found


def _parsed(text: str, delimiter: str, most: int) -> list[list[str]]:
    """Return the first rows; lines without any text are skipped."""
    lines = text.lstrip("\ufeff").splitlines(keepends=True)[: 4 * most + 4]
    rows = []
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) == most:
                break
    except csv.Error:
        pass
    return rows
