"""Landlock, Linux's unprivileged sandbox: allow paths and ports, refuse all others."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

# System call numbers, the same on x86-64 and ARM64.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH, _NET_PORT = 1, 1, 2
_NO_NEW_PRIVS = 38
# Number of rights on files by version of Landlock; a newer version has no more of them.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_DEVICE = _READ_FILE | _WRITE_FILE | _TRUNCATE | _IOCTL
# Rights that make sense for a file; others are refused in a rule about one.
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_BIND_TCP, _CONNECT_TCP, _NETWORK = 1, 2, 4
_ABSTRACT_SOCKETS, _SIGNALS, _SCOPES = 1, 2, 6


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_ = (("allowed_access", ctypes.c_uint64), ("port", ctypes.c_uint64))


def version() -> int:
    """Return the version of Landlock in this kernel, 0 without it."""
    if sys.platform != "linux":
        return 0
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return max(0, int(libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)))
    except (OSError, AttributeError):
        return 0


def restrict(
    *,
    readable: Iterable[Path],
    writable: Iterable[Path],
    devices: Iterable[Path],
    ports: Iterable[int],
) -> int:
    """Restrict this process and its descendants, permanently.

    Parameters
    ----------
    readable, writable, devices : iterables of Path
        Paths below which files may be read, changed, or used as devices.
    ports : iterable of int
        TCP ports to which connections may be made.

    Returns
    -------
    int
        The version of Landlock that enforces this; 0 if nothing does.
    """
    known = version()
    if not known:
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    rights = (1 << _FILE_RIGHTS[min(known, max(_FILE_RIGHTS))]) - 1
    attribute = _Ruleset(
        rights,
        _BIND_TCP | _CONNECT_TCP if known >= _NETWORK else 0,
        _ABSTRACT_SOCKETS | _SIGNALS if known >= _SCOPES else 0,
    )
    # Older kernels only know the first fields.
    size = 8 if known < _NETWORK else 16 if known < _SCOPES else 24
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(attribute), size, 0)
    if ruleset < 0:
        return 0
    try:
        for paths, wanted in (
            (readable, _READ),
            (writable, rights),
            (devices, _DEVICE),
        ):
            for path in paths:
                _allow(libc, ruleset, path, wanted & rights)
        for port in ports if known >= _NETWORK else ():
            rule = _NetPort(_CONNECT_TCP, port)
            libc.syscall(_ADD_RULE, ruleset, _NET_PORT, ctypes.byref(rule), 0)
        if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return 0
        return known if libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0 else 0
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            wanted = rights if path.is_dir() else rights & _OF_A_FILE
            rule = _PathBeneath(wanted, descriptor)
            libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
        finally:
            os.close(descriptor)
