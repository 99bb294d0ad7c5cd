"""Read text that has spaces between its columns, or between commas and quotes."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable
from typing import Any

_PART = 1 << 20
_QUOTED_OR_RUN = re.compile(rb'("[^"\r\n]*")|[ \t]+')
_RUN, _EDGE = re.compile(rb"[ \t]+"), re.compile(rb"^ +| +(?=\r?$)", re.MULTILINE)


class ChangedLines(io.RawIOBase):
    """A stream whose lines are changed before they are read.

    Parameters
    ----------
    source : object
        Has ``read(n)``; its text is ASCII or one of its extensions.
    change : callable
        Gets whole lines and returns what to read in their place.
    """

    def __init__(self, source: Any, change: Callable[[bytes], bytes]) -> None:
        self._source = source
        self._change = change
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
            self._begun, self._ready = begun, self._change(lines + end)
            if not chunk:
                break
        taken = self._ready[: len(buffer)]
        self._ready = self._ready[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


def single_spaces(lines: bytes) -> bytes:
    """Write one space for each run of spaces and tabs between the cells of lines.

    Those at the ends of a line are removed, and those in quotes stay as they are.

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


def closed_quotes(lines: bytes, delimiter: str) -> bytes:
    """Remove the spaces between a delimiter and a cell in quotes.

    A parser takes a quote behind a space for a letter, and splits the cell at its
    delimiters.

    Parameters
    ----------
    lines : bytes
        Whole lines.
    delimiter : str
        One character of ASCII.

    Examples
    --------
    >>> closed_quotes(b'1, "ok, fine" , 2, 5" "x"', ",")
    b'1,"ok, fine", 2, 5" "x"'
    """
    if b'"' not in lines:
        return lines
    return _quoted(delimiter).sub(rb"\1\2", lines)


@functools.cache
def _quoted(delimiter: str) -> re.Pattern[bytes]:
    """Return the pattern of a whole cell in quotes, with the spaces around it."""
    mark = re.escape(delimiter.encode())
    # Quotes elsewhere in a cell are letters, so what follows the cell must end it.
    return re.compile(
        rb'(\A|[\r\n]|%b) *("(?:[^"\r\n]|"")*+") *(?=%b|[\r\n]|\Z)' % (mark, mark)
    )
