"""Turn JSON over several lines, or in one array, into an object per line."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import BoolArray, IntArray
from odbench.errors import DataError

_QUOTE, _BACKSLASH, _COMMA, _SPACE, _LINE, _RETURN = (ord(c) for c in '"\\, \n\r')
# Bytes that are worked on at once: few enough for the cache.
_PART = 1 << 17
_OPENING, _CLOSING = np.zeros((2, 256), dtype=np.bool_)
_OPENING[[ord("{"), ord("[")]] = _CLOSING[[ord("}"), ord("]")]] = True


class ObjectLines:
    """A file of JSON objects, in an array or one after the other, read as lines.

    Reading changes single bytes: the brackets of the array and line breaks within
    objects become spaces, and commas between objects become line breaks. It holds no
    more than what is read at once.

    Parameters
    ----------
    file : object
        Has ``read(n)`` and ``seek(0)``.
    name : str
        For messages.
    is_array : bool
        Whether the objects are in an array.
    """

    def __init__(self, file: Any, name: str, *, is_array: bool) -> None:
        self._file, self._name, self._base = file, name, int(is_array)
        self._depth, self._quoted, self._escapes = 0, False, False

    def seek(self, place: int) -> None:
        """Go back to the beginning, the only place there is."""
        self._file.seek(place)
        self._depth, self._quoted, self._escapes = 0, False, False

    def read(self, size: int) -> bytes:
        """Return the next bytes, b"" at the end.

        Raises
        ------
        DataError
            If the file ends within an object or the array.
        """
        chunk = np.frombuffer(self._file.read(size), dtype=np.uint8)
        if not len(chunk):
            if self._depth or self._quoted:
                msg = (
                    f"{self._name}: is not a readable JSON file (it ends before its "
                    f"last bracket); copy it again"
                )
                raise DataError(msg)
            return b""
        parts = range(0, len(chunk), _PART)
        return b"".join(
            self._as_lines(chunk[at : at + _PART]).tobytes() for at in parts
        )

    def _as_lines(self, chunk: NDArray[np.uint8]) -> NDArray[np.uint8]:
        text = chunk.copy()
        outside = ~self._within_quotes(chunk)
        opens = _OPENING[chunk] & outside
        closes = _CLOSING[chunk] & outside
        steps = opens.view(np.int8) - closes.view(np.int8)
        depth = self._depth + np.cumsum(steps, dtype=np.int32)
        self._depth = int(depth[-1])
        breaks = ((chunk == _LINE) | (chunk == _RETURN)) & outside
        text[breaks & (depth > 0)] = _SPACE
        if self._base:
            text[opens & (depth == 1)] = _SPACE
            text[closes & (depth == 0)] = _SPACE
            text[(chunk == _COMMA) & outside & (depth == 1)] = _LINE
        return text

    def _within_quotes(self, chunk: NDArray[np.uint8]) -> BoolArray:
        """Tell which bytes are in a string, its closing quote not included."""
        marks = (chunk == _QUOTE) & ~self._escaped(chunk)
        within = np.logical_xor.accumulate(marks) ^ self._quoted
        self._quoted = bool(within[-1])
        return np.asarray(within, dtype=np.bool_)

    def _escaped(self, chunk: NDArray[np.uint8]) -> BoolArray:
        """Tell which bytes follow a backslash that is not escaped itself."""
        slash = chunk == _BACKSLASH
        if not self._escapes and not slash.any():
            return np.asarray(slash, dtype=np.bool_)
        places = np.arange(len(chunk))
        # The start of the run of backslashes that ends before each byte.
        last_other: IntArray = np.maximum.accumulate(np.where(slash, -1, places))
        run = places - last_other
        # A run at the beginning goes on from the part before.
        run = np.where(last_other < 0, run + self._escapes, run)
        odd = slash & (run % 2 == 1)
        found = np.concatenate([[self._escapes], odd[:-1]])
        self._escapes = bool(odd[-1])
        return np.asarray(found, dtype=np.bool_)
