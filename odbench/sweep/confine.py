"""Make paths unreadable for a detector's process until it ends.

Data, labels and results are hidden twice: from Python by an audit hook, and on Linux
(5.13 or newer) from native code and from child processes too by Landlock, the kernel's
unprivileged sandbox. From Linux 6.12 on, the process cannot send signals to its worker
either.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# System call numbers of Landlock, the same on x86-64 and ARM64.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _RULE_PATH_BENEATH = 1, 1
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
# All rights of Landlock's first and second version; without the second, no file can be
# moved between folders. Rights of later versions are not needed here.
_RIGHTS_1, _RIGHTS_2 = (1 << 13) - 1, (1 << 14) - 1
# Execute, write, read and truncate: the rights that make sense for a file.
_FILE_RIGHTS = 0b111
_SIXTH, _SCOPE_SIGNAL = 6, 1 << 1


class _RulesetAttribute(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def hide(paths: Iterable[Path]) -> bool:
    """Make paths unreadable for this process and its descendants, permanently.

    Parameters
    ----------
    paths : iterable of Path
        Files or folders; Landlock ignores those that do not exist.

    Returns
    -------
    bool
        True if the kernel enforces it, False if only the audit hook does.
    """
    hidden = [Path(os.path.realpath(path)) for path in paths]
    if not hidden:
        return True
    _hide_from_python(hidden)
    try:
        return _hide_from_everything([path for path in hidden if path.exists()])
    except OSError:
        return False


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _hide_from_python(hidden: list[Path]) -> None:
    prefixes = [str(path) for path in hidden]

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in {"open", "os.listdir", "os.scandir", "os.link", "os.symlink"}:
            return
        target = arguments[0] if arguments else None
        if not isinstance(target, (str, bytes, os.PathLike)):
            return
        real = os.path.realpath(os.fsdecode(target))
        for prefix in prefixes:
            if real == prefix or real.startswith(prefix + os.sep):
                msg = "odbench: hidden from detectors"
                raise PermissionError(msg)

    sys.addaudithook(refuse)


def _hide_from_everything(hidden: list[Path]) -> bool:
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    rights = _RIGHTS_2 if version >= 2 else _RIGHTS_1
    attribute = _RulesetAttribute(rights, 0, _SCOPE_SIGNAL)
    # Older kernels only know the first field.
    size = ctypes.sizeof(attribute) if version >= _SIXTH else 8
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(attribute), size, 0)
    if ruleset < 0:
        return False
    try:
        for path in _everything_but(hidden):
            _allow(libc, ruleset, path, rights)
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return False
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _everything_but(hidden: list[Path]) -> Iterable[Path]:
    """Yield the siblings of the hidden paths and of all their ancestors.

    Landlock can only allow, so every path that does not lead to a hidden one is.
    """
    ancestors = {parent for path in hidden for parent in path.parents}
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


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = _PathBeneath(rights if path.is_dir() else _FILE_RIGHTS, descriptor)
        libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)
