"""A seccomp filter: refuse system calls that reach other processes or change metadata.

Landlock does not know these calls. Changes of modes, owners and times are ignored
rather than refused, because libraries that copy a file make them and need no effect.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from dataclasses import dataclass

_PR_SET_SECCOMP, _MODE_FILTER, _NO_NEW_PRIVS = 22, 2, 38
# Instructions of the filter: load a word, compare, return.
_LOAD, _EQUAL, _AT_LEAST, _HAS_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
# Offsets in the data that the filter sees: number, architecture, first argument.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
# Numbers from here on belong to another convention of the same processor.
_X32 = 0x40000000
# Families of sockets: IPv4, IPv6, and the kernel's own, which looks up addresses.
_FAMILIES = (2, 10, 16)
# From here on, protocols that fall back to TCP where the other end has only that, and
# so would reach any port: SMC and MPTCP.
_FALLS_BACK = 256
# Connects without a call that Landlock sees.
_MSG_FASTOPEN = 0x20000000

# Machine -> its code, and the position of its numbers in the tables below.
_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_ABSENT = -1

# Calls that read or steer other processes, load code into the kernel or read its keys;
# and memory and queues that any process of the user may open, and that no process's
# memory counts.
_REFUSED = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "perf_event_open": (298, 241),
    "bpf": (321, 280),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # Its operations would not pass this filter.
    "io_uring_setup": (425, 425),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semctl": (66, 191),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgctl": (71, 187),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    # Without `bind`, the kernel chooses a port, which Landlock does not see.
    "listen": (50, 201),
}
# Calls whose process must be 0, the caller: (number by machine), position of it.
_SELF_ONLY = {
    "prlimit64": ((302, 261), 0),
    "sched_setaffinity": ((203, 122), 0),
    "sched_setscheduler": ((144, 119), 0),
    "sched_setparam": ((142, 118), 0),
    "sched_setattr": ((314, 274), 0),
    "migrate_pages": ((256, 238), 0),
    "move_pages": ((279, 239), 0),
    "setpriority": ((141, 140), 1),
    "ioprio_set": ((251, 30), 1),
}
# Calls that change a path's mode, owner, times or attributes, and do nothing here.
_IGNORED = {
    "chmod": (90, _ABSENT),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, _ABSENT),
    "lchown": (94, _ABSENT),
    "fchownat": (260, 54),
    "utime": (132, _ABSENT),
    "utimes": (235, _ABSENT),
    "futimesat": (261, _ABSENT),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
}
_UTIMENSAT = (280, 88)
_SOCKET = (41, 198)
# Calls that send: (number by machine), position of the flags.
_SENDING = {
    "sendto": ((44, 206), 3),
    "sendmsg": ((46, 211), 2),
    "sendmmsg": ((307, 269), 3),
}


@dataclass(frozen=True)
class _Step:
    """One instruction; see the kernel's documentation of BPF."""

    code: int
    value: int
    if_true: int = 0
    if_false: int = 0

    def packed(self) -> bytes:
        return struct.pack("HBBI", self.code, self.if_true, self.if_false, self.value)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def restrict() -> bool:
    """Install the filter in this process and its descendants, permanently.

    Returns
    -------
    bool
        False if the system or the processor has no such filter.
    """
    known = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or known is None:
        return False
    code = b"".join(step.packed() for step in _filter(*known))
    program = _Program(len(code) // 8, code)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        prctl = libc.prctl
    except (OSError, AttributeError):
        return False
    if prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    installed = prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0)
    return bool(installed == 0)


def _filter(architecture: int, machine: int) -> list[_Step]:
    steps = [
        _Step(_LOAD, _ARCHITECTURE),
        _Step(_EQUAL, architecture, if_true=1),
        _Step(_RETURN, _ERROR | errno.EPERM),
        _Step(_LOAD, _NUMBER),
        _Step(_AT_LEAST, _X32, if_false=1),
        _Step(_RETURN, _ERROR | errno.ENOSYS),
    ]
    for numbers in _REFUSED.values():
        steps += _always(numbers[machine], errno.EPERM)
    for numbers in _IGNORED.values():
        if numbers[machine] != _ABSENT:
            steps += _always(numbers[machine], 0)
    for numbers, position in _SELF_ONLY.values():
        steps += _unless(numbers[machine], position, 0, errno.EPERM)
    # Without a path, only the times of an open file are changed.
    steps += _unless(_UTIMENSAT[machine], 1, 0, 0)
    steps += _socket(_SOCKET[machine])
    for numbers, position in _SENDING.values():
        steps += _without_bit(numbers[machine], position, _MSG_FASTOPEN)
    return [*steps, _Step(_RETURN, _ALLOW)]


def _always(number: int, error: int) -> list[_Step]:
    return [_Step(_EQUAL, number, if_false=1), _Step(_RETURN, _ERROR | error)]


def _unless(number: int, position: int, value: int, error: int) -> list[_Step]:
    """Answer with an error unless an argument has a value."""
    return [
        _Step(_EQUAL, number, if_false=6),
        _Step(_LOAD, _ARGUMENTS + 8 * position),
        _Step(_EQUAL, value, if_false=2),
        _Step(_LOAD, _ARGUMENTS + 8 * position + 4),
        _Step(_EQUAL, 0, if_true=1),
        _Step(_RETURN, _ERROR | error),
        _Step(_RETURN, _ALLOW),
    ]


def _socket(number: int) -> list[_Step]:
    """Allow sockets of few families, of protocols that Landlock knows.

    Others lead to services of the user, such as a container's engine or its host.
    """
    last = len(_FAMILIES) - 1
    return [
        _Step(_EQUAL, number, if_false=len(_FAMILIES) + 6),
        _Step(_LOAD, _ARGUMENTS),
        *(
            _Step(_EQUAL, family, if_true=last - at + 1)
            for at, family in enumerate(_FAMILIES)
        ),
        _Step(_RETURN, _ERROR | errno.EACCES),
        _Step(_LOAD, _ARGUMENTS + 8 * 2),
        _Step(_AT_LEAST, _FALLS_BACK, if_false=1),
        _Step(_RETURN, _ERROR | errno.EACCES),
        _Step(_RETURN, _ALLOW),
    ]


def _without_bit(number: int, position: int, bit: int) -> list[_Step]:
    """Answer with an error if an argument has a bit."""
    return [
        _Step(_EQUAL, number, if_false=4),
        _Step(_LOAD, _ARGUMENTS + 8 * position),
        _Step(_HAS_BIT, bit, if_false=1),
        _Step(_RETURN, _ERROR | errno.EACCES),
        _Step(_RETURN, _ALLOW),
    ]
