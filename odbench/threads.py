"""Count the threads that may be started, and let libraries start no more than that."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import threading
import time
from typing import NoReturn

from odbench.errors import NoProcessesError

# The cure, for a message that says what could not be done.
MORE_PROCESSES = (
    "raise `ulimit -u` (or `ulimit -v`, if set), or the container's limit of processes"
)
# Bytes of a thread's stack in a check, so that address space is no obstacle.
_STACK = 1 << 18
# The system counts a thread for a moment after it has ended.
_GONE_SECONDS = 0.05
# Python's words and Arrow's for a thread that could not be started.
_NO_THREAD = ("can't start new thread", "Failed to launch worker thread")
# One for Arrow's files, one for its computations, one for all other libraries.
_LEAST = 3


def startable(most: int) -> int:
    """Return how many more threads or processes can be started, up to a number.

    Limits of a user, of a container and of the system count both alike.

    Parameters
    ----------
    most : int
        The number that is enough.
    """
    end, started = threading.Event(), list[threading.Thread]()
    before = None
    with contextlib.suppress(ValueError, RuntimeError):
        before = threading.stack_size(_STACK)
    try:
        for _ in range(most):
            thread = threading.Thread(target=end.wait, daemon=True)
            try:
                thread.start()
            except (RuntimeError, MemoryError):
                break
            started.append(thread)
    finally:
        end.set()
        for thread in started:
            thread.join()
        if before is not None:
            threading.stack_size(before)
        if len(started) < most:
            time.sleep(_GONE_SECONDS)
    return len(started)


def is_lack_of_processes(error: object) -> bool:
    """Say whether an error, or its text, is that no thread could be started."""
    if isinstance(error, OSError) and error.errno == errno.EAGAIN:
        # A pipe that is full has the same number.
        return startable(_LEAST) < _LEAST
    return any(words in str(error) for words in _NO_THREAD)


@functools.cache
def spare_threads() -> None:
    """Let Arrow start no more threads than may be started, before it reads a file.

    It waits for ever for a thread that it may not start, and does not hear signals.

    Raises
    ------
    NoProcessesError
        If it could not start any.
    """
    import pyarrow as pa

    wanted = pa.cpu_count() + pa.io_thread_count() + _LEAST
    room = startable(wanted)
    if room < _LEAST:
        refuse(f"{room} more may be started here, wanted {_LEAST}")
    if room < wanted:
        pa.set_io_thread_count(1)
        pa.set_cpu_count(max(1, min(pa.cpu_count(), room - _LEAST)))


def refuse_lack(error: Exception, path: object) -> None:
    """Raise an error if a file could not be read for lack of memory or threads.

    Parameters
    ----------
    error : Exception
        Raised by Arrow, which reads every file by a thread. Its errors of memory are
        ArrowExceptions as well, and say nothing about the file.
    path : object
        The file.

    Raises
    ------
    NoProcessesError
        If no thread may be started.
    MemoryError
        If there is no memory, or no room of addresses to map the file.
    """
    # Arrow tells the system's reason in words, without its number.
    if isinstance(error, MemoryError) or os.strerror(errno.ENOMEM) in str(error):
        msg = f"not enough memory to read {str(path)!r}"
        raise MemoryError(msg) from error
    if is_lack_of_processes(error):
        refuse(f"no more may be started to read {str(path)!r}")


def refuse(reason: str) -> NoReturn:
    """Raise an error that names the cure.

    Parameters
    ----------
    reason : str
        The number that may be started, or the work that needs more.

    Raises
    ------
    NoProcessesError
        Always.
    """
    msg = f"threads or processes: {reason}; {MORE_PROCESSES}"
    raise NoProcessesError(msg)
