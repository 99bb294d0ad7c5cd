"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from odbench.errors import StoreError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_LOCAL = (*_FULL, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG)


class DiskFullError(StoreError):
    """The disk is full: no use in going on with the next file."""


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that takes its name when the block ends well.

    The data is on the disk before the rename. When the block raises, nothing is left.

    Parameters
    ----------
    path : Path
        The final name; its folder is made when it is missing.

    Yields
    ------
    binary file
        Its ``name`` is the temporary path, in the same folder.

    Raises
    ------
    DiskFullError
        If there is no space left.
    StoreError
        If the folder or the file cannot be written.
    """
    start = os.fsdecode(os.fsencode(path.name)[:150])
    temporary = path.with_name(f".{start}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise as_store_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) whole or not at all."""
    with whole_file(path) as file:
        file.write(text.encode())


def as_store_error(error: OSError, path: Path) -> StoreError:
    """Return the error that says what could not be written, and what to do."""
    if error.errno in _FULL:
        msg = (
            f"no space left for {str(path)!r}; free some, or set ODBENCH_CACHE to a "
            f"folder on a larger disk; what is complete was kept"
        )
        return DiskFullError(msg)
    msg = (
        f"cannot write {str(path)!r}: {error.strerror or error}; check the folder, or "
        f"set ODBENCH_CACHE to one that can be written"
    )
    return StoreError(msg)


def is_local(error: BaseException) -> bool:
    """Whether a failure during a download is this machine's disk, not the network."""
    return isinstance(error, OSError) and error.errno in _LOCAL


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
