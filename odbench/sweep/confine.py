"""Restrict a detector's process in reading, writing and connecting.

Three layers, each as far as the system has it. An audit hook refuses hidden paths with
a clear error in Python. On Linux (5.13 or newer), Landlock refuses them to native code
and child processes too, allows writing in a few folders only, and (6.7) TCP connections
to a few ports only. A seccomp filter refuses the calls that Landlock does not know.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from odbench.sweep import landlock, seccomp

# Events of the audit hook with the positions of their paths: those that read a file,
# give it another name, or end in its loss.
_EVENTS = {
    "open": (0,),
    "os.listdir": (0,),
    "os.scandir": (0,),
    "os.link": (0, 1),
    "os.symlink": (0, 1),
    "os.rename": (0, 1),
    "os.truncate": (0,),
}
_PROC = Path("/proc")
# Devices that programs write to; GPUs need ioctl and writing.
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "nvidia*", "dri", "kfd")


def confine(
    *, hidden: Sequence[Path], writable: Sequence[Path], ports: Sequence[int]
) -> list[str]:
    """Restrict this process and its descendants, permanently.

    Parameters
    ----------
    hidden : sequence of Path
        Files or folders that cannot be read or changed. Landlock ignores those that do
        not exist.
    writable : sequence of Path
        Folders in which files may be changed, besides devices.
    ports : sequence of int
        TCP ports to which connections may be made.

    Returns
    -------
    list of str
        The layers that hold, such as ``["audit hook", "landlock 7", "seccomp"]``.
    """
    real = [Path(os.path.realpath(path)) for path in hidden]
    _refuse_in_python(real)
    layers = ["audit hook"]
    version = landlock.restrict(
        readable=_own_processes(_everything_but([p for p in real if p.exists()])),
        writable=[Path(os.path.realpath(path)) for path in writable],
        devices=[node for name in _DEVICES for node in Path("/dev").glob(name)],
        ports=ports,
    )
    if version:
        layers.append(f"landlock {version}")
    if seccomp.restrict():
        layers.append("seccomp")
    return layers


def _refuse_in_python(hidden: list[Path]) -> None:
    prefixes = [str(path) for path in hidden]

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        for position in _EVENTS.get(event, ()):
            target = arguments[position] if position < len(arguments) else None
            if not isinstance(target, (str, bytes, os.PathLike)):
                continue
            try:
                real = os.path.realpath(os.fsdecode(target))
            except OSError:
                # The working folder is too deep to have a name; the kernel decides.
                continue
            for prefix in prefixes:
                if real == prefix or real.startswith(prefix + os.sep):
                    msg = "odbench: hidden from detectors"
                    raise PermissionError(msg)

    sys.addaudithook(refuse)


def _own_processes(readable: Iterable[Path]) -> Iterator[Path]:
    """Replace ``/proc`` by this process and by what is not about a process.

    The environment of another process of the user may hold secrets.
    """
    for path in readable:
        if path == Path("/"):
            yield from _own_processes(path.iterdir())
        elif path != _PROC:
            yield path
        else:
            yield from _of_this_process()


def _of_this_process() -> Iterator[Path]:
    try:
        entries = list(_PROC.iterdir())
    except OSError:
        return
    yield from (entry for entry in entries if not entry.name.isdigit())
    own = _PROC / str(os.getpid())
    # Kept open, so that the kernel does not forget what the rule is about.
    with contextlib.suppress(OSError, AttributeError):
        os.open(own, os.O_PATH | os.O_CLOEXEC)
    yield own


def _everything_but(hidden: list[Path]) -> Iterable[Path]:
    """Yield the siblings of the hidden paths and of all their ancestors.

    Landlock can only allow, so every path that does not lead to a hidden one is.
    """
    ancestors = {parent for path in hidden for parent in path.parents}
    if not hidden:
        yield Path("/")
    for folder in ancestors:
        if any(above in hidden for above in (folder, *folder.parents)):
            continue
        try:
            entries = list(folder.iterdir())
        except OSError:
            continue
        for entry in entries:
            # A link needs no rule: its target is allowed, or not, by its real path.
            if (
                entry not in ancestors
                and entry not in hidden
                and not entry.is_symlink()
            ):
                yield entry
