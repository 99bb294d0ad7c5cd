"""Download one file: resumed where a connection was cut, bounded in bytes and time."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import IO

from odbench.data.disk import cache_file
from odbench.data.transports.retry import HUB, Deadline, with_retries
from odbench.data.transports.source import Tick
from odbench.data.transports.web import Limit, RefusedAnswerError, Web, shown
from odbench.errors import TransportError

_CHUNK = 1 << 18
# A download may take this many seconds, and longer by its size at this speed.
_SECONDS = 60.0
_BYTES_PER_SECOND = 10_000
# Slow downloads in a row after which a source is not asked again.
_SLOW_ONES = 3


class Downloads:
    """The downloads of one source, which is given up after several slow ones.

    Parameters
    ----------
    web : Web
        Opens the URLs.
    label : str
        The source, for messages.
    variable : str
        The environment variable that sets its address, for messages.
    """

    def __init__(self, web: Web, label: str, variable: str = HUB) -> None:
        self._web = web
        self._label = label
        self._variable = variable
        self._slow = 0

    def fetch(
        self, url: str, file: Path, *, subject: str, most: int, tick: Tick
    ) -> None:
        """Fetch a URL into a file.

        Parameters
        ----------
        url : str
            The address.
        file : Path
            Written whole or not at all.
        subject : str
            The data set, for messages.
        most : int
            Maximum number of bytes.
        tick : callable
            Called with the number of bytes that arrived; it may raise.

        Raises
        ------
        TransportError
            If the file was not delivered within its limits.
        StoreError
            If the disk is full or cannot be written.
        """
        if self._slow >= _SLOW_ONES:
            msg = (
                f"{subject}: not fetched, because {self._slow} downloads in a row from "
                f"{self._label} took too long; run again later, or use --mirror"
            )
            raise TransportError(msg)
        deadline = Deadline(_SECONDS + most / _BYTES_PER_SECOND)
        where = f"{subject}: {shown(url)}"
        with cache_file(file) as sink:
            try:
                with_retries(
                    lambda: self._append(url, sink, most, tick, deadline),
                    where,
                    file,
                    deadline,
                    variable=self._variable,
                )
            except TransportError:
                self._slow = 0 if deadline.left() else self._slow + 1
                raise
        self._slow = 0

    def _append(
        self, url: str, sink: IO[bytes], most: int, tick: Tick, deadline: Deadline
    ) -> None:
        """Fetch the rest of a partly downloaded URL."""
        have = sink.tell()
        headers = {"range": f"bytes={have}-"} if have else {}
        limit = Limit(deadline.left(), most)
        with self._web.open(url, limit, headers) as answer:
            if have and answer.status != http.client.PARTIAL_CONTENT:
                sink.seek(0)
                sink.truncate()
                have = 0
            length = answer.headers.get("Content-Length", "")
            wanted = have + int(length) if length.isdecimal() else None
            while chunk := answer.read1(_CHUNK):
                have += sink.write(chunk)
                if have > most:
                    msg = f"more than the {most} bytes of the file arrived"
                    raise RefusedAnswerError(msg)
                tick(len(chunk))
        if wanted is not None and have < wanted:
            msg = f"{have} of {wanted} bytes"
            raise http.client.HTTPException(msg)
