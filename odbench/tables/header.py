"""Tell whether the first row of a text table is a header, and name its columns."""

from __future__ import annotations

import itertools
import re

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.dates import looks_like_date
from odbench.tables.numbers import MISSING, count_readable, read_number

DELIMITERS = (",", ";", "\t", "|")
NUMBER = re.compile(r"[+-]?(\d[\d.,' ]*|[.,]\d+)([eE][+-]?\d+)?\s*%?")
# Columns that a header must count to be one.
_COUNTED = 5
# Rows that say that the header lacks a cell.
_FEWEST = 2
# Share of the cells or rows that must be alike to say something of all of them.
_MOST = 0.8
# Share of the range of values by which a name is beyond it; the first row of a sorted
# table is beyond those below, too, but not by much.
_BEYOND = 0.25
# Maximum number of columns that are looked at.
_LOOK = 50
# Fewer numbers are often in order by chance.
_IN_ORDER = 4


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
    if not _above_numbers(first, columns):
        return True
    # A number above numbers is a value if a word in the same row is one, too: words
    # that come again below are no names, unless the header itself is repeated.
    if any(words_again(first, below)) or _again(first, columns):
        return False
    return _why_names(first, below) != ""


def header_doubt(rows: list[list[str]]) -> str:
    """Return why the first row is taken as the header, though it may be data.

    Parameters
    ----------
    rows : list of list of str
        The first rows, of which the first is the header.

    Returns
    -------
    str
        "" if no number is above numbers, or if the numbers count, as years do.
    """
    first, below = rows[0], other_rows(rows)
    above = _above_numbers(first, _columns(below, len(first)))
    if not above or _counts(first) or _count_up(first):
        return ""
    return _why_names(first, below)


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
    if _count_up(first):
        return False
    again = (
        cell in column
        for cell, column in zip(first, columns, strict=True)
        if _kind(cell) == "number"
    )
    return sum(again) > 1


def _count_up(first: list[str]) -> bool:
    """Check whether the numbers of a row follow each other, in any order."""
    numbers = [cell.strip() for cell in first if _kind(cell) == "number"]
    if not all(number.isdigit() for number in numbers):
        return False
    counted = sorted({int(number) for number in numbers})
    return len(counted) == len(numbers) and counted[-1] - counted[0] < len(counted)


def _above_numbers(first: list[str], columns: list[list[str]]) -> list[int]:
    """Return the places, at most 50, of numbers with nothing but numbers below."""
    places = (
        place
        for place, (cell, column) in enumerate(zip(first, columns, strict=True))
        if _kind(cell) == "number" and _are_numbers(column)
    )
    return list(itertools.islice(places, _LOOK))


def _are_numbers(column: list[str]) -> bool:
    present = [cell for cell in column if cell.strip().upper() not in MISSING]
    return bool(present) and all(_kind(cell) == "number" for cell in present)


def _why_names(first: list[str], below: list[list[str]]) -> str:
    """Return why numbers above numbers are names, "" if they look like values.

    Those with decimals, such as amounts, are values unless they are in order, as
    wavelengths are, or far from the values below.
    """
    places = _above_numbers(first, _columns(below, len(first)))
    rows = [[*row, *[""] * (len(first) - len(row))] for row in (first, *below)]
    read = [_read([row[place] for row in rows]) for place in places]
    # Numbers such as 1.2.3 cannot be compared.
    known = [n for n, _ in read if not (np.isnan(n[0]) or np.isnan(n[1:]).all())]
    if not known or not any(decimals for _, decimals in read):
        return "its words do not come again below"
    values = np.stack(known, axis=1)
    names, others = values[0], values[1:]
    low, high = np.nanmin(others, axis=0), np.nanmax(others, axis=0)
    beyond = np.maximum(low - names, names - high) > _BEYOND * (high - low)
    if beyond.all():
        return "its numbers are far from those below"
    if len(names) < _FEWEST or not (len(names) >= _IN_ORDER or beyond.any()):
        return ""
    for steps, how in ((np.diff(values), "ascend"), (-np.diff(values), "descend")):
        ordered = np.asarray((steps > 0.0).all(axis=1))
        if ordered[0] and ordered[1:].mean() < _MOST:
            return f"its numbers {how}"
    return ""


def _read(cells: list[str]) -> tuple[FloatArray, bool]:
    """Return numbers, and whether the first and most others have decimals."""
    counts = count_readable(cells)
    mark = "," if counts[","] > counts["."] else "."
    numbers = np.asarray([read_number(cell, mark) for cell in cells], np.float64)
    decimals = np.asarray([mark in cell for cell in cells])
    share = decimals.sum() / max(np.isfinite(numbers).sum(), 1)
    return numbers, bool(decimals[0] and share >= _MOST)


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
    # A date such as 31.12.2025 has the letters of a number, too.
    dotted = text.count(".") > 1 and looks_like_date(text)
    if NUMBER.fullmatch(text) and not dotted:
        return "number"
    return "date" if looks_like_date(text) else "word"
