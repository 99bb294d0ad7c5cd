"""Run a stranger's code in this process, and keep the process as it was.

The module of a detector is imported, and its constructor called, where the command
runs, to learn its name and parameters.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import NoReturn

_PRINTING = threading.RLock()
# Threads that a stranger's code started here, and that Python would wait for.
_STARTED: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


@contextlib.contextmanager
def prints_to_stderr() -> Iterator[None]:
    """Send what a stranger's code prints to stderr, because stdout is for results."""
    # A second thread that came between would restore another stream than the first's.
    with _PRINTING, contextlib.redirect_stdout(sys.stderr):
        yield


@contextlib.contextmanager
def contained() -> Iterator[None]:
    """Let a stranger's code neither end this process nor move it to another folder.

    ``os._exit`` raises a SystemExit, a crash of native code names its line, and streams
    and the working folder are restored. A process that the code forked ends with it.
    """
    with prints_to_stderr(), _no_exit(), _told_of_crashes(), _kept_streams():
        folder, process = _folder(), os.getpid()
        before = set(threading.enumerate())
        try:
            yield
        finally:
            if os.getpid() != process:
                # Outside of `_no_exit`, as another process goes its own way.
                os._exit(0)
            if folder is not None and folder != _folder():
                with contextlib.suppress(OSError):
                    os.chdir(folder)
            new = set(threading.enumerate()) - before
            _STARTED.update(thread for thread in new if not thread.daemon)


def has_left_threads() -> bool:
    """Say whether Python would wait for a thread of a stranger's code at its end."""
    return any(thread.is_alive() for thread in _STARTED)


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - a text is compared and given back
    except OSError:
        # It was removed.
        return None


@contextlib.contextmanager
def _no_exit() -> Iterator[None]:
    """Raise a SystemExit where this process would end without a word."""
    end, process = os._exit, os.getpid()
    is_inside = True

    def refused(status: int) -> NoReturn:
        # A process that was forked ends itself in this way, and code that kept this
        # function may call it later.
        if is_inside and os.getpid() == process:
            raise SystemExit(f"os._exit({status!r})")  # noqa: EM102
        end(status)

    os._exit = refused
    try:
        yield
    finally:
        is_inside = False
        os._exit = end


@contextlib.contextmanager
def _told_of_crashes() -> Iterator[None]:
    """Write the line of Python to stderr at which native code crashes."""
    told = False
    if not faulthandler.is_enabled():
        # A notebook's or a test's stream has no descriptor.
        with contextlib.suppress(AttributeError, OSError, ValueError, RuntimeError):
            faulthandler.enable(sys.stderr, all_threads=False)
            told = True
    try:
        yield
    finally:
        if told:
            faulthandler.disable()


@contextlib.contextmanager
def _kept_streams() -> Iterator[None]:
    """Restore the streams; code that wants less noise may replace them."""
    streams = sys.stdin, sys.stderr
    try:
        yield
    finally:
        sys.stdin, sys.stderr = streams
