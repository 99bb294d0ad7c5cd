"""Read text whose columns are separated by runs of spaces and tabs."""

from __future__ import annotations

import io
import re
from typing import Any

_PART = 1 << 20
_QUOTED_OR_RUN = re.compile(rb'("[^"\r\n]*")|[ \t]+')
_RUN, _EDGE = re.compile(rb"[ \t]+"), re.compile(rb"^ +| +(?=\r?$)", re.MULTILINE)


class SingleSpaces(io.RawIOBase):
    """A stream in which one space stands for each run of spaces and tabs.

    Those at the ends of a line are gone, and those in quotes stay as they are.

    Parameters
    ----------
    source : object
        Has ``read(n)``; its text is ASCII or one of its extensions.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._begun = self._ready = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return the number of bytes, 0 at the end."""
        while not self._ready:
            chunk = self._source.read(_PART)
            lines, end, begun = (self._begun + chunk).rpartition(b"\n")
            if not chunk:
                lines, end, begun = self._begun, b"", b""
            self._begun, self._ready = begun, single_spaces(lines + end)
            if not chunk:
                break
        taken = self._ready[: len(buffer)]
        self._ready = self._ready[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


def single_spaces(lines: bytes) -> bytes:
    """Write one space for each run of spaces and tabs between the cells of lines.

    Examples
    --------
    >>> single_spaces(b'  1  2.5   "a  b"  ')
    b'1 2.5 "a  b"'
    """
    if b'"' in lines:
        lines = _QUOTED_OR_RUN.sub(lambda found: found[1] or b" ", lines)
    else:
        lines = _RUN.sub(b" ", lines)
    return _EDGE.sub(b"", lines)
