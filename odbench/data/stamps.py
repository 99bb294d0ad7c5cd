"""Notice that a file has changed: by its stamp, which is cheap, then by its hash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple


class Stamp(NamedTuple):
    """The facts of a file that change when it is written or replaced.

    Attributes
    ----------
    size : int
        In bytes.
    mtime_ns, ctime_ns : int
        Times of the last change of the content and of the inode, in nanoseconds. A
        program can set the first one back, but not the second.
    inode : int
        Its number in the file system; a file that replaces another has its own.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def stamp_of(path: Path) -> Stamp:
    """Return a file's stamp; for a link, that of the file it leads to."""
    found = path.stat()
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256 as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
