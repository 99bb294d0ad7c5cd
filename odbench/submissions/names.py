"""Check whether two names look the same, so that no method passes as another.

The look-alikes are those of Unicode Technical Standard 39 (``look_alikes.txt``, which
names its version). A small letter and its capital are the same letter here, but may
look like different ones: a Greek nu looks like a v, and its capital like an N. So a
letter has several forms, and two names are the same if some choice of forms spells one
text.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_TABLE = Path(__file__).with_name("look_alikes.txt")
# Letters by their category, but blank: the fillers of Hangul syllables.
_BLANK = frozenset("\u115f\u1160")
# A look-alike's case or parts may have a look-alike again; twice is the most.
_ROUNDS = 3

# The forms of each letter of a name.
_Forms = Sequence[frozenset[str]]
# A place in a name: the next letter, and the rest of the form that was begun.
_Place = tuple[int, str]


def same_name(one: str, other: str) -> bool:
    """Check whether names match except for case, accents, punctuation and look-alikes.

    Examples
    --------
    >>> same_name("My-Method", "my method"), same_name("My-Method", "My-Method 2")
    (True, False)
    >>> same_name("IForest", "lF\N{CYRILLIC SMALL LETTER O}rest")
    True
    """
    return _meet(_forms_of_name(one), _forms_of_name(other))


def _meet(one: _Forms, other: _Forms) -> bool:
    """Check whether any choice of forms gives the same text for both names."""
    end = (len(one), ""), (len(other), "")
    seen = {((0, ""), (0, ""))}
    todo = list(seen)
    while todo:
        here, there = todo.pop()
        if (here, there) == end:
            return True
        for letter, step in _steps(one, here):
            for like, other_step in _steps(other, there):
                if letter == like and (step, other_step) not in seen:
                    seen.add((step, other_step))
                    todo.append((step, other_step))
    return False


def _steps(forms: _Forms, place: _Place) -> Iterator[tuple[str, _Place]]:
    """Yield each letter that can come next, and the place after it."""
    number, rest = place
    if rest:
        yield rest[0], (number, rest[1:])
    elif number < len(forms):
        for form in forms[number]:
            yield form[0], (number + 1, form[1:])


def _forms_of_name(name: str) -> list[frozenset[str]]:
    """Return the forms of each letter; spaces, punctuation and marks have none."""
    return [forms for letter in name if (forms := _forms_of_letter(letter))]


@functools.cache
def _forms_of_letter(letter: str) -> frozenset[str]:
    """Return the looks of a letter, of its other case and of its plain form."""
    plain = unicodedata.normalize("NFKD", letter)
    cases = (letter, letter.lower(), letter.upper(), plain, plain.upper())
    return frozenset(filter(None, map(_look, cases)))


def _look(text: str) -> str:
    """Return the letters and digits that a text looks like, in small letters."""
    table = _look_alikes()
    for _ in range(_ROUNDS):
        text = "".join(table.get(character, character) for character in text)
        text = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in text if c.isalnum() and c not in _BLANK)


@functools.cache
def _look_alikes() -> Mapping[str, str]:
    """Return Unicode's table: a character, and the text that it looks like."""
    table: dict[str, str] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            target, sources = (_text(side) for side in line.split(";"))
            table |= dict.fromkeys(sources, target)
    return table


def _text(points: str) -> str:
    """Return the text of code points in hexadecimal."""
    return "".join(chr(int(point, 16)) for point in points.split())
