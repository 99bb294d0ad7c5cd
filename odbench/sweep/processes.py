"""Measure and kill a process together with all its descendants.

The process that a worker starts is a reaper: it runs no detector, adopts the orphaned
descendants of the process that does, and kills all of them when that process or the
worker ends. So a walk from it finds every descendant, in any process group or session.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# Every descendant inherits this variable, unless it drops it.
MARK = "ODBENCH_SANDBOX"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
# A process that forks faster than it is killed is found by its mark later.
_CHASE_SECONDS = 5.0
# Interval at which a reaper looks for the end of its child without a pidfd.
_WAIT_SECONDS = 0.05
_BLOCK = 512
_PROC = Path("/proc")


def serve_under_a_reaper(
    channel: socket.socket, *, worker: int, tidy: Callable[[], object]
) -> None:
    """Continue in a child; this process stays as the reaper of all its orphans.

    The reaper ends when the child does, with the same status, or when the worker does;
    before, it kills the child's descendants. Without support by the kernel, this
    process goes on itself.

    Parameters
    ----------
    channel : socket
        Only the child keeps it, so that the worker notices when the child ends.
    worker : int
        Read end of a pipe that closes when the worker ends. Only the reaper keeps it.
    tidy : callable
        Called by the reaper at its end if the worker, which would tidy, has ended.
    """
    if not _adopts_orphans():
        os.close(worker)
        return
    child = os.fork()
    if child == 0:
        os.close(worker)
        _die_with_parent()
        return
    channel.close()
    status = _wait(child, worker)
    _kill_descendants(os.getpid())
    # Nothing is ever written to the pipe, so that only its end can be read.
    if select.select([worker], [], [], 0)[0]:
        tidy()
    if os.WIFSIGNALED(status):
        _end_by(os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def own_memory() -> tuple[int, int]:
    """Return the resident bytes of this process, and their peak since the last reset.

    Both are 0 where the system does not tell.
    """
    return process_memory(os.getpid())


def process_memory(pid: int) -> tuple[int, int]:
    """Return the resident bytes of a process, and their peak since the last reset."""
    found = {b"VmRSS": 0, b"VmHWM": 0}
    with contextlib.suppress(OSError, ValueError):
        for line in _read(f"/proc/{pid}/status").splitlines():
            name, _, rest = line.partition(b":")
            if name in found:
                found[name] = int(rest.split()[0]) * 1024
    return found[b"VmRSS"], found[b"VmHWM"]


def return_free_memory() -> None:
    """Give memory that this process has freed back to the system, where it can be.

    The C library keeps freed memory for later, so that a process which has done much
    before could do the same again without growing.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def reset_peak_memory(pid: int) -> None:
    """Let the peak of a process's resident memory start from the present value."""
    with contextlib.suppress(OSError):
        descriptor = os.open(f"/proc/{pid}/clear_refs", os.O_WRONLY)
        try:
            os.write(descriptor, b"5")
        finally:
            os.close(descriptor)


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process, 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        text = _read(f"/proc/{pid}/stat")
        user, system = text.rpartition(b")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return 0.0


def resident_tree(pid: int) -> int:
    """Return the bytes that a process and its living descendants hold.

    Resident memory counts, and so do files without a name: memory behind a descriptor,
    and deleted temporary files.
    """
    if not os.path.exists("/proc/self/statm"):  # noqa: PTH110 - see `_read`
        return _resident_elsewhere(pid)
    page, total = os.sysconf("SC_PAGE_SIZE"), 0
    nameless: dict[tuple[int, int], int] = {}
    for process in process_tree(pid):
        with contextlib.suppress(OSError, ValueError, IndexError):
            total += int(_read(f"/proc/{process}/statm").split()[1]) * page
        nameless |= _nameless_files(process)
    return total + sum(nameless.values())


def _resident_elsewhere(pid: int) -> int:
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(int(one.memory_info().rss) for one in family)
    return 0


def _nameless_files(pid: int) -> dict[tuple[int, int], int]:
    """Return the bytes of a process's open files that have no name, by inode."""
    found = {}
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                facts = os.stat(entry.path)  # noqa: PTH116 - a link without a target
                if facts.st_nlink == 0 and stat.S_ISREG(facts.st_mode):
                    found[facts.st_dev, facts.st_ino] = facts.st_blocks * _BLOCK
    return found


def process_tree(pid: int) -> Iterator[int]:
    """Yield a process and its living descendants."""
    waiting = [pid]
    while waiting:
        process = waiting.pop()
        yield process
        with contextlib.suppress(OSError):
            waiting += _children(process)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - see `_read`
        with contextlib.suppress(OSError):
            text = _read(f"/proc/{pid}/task/{thread}/children")
            found += [int(child) for child in text.split()]
    return found


def _read(path: str) -> bytes:
    """Return the bytes of a file of the kernel.

    Some are read several times per trial, and `pathlib` and text files take most of the
    time of that.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(descriptor, 1 << 16):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def _adopts_orphans() -> bool:
    if sys.platform != "linux":
        return False
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return bool(libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def _die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _wait(child: int, worker: int) -> int:
    """Wait until the child or the worker ends; return the child's status."""
    poll = select.poll()
    poll.register(worker, select.POLLHUP)
    timeout: float | None = _WAIT_SECONDS * 1000
    with contextlib.suppress(OSError, AttributeError):
        poll.register(os.pidfd_open(child), select.POLLIN)
        timeout = None
    while True:
        ready = poll.poll(timeout)
        # Orphans that were adopted end here as well.
        with contextlib.suppress(ChildProcessError):
            while True:
                ended, status = os.waitpid(-1, os.WNOHANG)
                if ended == child:
                    return status
                if not ended:
                    break
        if any(descriptor == worker for descriptor, _ in ready):
            os.kill(child, signal.SIGKILL)
            return int(signal.SIGKILL)


def _end_by(number: int) -> None:
    """End this process by a signal, without a core file."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        # Some signals, such as SIGKILL, allow no handler and raise here.
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


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
    if not _PROC.is_dir():
        _kill_family(process.pid)
    kill_marked(mark)
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    # A process may have been started while the others were killed.
    kill_marked(mark)


def _kill_family(pid: int) -> None:
    """Kill the descendants of a process where there is no ``/proc``."""
    import psutil

    with contextlib.suppress(psutil.Error):
        for descendant in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                descendant.kill()


def kill_marked(mark: str) -> None:
    """Kill every process of this user whose mark begins with `mark`."""
    for pid in _marked(mark):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _marked(mark: str) -> list[int]:
    """Return the processes that carry the mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
            with contextlib.suppress(OSError):
                if wanted in _read(f"/proc/{name}/environ"):
                    found.append(int(name))
    return found
