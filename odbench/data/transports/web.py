"""Requests over HTTP whose answers are bounded, and a token that stays with one host.

A timeout of `urllib` bounds only the silence between two bytes: a server that sends a
byte per second is never given up. Here the socket itself counts the seconds and the
bytes of an answer, headers and redirects included. Compressed answers are refused
unread, so no answer is larger than the bytes that arrived.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from email.message import Message
from typing import IO, Any

from odbench import __version__

# Maximum seconds between two bytes.
_SILENCE = 30.0
# Bytes of headers and redirects that are allowed besides the body.
_OVERHEAD = 1 << 18
_PORTS = {"http": 80, "https": 443}
Origin = tuple[str, str, int | None]


class SlowAnswerError(Exception):
    """An answer was not complete within its seconds."""


class RefusedAnswerError(Exception):
    """An answer is too large, or compressed."""


class Limit:
    """The seconds and bytes within which one answer must arrive.

    Parameters
    ----------
    seconds : float
        From now until the last byte of the body.
    size : int
        Maximum number of bytes of the body.
    """

    def __init__(self, seconds: float, size: int) -> None:
        self.seconds = seconds
        self.size = size
        self.arrived = 0
        self.readers: list[_CountingReader] = []
        self._end = time.monotonic() + seconds

    def wait(self) -> float:
        """Return the maximum seconds to wait for the next byte.

        Raises
        ------
        SlowAnswerError
            If no time is left.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            msg = (
                f"no complete answer within {self.seconds:.0f} seconds "
                f"({self.arrived} bytes arrived)"
            )
            raise SlowAnswerError(msg)
        return min(left, _SILENCE)

    def count(self, arrived: int) -> None:
        """Count bytes that arrived.

        Raises
        ------
        RefusedAnswerError
            If they are too many.
        """
        self.arrived += arrived
        if self.arrived > self.size + _OVERHEAD:
            msg = f"more than {self.size} bytes arrived, the limit"
            raise RefusedAnswerError(msg)

    def close(self) -> None:
        """Close every connection of the answer."""
        for reader in self.readers:
            reader.close()


class Web:
    """Opens URLs, and shows the token to one origin alone.

    Parameters
    ----------
    home : str
        The only URL whose scheme, host and port get the token.
    token : str
        The value of the header ``Authorization``, if any.
    """

    def __init__(self, home: str = "", token: str = "") -> None:
        self._home = origin(home)
        self._token = token
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.UnknownHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _Redirects(self),
            _Plain(),
            _Encrypted(),
        ):
            self._opener.add_handler(handler)

    def open(
        self, url: str, limit: Limit, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """Open a URL, following at most ten redirects.

        Parameters
        ----------
        url : str
            An address with the scheme http or https.
        limit : Limit
            The limit of the whole answer; redirects count.
        headers : mapping, optional
            More headers.

        Returns
        -------
        http.client.HTTPResponse
            Its body is not read yet; reading it may raise the errors below, too.

        Raises
        ------
        urllib.error.HTTPError
            If the answer has an error status.
        OSError, http.client.HTTPException
            If the network fails.
        SlowAnswerError
            If the limit's seconds are over.
        RefusedAnswerError
            If the answer is too large, or compressed.
        """
        answer: http.client.HTTPResponse
        try:
            request = self.request(url, limit, headers or {})
            answer = self._opener.open(request, timeout=_SILENCE)
        except BaseException as error:
            # A redirect whose body cannot be read is left open by `urllib`.
            if not isinstance(error, urllib.error.HTTPError):
                limit.close()
            if isinstance(error, ValueError):
                # The address of a redirect, for example. The text may quote a header.
                msg = f"not a valid address ({type(error).__name__})"
                raise http.client.InvalidURL(msg) from None
            raise
        encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            answer.close()
            msg = f"a compressed answer ({encoding[:40]!r}) came, which is not read"
            raise RefusedAnswerError(msg)
        return answer

    def request(self, url: str, limit: Limit, headers: Mapping[str, str]) -> _Request:
        """Return a request, with the token if the URL is of the token's origin."""
        request = _Request(url, limit, headers)
        request.add_header("User-Agent", f"odbench/{__version__}")
        if self._token and self.is_home(url):
            request.add_unredirected_header("Authorization", self._token)
        return request

    def is_home(self, url: str) -> bool:
        """Check whether the token may be sent to the scheme, host and port of a URL."""
        # Programs read an address with one of these characters in different ways.
        return origin(url) == self._home and not set("@\\") & set(url)


def origin(url: str) -> Origin:
    """Return the scheme, the host and the port of a URL.

    Examples
    --------
    >>> origin("https://Example.org/a") == origin("https://example.org:443/b")
    True
    """
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return "", url, None
    return parts.scheme, parts.hostname or "", port


def shown(url: str) -> str:
    """Return a URL for a message: without its query, which may hold a signature."""
    start, _, rest = url.partition("?")[0].partition("://")
    host, slash, path = rest.partition("/")
    return repr(f"{start}://{host.rpartition('@')[2]}{slash}{path}"[:200])


class _Request(urllib.request.Request):
    """A request that carries its limit through redirects."""

    def __init__(self, url: str, limit: Limit, headers: Mapping[str, str]) -> None:
        super().__init__(url, headers=dict(headers))
        self.limit = limit
        self.asked = headers


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Makes each request of a chain anew, so that no header is handed on by chance."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def redirect_request(  # noqa: PLR0917 - urllib's own signature
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message[str, str],
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the request for the new address."""
        del fp, code, msg, headers
        assert isinstance(req, _Request)
        return self._web.request(newurl.replace(" ", "%20"), req.limit, req.asked)


class _Plain(urllib.request.HTTPHandler):
    """Opens http addresses over sockets that count."""

    def http_open(self, req: urllib.request.Request) -> Any:
        """Open a request."""
        assert isinstance(req, _Request)
        make = functools.partial(_PlainConnection, limit=req.limit)
        return self.do_open(make, req)


class _Encrypted(urllib.request.HTTPSHandler):
    """Opens https addresses over sockets that count."""

    def https_open(self, req: urllib.request.Request) -> Any:
        """Open a request."""
        assert isinstance(req, _Request)
        make = functools.partial(
            _EncryptedConnection, limit=req.limit, context=_certificates()
        )
        return self.do_open(make, req)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Return a context with the system's authorities, or those of certifi."""
    context = ssl.create_default_context()
    places = ssl.get_default_verify_paths()
    if places.cafile is None and places.capath is None:
        with contextlib.suppress(ImportError):
            import certifi

            context.load_verify_locations(certifi.where())
    return context


class _PlainConnection(http.client.HTTPConnection):
    """A connection whose answer is bounded."""

    def __init__(self, *args: Any, limit: Limit, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limit = limit

    def connect(self) -> None:
        """Connect within the limit's seconds."""
        self.timeout = self._limit.wait()
        super().connect()
        self.sock = _CountingSocket(self.sock, self._limit)


class _EncryptedConnection(_PlainConnection, http.client.HTTPSConnection):
    """An encrypted connection whose answer is bounded."""


class _CountingSocket:
    """A socket whose reader counts; the rest is the socket's own."""

    def __init__(self, sock: socket.socket, limit: Limit) -> None:
        self._sock = sock
        self._limit = limit

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return the reader of an answer."""
        assert mode == "rb"
        return io.BufferedReader(_CountingReader(self._sock, self._limit))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _CountingReader(io.RawIOBase):
    """Reads from a socket, within a limit of seconds and bytes."""

    def __init__(self, sock: socket.socket, limit: Limit) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)
        self._limit = limit
        limit.readers.append(self)

    def readable(self) -> bool:
        """Return True, because this side of the socket is read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what has arrived, or wait for it."""
        self._sock.settimeout(self._limit.wait())
        try:
            arrived = self._file.readinto(buffer)
        except TimeoutError:
            # If it was the limit that ended the wait, this raises its own error.
            self._limit.wait()
            raise
        self._limit.count(arrived or 0)
        return arrived

    def flush(self) -> None:
        """Do nothing, also when closed: nothing is written.

        An answer that `urllib` gave up flushes its reader when it is collected, and
        Python 3.14 prints an error of that.
        """

    def close(self) -> None:
        """Close the socket, too."""
        self._file.close()
        self._sock.close()
        super().close()
