"""Standard streams that are closed, full, or whose reader has gone."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TextIO

# Number -> name and mode of the standard streams.
_STREAMS = {0: ("stdin", "r"), 1: ("stdout", "w"), 2: ("stderr", "w")}


class _Tolerant(io.TextIOWrapper):
    """A text stream that discards its text once it cannot be written.

    A reader may leave, a terminal may close, and a log's disk may be full.
    """

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            discard(self)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            discard(self)


def outlive_reader() -> None:
    """Go on if messages cannot be written, as in ``odbench run 2>&1 | head``.

    A run of hours must not end because nobody can read its progress any more.
    """
    # Not if a notebook or a test has replaced the stream.
    if sys.stderr is sys.__stderr__ and sys.stderr is not None:
        sys.stderr = _Tolerant(
            open(sys.stderr.fileno(), "wb", closefd=False),  # noqa: SIM115 - open until the end
            encoding=sys.stderr.encoding,
            errors=sys.stderr.errors,
            line_buffering=True,
        )


def write_any_text() -> None:
    """Escape what the encoding of stdout cannot write, as Python does for stderr.

    A path may hold bytes that are not UTF-8.
    """
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def open_closed() -> None:
    """Connect standard streams that the caller closed (``>&-``) to the null device.

    Python has None in their place, on which libraries fail. And the next file that is
    opened would get the free number, so that text meant for a terminal would end up in
    it.
    """
    for number, (name, mode) in _STREAMS.items():
        if getattr(sys, name) is None:
            # Another file may have the number already, and keeps it.
            own = not _is_open(number)
            if own:
                _connect_to_null(number)
            file = open(number if own else os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115 - open until the end
            setattr(sys, name, file)


def discard(*streams: TextIO) -> None:
    """Discard everything that is written to the streams from now on."""
    for stream in streams:
        # A stream without a file, as in a notebook or a test, needs no redirection.
        with contextlib.suppress(OSError):
            _connect_to_null(stream.fileno())


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _connect_to_null(number: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)
    os.set_inheritable(number, True)
