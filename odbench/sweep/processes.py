"""Look at and end a process together with everything that it has started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

# Every descendant inherits this variable, whatever group or session it moves to.
MARK = "ODBENCH_SANDBOX"


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


def kill_tree(process: subprocess.Popen[bytes], mark: str) -> None:
    """Kill a process, its group, and every descendant that left the group."""
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
