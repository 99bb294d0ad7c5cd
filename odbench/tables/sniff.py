"""Find out how a text table is written: encoding, delimiter, quotes and header."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from odbench.errors import DataError
from odbench.tables.header import (
    DELIMITERS,
    NUMBER,
    has_header,
    header_doubt,
    is_quoted_above_numbers,
    names_of_longer,
    other_rows,
    words_again,
)
from odbench.tables.numbers import count_readable
from odbench.tables.spaced import closed_quotes, single_spaces

SPACES = " "
_NAMES = {
    ",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", SPACES: "spaces",
    "\x1f": "none",
}  # fmt: skip
# Delimiter of a table with one column: a control character that no text contains.
SINGLE = "\x1f"
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_LINES = 200
# Line with which spreadsheets name the delimiter.
_SEPARATOR = re.compile(r"sep=(.)\r?\n|sep=(.)\r", re.IGNORECASE)
# Share of the lines that must be alike to say that the first one is not.
_ALIKE = 0.8
# How files begin that are text, but no table.
_OTHERS = (
    (
        "a web page",
        re.compile(r"<(!doctype html|html|head|body|table)\b", re.IGNORECASE),
    ),
    ("XML", re.compile(r"<\?xml\b", re.IGNORECASE)),
    ("ARFF", re.compile(r"(%[^\n]*\n\s*)*@relation\b", re.IGNORECASE)),
)
_COMMENT = "#"
_ENDED = re.compile(r".*[,;]", re.DOTALL)
_BLANKS = re.compile(r"(?:[ ]*(?:\r\n|\n|\r))+")
_LINE_END = re.compile(r"\r\n|\n|\r")
# Rows and columns from which on a single name in the first row is a title.
_TITLED = 3


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes
    ----------
    encoding : str
        Name of a Python codec.
    delimiter : str
        One character; `SINGLE` for a table with one column, `SPACES` if runs of spaces
        separate columns.
    names : tuple of str
        The cells of the first row.
    header : bool
        False if the first row is data.
    quoted : bool
        Whether the sample contains quotes, so that cells may contain line breaks.
    skipped : int
        Number of lines before the first row.
    comments : int
        How many of these are comments.
    repeats : bool
        Whether a row that equals the header is one, as in files that were joined.
    short : bool
        Whether the header has a cell less than the rows; `names` has one for each.
    padded : bool
        Whether spaces in the sample separate delimiters from cells in quotes.
    doubt : str
        Why the first row is taken as the header, if it may be data.
    """

    encoding: str
    delimiter: str
    names: tuple[str, ...]
    header: bool
    quoted: bool
    skipped: int = 0
    comments: int = 0
    repeats: bool = False
    short: bool = False
    padded: bool = False
    doubt: str = ""

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
        If the file is empty or binary, or its first line is not of the table below.
    """
    encoding = find_encoding(head, name)
    text = head.decode(encoding, errors="ignore")
    if not whole:
        text = text[: text.rfind("\n") + 1] or text
    if not text.strip():
        msg = f"{name}: is empty; wanted a header line and rows"
        raise DataError(msg)
    text = text.lstrip("\ufeff")
    _check_table(text, name)
    skipped, text = _without_blanks(text)
    told = _SEPARATOR.match(text)
    comments = 0
    if told:
        text = text[told.end() :]
    else:
        comments, text = _without_comments(text)
    blank, text = _without_blanks(text)
    skipped += int(bool(told)) + comments + blank
    delimiter = find_delimiter(text)
    if delimiter == SINGLE:
        spaced = single_spaces(text.encode()).decode()
        if not encoding.startswith("utf-16") and _is_spaced(spaced):
            delimiter, text = SPACES, spaced
        else:
            _check_single(text, name)
    rows = _parsed(text, delimiter, _LINES)
    _check_title(rows, delimiter, name)
    names = names_of_longer(rows, text)
    quoted = is_quoted_above_numbers(text, delimiter)
    header = names is not None or quoted or has_header(rows)
    return Dialect(
        encoding,
        delimiter,
        names or tuple(rows[0]),
        header,
        '"' in text,
        skipped,
        comments,
        header and not names and not any(words_again(rows[0], other_rows(rows))),
        names is not None,
        delimiter in DELIMITERS and _closed(text, delimiter) != text,
        "" if names or quoted or not header else header_doubt(rows),
    )


def _check_table(text: str, name: str) -> None:
    """Refuse text that says that it is something else."""
    for what, begin in _OTHERS:
        if begin.match(text.lstrip()):
            msg = f"{name}: is {what}; wanted a table, so save it as CSV"
            raise DataError(msg)


def _without_blanks(text: str) -> tuple[int, str]:
    """Return the number of blank lines at the beginning, and the text below them."""
    found = _BLANKS.match(text)
    blank = found[0] if found else ""
    return len(_LINE_END.findall(blank)), text[len(blank) :]


def _check_title(rows: list[list[str]], delimiter: str, name: str) -> None:
    """Refuse lines above the header that have the delimiters of a row."""
    filled = [[cell for cell in row if cell.strip()] for row in rows]
    width = len(rows[0]) if rows else 0
    header = next((i for i, row in enumerate(filled) if len(row) == width), 0)
    below = filled[header + 1 :]
    if not header or not below or width < _TITLED:
        return
    # A single line may also be a header that lacks some names.
    most = 1 if header == 1 else width / 2
    more = sum(len(cells) > most for cells in below)
    if max(map(len, filled[:header])) > most or more < _ALIKE * len(below):
        return
    words = not any(NUMBER.fullmatch(cell.strip()) for cell in rows[header])
    if words and has_header(rows[header:]):
        first = next(cells[0] for cells in filled if cells)
        lines = "line has" if header == 1 else f"{header} lines have"
        msg = (
            f"{name}: the first {lines} few cells, such as {first[:40]!r}, for {width} "
            f"columns ({_NAMES[delimiter]}); delete lines above the header"
        )
        raise DataError(msg)


def _without_comments(text: str) -> tuple[int, str]:
    """Return the number of comment lines above the header, and the text below them.

    A header may begin with the same mark: the last of these lines is one if it has as
    many cells as most lines.
    """
    lines = text.splitlines(keepends=True)
    count = 0
    while count < len(lines) and lines[count].lstrip().startswith(_COMMENT):
        count += 1
    if not count or count == len(lines):
        return 0, text
    rest = "".join(lines[count:])
    delimiter = find_delimiter(rest)
    last, below = (_parsed(part, delimiter, 1) for part in (lines[count - 1], rest))
    if delimiter != SINGLE and below and len(last[0]) == len(below[0]):
        count -= 1
    return count, "".join(lines[count:])


def find_encoding(head: bytes, name: str) -> str:
    """Return the codec of a text file: UTF-8 or UTF-16 by its mark, else a guess.

    Raises
    ------
    DataError
        If the bytes are not text.
    """
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        msg = f"{name}: is UTF-32; save it as UTF-8"
        raise DataError(msg)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        msg = (
            f"{name}: is a binary file; wanted CSV, TSV, JSON, Parquet or "
            f"Feather, or one of them as .gz, .zst, .bz2 or .zip"
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
        msg = f"{name}: is a binary file; wanted CSV, TSV, JSON, Parquet or Feather"
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
    fits: dict[str, float] = {}
    for delimiter in DELIMITERS:
        rows = _parsed(text, delimiter, _LINES)
        if not rows:
            continue
        if len(rows[0]) > 1 and names_of_longer(rows, text):
            rows = rows[1:]
        widths = [len(row) for row in rows]
        # A character inside cells splits rows, but not as it splits the header.
        width, share = widths[0], widths.count(widths[0]) / len(widths)
        if width > 1 and share >= 0.5:
            fits[delimiter] = round(share, 1)
            if (fits[delimiter], width) > best:
                best, found = (fits[delimiter], width), delimiter
    if found != ",":
        return found
    others = [each for each in fits if each != "," and fits[each] >= best[0]]
    return next((each for each in others if _has_commas(text, each)), found)


def _has_commas(text: str, delimiter: str) -> bool:
    """Check whether the commas below the header are decimal marks of numbers."""
    rows = _parsed(text, delimiter, _LINES)[1:]
    cells = [cell for row in rows for cell in row if "," in cell]
    return bool(cells) and count_readable(cells)[","] == len(cells)


def _check_single(text: str, name: str) -> None:
    """Refuse a table of several columns whose first line is not like the others.

    Raises
    ------
    DataError
        If there are lines above the header, names are missing in it, quotes are not
        doubled, or columns are separated by spaces.
    """
    lines = [line for line in text.splitlines() if line.strip()][:_LINES]
    if len(lines) < 3 or max(count_readable(lines[1:]).values()) == len(lines) - 1:
        return
    for delimiter in DELIMITERS:
        rows = _parsed(text, delimiter, _LINES)
        _check_ragged(rows, delimiter, name)
        widths = [len(row) for row in rows]
        usual = max(set(widths[1:]), key=widths.count) if len(widths) > 2 else 1
        # Two cells may be a name or a date with a comma in a table of one column.
        if usual < 2 + (widths[0] == 1) or widths.count(usual) < _ALIKE * len(widths):
            continue
        cells = "1 cell" if widths[0] == 1 else f"{widths[0]} cells"
        msg = (
            f"{name}: most rows have {usual} cells (delimiter {_NAMES[delimiter]}), "
            f"the first line {lines[0][:40]!r} has {cells}; delete lines above the "
            f"header, name every column and double the quotes in cells"
        )
        raise DataError(msg)
    words = [line.split() for line in lines]
    like = sum(len(row) == len(words[0]) for row in words)
    numbers = any(NUMBER.fullmatch(word) for row in words[1:] for word in row)
    if len(words[0]) > 1 and like >= _ALIKE * len(words) and numbers:
        msg = (
            f"{name}: its columns are separated by spaces; separate them by commas, "
            f"semicolons, tabs or bars"
        )
        raise DataError(msg)


def _check_ragged(rows: list[list[str]], delimiter: str, name: str) -> None:
    """Refuse numbers and text between delimiters that the text has, too.

    Raises
    ------
    DataError
        If rows have more cells than the first line, which has three or more.
    """
    width, most = len(rows[0]), max(map(len, rows))
    wide = [row for row in rows[1:] if len(row) >= width]
    if not _TITLED <= width < most or len(wide) < _ALIKE * len(rows[1:]):
        return
    columns = ([row[place].strip() for row in wide] for place in range(width))
    # Sentences have as many commas now and then, but no column of numbers.
    if any(_share(NUMBER, column) >= _ALIKE for column in columns):
        msg = (
            f"{name}: rows have {width} to {most} cells (delimiter "
            f"{_NAMES[delimiter]}), the first line has {width}; put cells that have a "
            f"{_NAMES[delimiter]} in quotes"
        )
        raise DataError(msg)


def _is_spaced(text: str) -> bool:
    """Check whether single spaces separate the columns of a table, mostly numbers.

    Lines of text have as many words now and then, and at times a number.
    """
    rows = _parsed(text, SPACES, _LINES)
    below, width = rows[1:], len(rows[-1]) if rows else 0
    if len(below) < 2 or {len(row) for row in below} != {width}:
        return False
    if len(rows[0]) != width and not names_of_longer(rows, text):
        return False
    columns = list(zip(*below, strict=True))
    # Cells that end in a mark are those of another delimiter with a space behind it.
    if any(_share(_ENDED, column) >= _ALIKE for column in columns):
        return False
    numbers = [_share(NUMBER, column) >= _ALIKE for column in columns]
    return sum(numbers) >= max(2, width / 2)


def _share(pattern: re.Pattern[str], cells: Sequence[str]) -> float:
    return sum(bool(pattern.fullmatch(cell)) for cell in cells) / len(cells)


def _closed(text: str, delimiter: str) -> str:
    return closed_quotes(text.encode(), delimiter).decode()


def _parsed(text: str, delimiter: str, most: int) -> list[list[str]]:
    """Return the first rows; lines without any text are skipped."""
    lines = text.lstrip("\ufeff").splitlines(keepends=True)[: 4 * most + 4]
    if delimiter in DELIMITERS:
        lines = _closed("".join(lines), delimiter).splitlines(keepends=True)
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
