"""End the server on a signal: its calls' processes, their files, then itself."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

INTERRUPTED = 130
_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")


@contextlib.contextmanager
def ended_by_signals() -> Iterator[Path]:
    """Give a folder for temporary files; SIGTERM, SIGINT and SIGHUP end this process.

    They end it at once. An exception out of a signal handler could surface anywhere in
    the event loop, which may swallow it, and the thread that waits for stdin would
    keep the process alive.

    Yields
    ------
    Path
        Removed at the end, however that comes about.
    """
    folder = Path(tempfile.mkdtemp(prefix="odbench-mcp-"))

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        end_all(folder)
        os._exit(INTERRUPTED)

    known = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    # The command line's own handler stands for the default one.
    replaced = (signal.SIG_DFL, signal.default_int_handler)
    before = {each: signal.getsignal(each) for each in known}
    taken = {each: old for each, old in before.items() if old in replaced}
    for each in taken:
        signal.signal(each, end)
    try:
        yield folder
    finally:
        for each, old in taken.items():
            signal.signal(each, old)
        shutil.rmtree(folder, ignore_errors=True)


def end_all(folder: Path) -> None:
    """Kill the processes of all calls, each with its group, and remove their files.

    Parameters
    ----------
    folder : Path
        Their folder.
    """
    import psutil

    # Asked of the system, because a process may have started a moment ago.
    with contextlib.suppress(psutil.Error):
        calls = psutil.Process().children()
        for each in calls:
            end_group(each.pid)
        psutil.wait_procs(calls, timeout=5)
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        os.write(2, b"odbench: interrupted\n")


def end_group(pid: int) -> None:
    """End a process with all that it started, which is one group.

    Parameters
    ----------
    pid : int
        The process, which leads the group.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)
