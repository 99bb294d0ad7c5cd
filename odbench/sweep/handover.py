"""Hand tables to a detector's process, and scores back, through anonymous memory.

The process gets descriptors instead of paths, so that it finds no other files, cannot
replace the tables, and cannot write to them.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import StoreError
from odbench.files import limit_cure

# Seals by which Linux forbids changes of size, and writing, permanently.
_SIZE = ("F_SEAL_SHRINK", "F_SEAL_GROW")
_SIZE_AND_VALUES = (*_SIZE, "F_SEAL_WRITE")
_ITEM = 8


class Memory:
    """Memory that another process can open: by a descriptor, or else by a path.

    Parameters
    ----------
    folder : Path or None
        Where a path is made if it is needed; a temporary folder by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file: IO[bytes]
        self.path = ""
        if can_pass_descriptors():
            self._file = _anonymous()
        else:
            handle, self.path = tempfile.mkstemp(prefix="odbench-", dir=folder)
            self._file = os.fdopen(handle, "r+b", buffering=0)

    @property
    def descriptor(self) -> int:
        """The descriptor of the memory."""
        return self._file.fileno()

    def close(self) -> None:
        """Close the memory; it is freed when the other process has closed it, too."""
        self._file.close()
        if self.path:
            with contextlib.suppress(OSError):
                os.unlink(self.path)  # noqa: PTH108 - the path is a text


class Handover(Memory):
    """The tables of one data set as a detector sees them, in sealed memory.

    Parameters
    ----------
    train : float64 array of shape (n_train, n_columns)
        Copied.
    test : float64 array of shape (n_test, n_columns) or None
        Copied; None if the training rows themselves are to be scored.
    as_batch : bool, default=False
        Whether rows may be compared with the rows that are scored with them.

    Raises
    ------
    StoreError
        If there is not enough memory.
    """

    def __init__(
        self, train: FloatArray, test: FloatArray | None, *, as_batch: bool = False
    ) -> None:
        self._as_batch = as_batch
        tables = [train] if test is None else [train, test]
        self._shapes: list[list[int]] = [list(table.shape) for table in tables]
        with _memory_for(sum(table.nbytes for table in tables), "tables"):
            super().__init__()
            for table in tables:
                _write(self._file, table)
            _seal(self._file, _SIZE_AND_VALUES)

    @property
    def is_one_table(self) -> bool:
        """Whether the training rows themselves are to be scored."""
        return len(self._shapes) == 1

    @property
    def n_test(self) -> int:
        """Number of scores wanted."""
        return self._shapes[-1][0]

    def describe(self) -> dict[str, Any]:
        """Return the facts that the process needs to read the tables and use them."""
        return {"shapes": self._shapes, "as_batch": self._as_batch}


class ScoreMemory(Memory):
    """Memory in which a detector's process leaves the scores of one trial.

    Each trial has its own, and scores are copied when the process has answered, so that
    a process that keeps the memory cannot change them later.

    Parameters
    ----------
    n_test : int
        Number of scores wanted.
    folder : Path
        A folder that the process may write to, for systems without descriptors.

    Raises
    ------
    StoreError
        If there is not enough memory.
    """

    def __init__(self, n_test: int, folder: Path) -> None:
        self.n_test = n_test
        with _memory_for(n_test * _ITEM, "scores"):
            super().__init__(folder)
            _write(self._file, np.full(n_test, np.nan))
            _seal(self._file, _SIZE)

    def read(self) -> FloatArray:
        """Return the scores that were written, float64 of shape (n_test,), else NaN."""
        wanted, read = self.n_test * _ITEM, bytearray()
        while len(read) < wanted:
            part = _read_at(self._file, wanted - len(read), len(read))
            if not part:
                break
            read += part
        values = np.full(self.n_test, np.nan)
        whole = len(read) // _ITEM
        values[:whole] = np.frombuffer(bytes(read[: whole * _ITEM]), dtype="<f8")
        return values

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def map_tables(shapes: list[list[int]], descriptor: int) -> list[FloatArray]:
    """Map the tables behind a descriptor, and close the descriptor.

    Parameters
    ----------
    shapes : list of list of int
        Rows and columns of each table, from `Handover.describe`.
    descriptor : int
        From `Handover.descriptor`.

    Returns
    -------
    list of float64 arrays
        Train, and test if there is one. Read-only; where the kernel seals the memory,
        nothing can write to it.
    """
    try:
        if hasattr(mmap, "MAP_POPULATE"):
            # All pages are mapped now, so that their cost is not in a trial's seconds.
            flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
            memory = mmap.mmap(descriptor, 0, flags=flags, prot=mmap.PROT_READ)
        else:
            memory = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)
    tables, start = [], 0
    for rows, columns in shapes:
        table = np.frombuffer(memory, np.float64, rows * columns, start)
        tables.append(table.reshape(rows, columns))
        start += table.nbytes
    return tables


def write_scores(scores: Any, descriptor: int) -> None:
    """Write scores to the memory that the worker reads."""
    data = np.ascontiguousarray(scores, dtype="<f8").data.cast("B")
    done = 0
    os.lseek(descriptor, 0, os.SEEK_SET)
    while done < len(data):
        done += os.write(descriptor, data[done:])


def can_pass_descriptors() -> bool:
    """Check whether descriptors can be sent to another process; not on Windows."""
    return hasattr(socket, "send_fds")


def _read_at(file: IO[bytes], size: int, position: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(file.fileno(), size, position)
    file.seek(position)
    return file.read(size)


def _anonymous() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create(
            "odbench", os.MFD_CLOEXEC | getattr(os, "MFD_ALLOW_SEALING", 0)
        )
        return os.fdopen(descriptor, "r+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _write(sink: IO[bytes], table: FloatArray) -> None:
    data = np.ascontiguousarray(table).data.cast("B")
    done = 0
    while done < len(data):
        done += sink.write(data[done:])


def _seal(file: IO[bytes], names: tuple[str, ...]) -> None:
    # On other systems this is a temporary file, which cannot be sealed.
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import fcntl

        seals = sum(getattr(fcntl, name) for name in names)
        fcntl.fcntl(file.fileno(), fcntl.F_ADD_SEALS, seals)


@contextlib.contextmanager
def _memory_for(size: int, what: str) -> Iterator[None]:
    """Turn a lack of memory into an error that names the cure."""
    try:
        yield
    except OSError as error:
        msg = (
            f"{what} of {size / (1 << 20):,.2f} MiB cannot be handed to a detector's "
            f"process ({error.strerror or error}); "
            f"{limit_cure(error) or 'use fewer --jobs'}"
        )
        raise StoreError(msg) from error
