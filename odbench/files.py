"""Files that are written whole or not at all, their order, and a disk's errors."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, BinaryIO

# The meaning of errno values, once for the whole project.
_FULL = {errno.ENOSPC, errno.EDQUOT}
_BROKEN = {errno.EFBIG, errno.EIO}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
# Raised for a lock by disks that have none, such as some network disks.
_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
_MISNAMED = {
    errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP,
}  # fmt: skip
# Limits of a process that are met as errors of files, and their cures.
_LIMITS = {
    errno.EFBIG: "raise the limit on the size of files (`ulimit -f`)",
    errno.EMFILE: "raise the limit on open files (`ulimit -n 1024`)",
    errno.ENFILE: "close files of other programs, or raise the system's `fs.file-max`",
}


def is_full(error: BaseException) -> bool:
    """Say whether an error means that no space is left."""
    return _code(error) in _FULL


def is_disk_fault(error: BaseException) -> bool:
    """Say whether the disk is full, limited or broken: the call itself was right."""
    return _code(error) in _FULL | _BROKEN


def is_wrong_place(error: BaseException) -> bool:
    """Say whether the path was the wrong one: forbidden, missing or not a folder."""
    return _code(error) in _FORBIDDEN | _MISNAMED


def is_local(error: BaseException) -> bool:
    """Say whether a failed download is the fault of this disk, not of the network."""
    return _code(error) in _FULL | _FORBIDDEN | {errno.ENAMETOOLONG}


def limit_cure(error: BaseException) -> str:
    """Return how to raise the limit of a process that was met, empty if none was."""
    return _LIMITS.get(_code(error) or 0, "")


def lost_working_folder(error: BaseException) -> bool:
    """Say whether an error came because the working folder was deleted."""
    if _code(error) != errno.ENOENT:
        return False
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _code(error: BaseException) -> int | None:
    return error.errno if isinstance(error, OSError) else None


def in_number_order(path: Path) -> list[str]:
    """Return a key that sorts part.2 before part.10."""
    digits = re.split(r"(\d+)", str(path))
    return [text.zfill(20) if text.isdigit() else text for text in digits]


def at_home(path: Path) -> Path:
    """Return a path with ``~`` replaced by the home folder, unchanged if unknown.

    In a container, a user may have neither HOME nor an entry in the password file.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        return path


@contextlib.contextmanager
def whole_file(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a temporary file that takes its name when the block ends well.

    When the block raises, the temporary file is removed and `path` is as it was.

    Parameters
    ----------
    path : Path
        The final name, in a folder that exists. A device or a pipe, such as
        ``/dev/null`` or a shell's ``>(...)``, is written to and not replaced.
    durable : bool
        Force the data and the rename to the disk, so that they survive a power cut.
        Without it, a crash of the machine may lose the newest version, not the file.

    Yields
    ------
    binary file
        Its ``name`` is the temporary path, in the same folder.

    Raises
    ------
    OSError
        If the folder or the file cannot be written; its ``filename`` is `path`.
    """
    if is_stream(path):
        with path.open("wb") as file:
            yield file
        return
    temporary = _temporary(path)
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            _sync_folder(path.parent)
    except OSError as error:
        # An error about another file keeps that file's name.
        if error.errno is None or error.filename not in (None, str(temporary)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def is_stream(path: Path) -> bool:
    """Say whether a path is a device or a pipe, which no file may take the place of.

    Raises
    ------
    OSError
        If it is a disk.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    if stat.S_ISBLK(mode):
        raise OSError(errno.EINVAL, "is a disk, not a file", str(path))
    # Standard output is one of these names even where it is a file.
    named = path.is_absolute() and path.parts[1:2] in (("dev",), ("proc",))
    return (
        stat.S_ISCHR(mode)
        or stat.S_ISFIFO(mode)
        or (named and stat.S_ISREG(mode) and path.is_symlink())
    )


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file whole or not at all; see `whole_file`."""
    with whole_file(path, durable=durable) as file:
        file.write(content)


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a text file (UTF-8, newlines as given) whole or not at all."""
    write_bytes(path, text.encode(), durable=durable)


@contextlib.contextmanager
def whole_files(contents: Mapping[Path, bytes]) -> Iterator[None]:
    """Write several files that take their names together, after the block.

    All are on the disk under temporary names before the block runs, so that a full
    disk, or a folder that has the name of one of them, leaves every file as it was.
    The last of `contents` is renamed last.

    Parameters
    ----------
    contents : mapping of Path to bytes
        Final name -> content; the folders exist.

    Raises
    ------
    OSError
        If a file cannot be written or renamed.
    """
    temporaries = {path: _temporary(path) for path in contents}
    for path in contents:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    try:
        for path, temporary in temporaries.items():
            temporary.write_bytes(contents[path])
        yield
        for path, temporary in temporaries.items():
            temporary.replace(path)
    finally:
        for temporary in temporaries.values():
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    """Return a hidden name beside a path that no other process or thread uses."""
    # A name may have 255 bytes; what is added needs up to 60.
    start = os.fsdecode(os.fsencode(path.name)[:150])
    return path.with_name(f".{start}.{os.getpid()}.{threading.get_ident()}.tmp")


def _sync_folder(folder: Path) -> None:
    """Force a rename to the disk, on systems that can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def lock(file: IO[str] | int) -> bool:
    """Lock an open file against other processes, without waiting.

    Parameters
    ----------
    file : text file or int
        Open for writing, or the descriptor of a folder. The lock ends when it is
        closed.

    Returns
    -------
    bool
        False if this disk or system has no locks.

    Raises
    ------
    BlockingIOError
        If another process holds the lock.
    """
    try:
        import fcntl
    except ImportError:
        return not isinstance(file, int) and _lock_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno in _WITHOUT_LOCKS:
            return False
        raise
    return True


def _lock_on_windows(file: IO[str]) -> bool:
    try:
        import msvcrt
    except ImportError:
        return False
    locking: Any = msvcrt
    file.seek(0)
    try:
        locking.locking(file.fileno(), locking.LK_NBLCK, 1)
    except OSError as error:
        raise BlockingIOError(errno.EAGAIN, "locked by another process") from error
    return True
