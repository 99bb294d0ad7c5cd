"""Read numbers with a letter for thousands or millions: 1.2k, 3M, 4.5 GB."""

from __future__ import annotations

import re
from collections.abc import Sequence

from odbench.tables.numbers import read_number

_FACTORS = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
# A number, a letter, and at times bytes: 12, 1.2k, 3 MB, 4 GiB, 512 B.
_NUMBER = re.compile(r"(?P<number>.*\d)\s?(?P<letter>[kKMGT]?)(?P<bytes>i?B)?")


def bare_magnitudes(texts: Sequence[str], least: float) -> list[str]:
    """Return the numbers before such letters, none if texts are not of this kind.

    If all have the same letter, it is a unit, see `odbench.tables.numbers.common_unit`.
    A B alone may be a byte or a billion; it is a byte if others are kilobytes.

    Parameters
    ----------
    texts : sequence of str
        Different values.
    least : float
        Share of them that must be such numbers.

    Examples
    --------
    >>> bare_magnitudes(["1.2k", "900", "3M"], 1.0), bare_magnitudes(["12A", "7k"], 1.0)
    (['1.2', '900', '3'], [])
    >>> bare_magnitudes(["1 k", "3 k"], 1.0), bare_magnitudes(["5 B", "1.5 MB"], 1.0)
    ([], ['5', '1.5'])
    >>> bare_magnitudes(["1.2B", "3M"], 1.0)
    []
    """
    found = [match for text in texts if (match := _NUMBER.fullmatch(text.strip()))]
    letters = {match["letter"] for match in found}
    if len(found) < least * len(texts) or len(letters) < 2:
        return []
    alone = any(match["bytes"] and not match["letter"] for match in found)
    if alone and not any(match["bytes"] and match["letter"] for match in found):
        return []
    return [match["number"] for match in found]


def magnitudes_note(texts: Sequence[str]) -> str:
    """Return the remark that says how the letters are read.

    Examples
    --------
    >>> magnitudes_note(["1.2k", "900", "3M"])
    'k = 1,000, M = 1,000,000'
    """
    found = (_NUMBER.fullmatch(text.strip()) for text in texts)
    letters = {match["letter"] for match in found if match and match["letter"]}
    ordered = sorted(letters, key=lambda letter: (_FACTORS[letter], letter))
    return ", ".join(f"{letter} = {_FACTORS[letter]:,.0f}" for letter in ordered)


def read_magnitude(text: str, mark: str) -> float:
    """Return the number in a text, NaN if there is none.

    A kibibyte counts as a thousand bytes, which is near enough to compare rows.

    Parameters
    ----------
    text : str
    mark : {".", ","}
        The decimal mark.

    Examples
    --------
    >>> read_magnitude("1,2k", ","), read_magnitude("3 MiB", ".")
    (1200.0, 3000000.0)
    """
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return float("nan")
    return read_number(found["number"], mark) * _FACTORS.get(found["letter"], 1.0)
