"""Look at and end a process together with everything that it has started.

The process that a worker starts adopts the orphans below it (`adopt_descendants`), so
that a walk from it finds all of them, whatever group or session they moved to.
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
# What forks faster than it is killed is left to the mark.
_CHASE_SECONDS = 5.0


def adopt_descendants(*, without: socket.socket) -> None:
    """Go on in a child; this process stays, and inherits every orphan below it.

    It ends when the child does, in the same way, and kills what the child has left.
    Nothing happens where the kernel cannot do this.

    Parameters
    ----------
    without : socket
        What only the child keeps, so that the other side sees it hang up.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        return
    child = os.fork()
    if child == 0:
        return
    without.close()
    while True:
        ended, status = os.wait()
        if ended == child:
            break
    _kill_descendants(os.getpid())
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):
            # SIGKILL, for one, has no other.
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
    """Kill what a process that adopts has below it, until nothing is left."""
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
    # Whatever was being born while the others died.
    kill_marked(mark)


def kill_marked(mark: str) -> None:
    """Kill every process of this user whose mark begins so."""
    for pid in _marked(mark):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _marked(mark: str) -> list[int]:
    """Return the processes whose environment says that they come from a sandbox."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def remove_tree(folder: Path) -> None:
    """Remove a folder, however deep a stranger has made it."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False)
