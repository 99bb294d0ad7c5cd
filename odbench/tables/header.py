"""Tell whether the first row of a text table is a header, and name its columns."""

from __future__ import annotations

import re

from odbench.tables.dates import looks_like_date

DELIMITERS = (",", ";", "\t", "|")
NUMBER = re.compile(r"[+-]?(\d[\d.,' ]*|[.,]\d+)([eE][+-]?\d+)?\s*%?")
# Columns that a header must count to be one.
_COUNTED = 5
# Rows that say that the header lacks a cell.
_FEWEST = 2


def has_header(rows: list[list[str]]) -> bool:
    """Decide whether the first row holds names, and not values."""
    first, below = rows[0], other_rows(rows)
    if _counts(first):
        return True
    kinds = [_kind(cell) for cell in first]
    named = any(
        cell and kind != "number" for cell, kind in zip(first, kinds, strict=True)
    )
    # Numbers above text are names, such as years.
    words = any(cell and _kind(cell) != "number" for cell in (below or [[]])[0])
    if not named:
        return words
    columns = _columns(below, len(first))
    # A date above dates is a value; a date above numbers is a name.
    for kind, column in zip(kinds, columns, strict=True):
        if kind == "date" and column and all(_kind(cell) == "date" for cell in column):
            return False
    # A number above numbers is a value if a word in the same row is one, too: words
    # that come again below are no names, unless the header itself is repeated.
    numbers = any(
        kind == "number" and column and all(_kind(cell) == "number" for cell in column)
        for kind, column in zip(kinds, columns, strict=True)
    )
    return not (numbers and (any(words_again(first, below)) or _again(first, columns)))


def names_of_longer(rows: list[list[str]], text: str) -> tuple[str, ...] | None:
    """Return a name per column if all rows have a cell more than the header, else None.

    The cell is the first if it names the row, as R writes it, or the last if a
    delimiter ends every row, so that it is empty. Names of rows without quotes count
    only between spaces: elsewhere a comma in a cell may have made it.
    """
    first, below = rows[0], rows[1:]
    if len(below) < _FEWEST or {len(row) for row in below} != {len(first) + 1}:
        return None
    if not any(row[-1].strip() for row in below):
        return (*first, "")
    lines = [line for line in text.splitlines() if line.strip()][1 : len(rows)]
    spaced = not any(delimiter in text for delimiter in DELIMITERS)
    quoted = all(line.startswith('"') for line in lines)
    if (quoted or spaced) and len({row[0] for row in below}) == len(below):
        return ("", *first)
    return None


def is_quoted_above_numbers(text: str, delimiter: str) -> bool:
    """Check whether the first line is in quotes, and numbers in the second are not."""
    lines = [line for line in text.splitlines() if line.strip()][:2]
    if len(lines) < 2:
        return False
    first, second = ([cell.strip() for cell in line.split(delimiter)] for line in lines)
    return (
        len(first) == len(second)
        and all(re.fullmatch(r'"[^"]*"', cell) for cell in first)
        and any(NUMBER.fullmatch(cell) for cell in second)
    )


def _counts(first: list[str]) -> bool:
    """Check whether a row counts the columns: 0, 1, 2, behind an empty cell.

    Without that cell, which stands above names of rows, it must count five columns.
    """
    numbers = first if first[0].strip() else first[1:]
    if len(numbers) < (_COUNTED if numbers is first else 2):
        return False
    found = [number.strip() for number in numbers]
    return any(found == list(map(str, range(a, a + len(found)))) for a in (0, 1))


def _again(first: list[str], columns: list[list[str]]) -> bool:
    """Say whether numbers of a row, in at least two columns, are values of these below.

    Names that count (1, 2, 3 or years) may be values, too, and do not.
    """
    numbers = [cell.strip() for cell in first if _kind(cell) == "number"]
    if all(number.isdigit() for number in numbers):
        counted = sorted({int(number) for number in numbers})
        if len(counted) == len(numbers) and counted[-1] - counted[0] < len(counted):
            return False
    again = (
        cell in column
        for cell, column in zip(first, columns, strict=True)
        if _kind(cell) == "number"
    )
    return sum(again) > 1


def other_rows(rows: list[list[str]]) -> list[list[str]]:
    """Return the rows that differ from the first."""
    first = rows[0]
    # The second of two joined files may begin with a byte order mark.
    marked = ["\ufeff" + first[0], *first[1:]]
    return [row for row in rows[1:] if row not in (first, marked)]


def _columns(rows: list[list[str]], width: int) -> list[list[str]]:
    """Return the cells of each column that are not empty."""
    return [
        [row[place] for row in rows if place < len(row) and row[place].strip()]
        for place in range(width)
    ]


def words_again(first: list[str], below: list[list[str]]) -> list[bool]:
    """Say of each word in a row whether its column has it below."""
    columns = _columns(below, len(first))
    return [
        cell in column
        for cell, column in zip(first, columns, strict=True)
        if cell and _kind(cell) == "word"
    ]


def _kind(cell: str) -> str:
    """Return "number", "date" or "word"."""
    text = cell.strip()
    if NUMBER.fullmatch(text):
        return "number"
    return "date" if looks_like_date(text) else "word"
