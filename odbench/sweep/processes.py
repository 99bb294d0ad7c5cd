"""Measure and kill a process together with all its descendants.

The process that a worker starts adopts its orphaned descendants (`adopt_descendants`),
so that a walk from it finds all of them, in any process group or session.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

# Every descendant inherits this variable, unless it drops it.
MARK = "ODBENCH_SANDBOX"
_PR_SET_CHILD_SUBREAPER = 36
# A process that forks faster than it is killed is found by its mark later.
_CHASE_SECONDS = 5.0


def adopt_descendants(*, close_in_parent: socket.socket) -> None:
    """Continue in a child; this process stays as the parent of all its orphans.

    It ends when the child does, with the same status, after it has killed the child's
    descendants. Nothing happens where the kernel does not support this.

    Parameters
    ----------
    close_in_parent : socket
        Only the child keeps it, so that the worker notices when the child ends.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        return
    child = os.fork()
    if child == 0:
        return
    close_in_parent.close()
    while True:
        ended, status = os.wait()
        if ended == child:
            break
    _kill_descendants(os.getpid())
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):
            # Some signals, such as SIGKILL, allow no handler and raise here.
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def resident_tree(pid: int) -> int:
    """Return the resident bytes of a process and of its living descendants."""
    total, waiting = 0, [pid]
    page = os.sysconf("SC_PAGE_SIZE")
    while waiting:
        process = waiting.pop()
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
            total += (int(fields[1])) * page
            waiting += _children(process)
    return total


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            text = (thread / "children").read_text(encoding="ascii")
            found += [int(child) for child in text.split()]
    return found


def _kill_descendants(pid: int) -> None:
    """Kill the descendants of a process that adopts orphans, until none is left."""
    deadline = time.monotonic() + _CHASE_SECONDS
    while time.monotonic() < deadline:
        try:
            children = _children(pid)
        except OSError:
            return
        if not children:
            return
        for child in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
            if pid == os.getpid():
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(child, 0)
        if pid != os.getpid():
            time.sleep(0.001)


def kill_tree(process: subprocess.Popen[bytes], mark: str) -> None:
    """Kill a process, its group, and every descendant that left the group."""
    if process.poll() is None:
        _kill_descendants(process.pid)
    kill_marked(mark)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # A process may have been started while the others were killed.
    kill_marked(mark)


def kill_marked(mark: str) -> None:
    """Kill every process of this user whose mark begins with `mark`."""
    for pid in _marked(mark):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _marked(mark: str) -> list[int]:
    """Return the processes that carry the mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def remove_tree(folder: Path) -> None:
    """Remove a folder, even one nested deeper than Python can recurse."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False)
