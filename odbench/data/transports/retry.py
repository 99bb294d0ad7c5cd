"""Retry requests after temporary failures, and report the final one in one line."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from odbench.data.disk import as_store_error
from odbench.data.transports.web import RefusedAnswerError, SlowAnswerError
from odbench.errors import OdbenchError, TransportError
from odbench.files import is_local

T = TypeVar("T")

# Seconds to wait before each retry.
WAITS = (1.0, 2.0, 4.0, 8.0)
# Maximum seconds that a server may ask to wait; the hub counts requests in windows of
# five minutes.
LONGEST_WAIT = 300.0
# A hub's own header for the seconds until the next window: `"api";r=0;t=55`.
_WINDOW = re.compile(r"\br=0\s*;\s*t=(\d{1,6})\b")
# The variable that sets the address of the hub.
HUB = "HF_ENDPOINT"


class Deadline:
    """The seconds that a task may take in all, its retries included.

    Parameters
    ----------
    seconds : float
        From now; pauses that a server asks for are added.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left, at least 0."""
        return max(0.0, self._end - time.monotonic())

    def extend(self, seconds: float) -> None:
        """Add seconds."""
        self._end += seconds


def with_retries(
    call: Callable[[], T],
    subject: str,
    scratch: Path,
    deadline: Deadline,
    *,
    variable: str = HUB,
) -> T:
    """Call a function, and retry it after temporary failures.

    Parameters
    ----------
    call : callable
        A function that opens and reads URLs through `Web`.
    subject : str
        The repository or data set, for the message.
    scratch : Path
        The folder that the call writes to, for the message of a full disk.
    deadline : Deadline
        The time for all tries together.
    variable : str
        The environment variable that sets the address, for messages.

    Raises
    ------
    TransportError
        If the call keeps failing, or fails permanently.
    StoreError
        If the disk is full or cannot be written.
    """
    for wait in (*WAITS, None):
        try:
            return call()
        except OdbenchError:
            raise
        except (
            OSError,
            http.client.HTTPException,
            SlowAnswerError,
            RefusedAnswerError,
        ) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            if isinstance(error, OSError) and is_local(error):
                raise as_store_error(error, scratch) from error
            if wait is None or not is_temporary(error) or not deadline.left():
                msg = f"{subject}: {reason_of(error, deadline, variable)}"
                raise TransportError(msg) from error
            pause = _asked_wait(error)
            deadline.extend(pause)
            time.sleep(pause or wait)
    raise AssertionError


def is_temporary(error: Exception) -> bool:
    """Tell whether a failure is temporary."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code in (408, 425, 429) or error.code >= 500
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    # A name that cannot be resolved, a closed port or a wrong certificate stays.
    final = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
    return not isinstance(cause, (*final, str, RefusedAnswerError))


def reason_of(error: Exception, deadline: Deadline, variable: str = HUB) -> str:
    """Return one line with the reason of a failure and the next step."""
    next_step = f"check the network and {variable}, or use --mirror"
    if isinstance(error, urllib.error.HTTPError):
        code = error.headers.get("X-Error-Code", "")
        closed = error.code in (401, 403) or code in ("RepoNotFound", "GatedRepo")
        if closed and variable == HUB:
            return "there is no such repository, or HF_TOKEN gives no access to it"
        again = "try again later" if is_temporary(error) else next_step
        return f"answered with status {error.code}; {again}"
    if isinstance(error, RefusedAnswerError):
        return f"{error}; {next_step}"
    if not deadline.left():
        return (
            f"not finished within {deadline.seconds:.0f} seconds, the limit "
            f"({_one_line(error)}); {next_step}"
        )
    if isinstance(error, SlowAnswerError):
        return f"{error}, {len(WAITS) + 1} times; {next_step}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    name = type(cause).__name__
    return f"cannot be reached ({name}: {_one_line(cause)}); {next_step}"


def _one_line(error: object) -> str:
    return (str(error).splitlines() or [""])[0][:200]


def _asked_wait(error: Exception) -> float:
    """Return the seconds that an answer asks to wait, or 0."""
    if not isinstance(error, urllib.error.HTTPError):
        return 0.0
    asked = error.headers.get("Retry-After", "").strip()
    window = _WINDOW.search(error.headers.get("RateLimit", ""))
    if error.code == http.client.TOO_MANY_REQUESTS and window:
        asked = window[1]
    # One second more, because the answer's seconds are rounded.
    return min(float(asked) + 1, LONGEST_WAIT) if asked.isdecimal() else 0.0
