"""Write files of the cache, with errors that say what to do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from odbench.errors import DiskFullError, StoreError
from odbench.files import is_full, limit_cure, whole_file


@contextlib.contextmanager
def cache_file(path: Path) -> Iterator[BinaryIO]:
    """Open a cache file as `odbench.files.whole_file` does, and make its folder.

    Raises
    ------
    DiskFullError
        If no space is left.
    StoreError
        If the folder or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            yield file
    except OSError as error:
        raise as_store_error(error, path) from error


def as_store_error(error: OSError, path: Path) -> StoreError:
    """Return the error that names the path and the next step."""
    if is_full(error):
        msg = (
            f"no space left for {str(path)!r}; free some, or set ODBENCH_CACHE to a "
            f"folder on a larger disk; complete files were kept"
        )
        return DiskFullError(msg)
    cure = (
        limit_cure(error) or "check the folder, or set ODBENCH_CACHE to a writable one"
    )
    msg = f"cannot write {str(path)!r}: {error.strerror or error}; {cure}"
    return StoreError(msg)
