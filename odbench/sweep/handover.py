"""Tables to a detector's process, and scores back, through memory without a name.

The process gets descriptors, no path: there is nothing to find beside them, nothing to
put in their place, and the tables cannot be written to.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import tempfile
from typing import IO, Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import StoreError

# What Linux can forbid for good: changes of size, and writing.
_SIZE = getattr(fcntl, "F_SEAL_SHRINK", 0) | getattr(fcntl, "F_SEAL_GROW", 0)
_SIZE_AND_VALUES = _SIZE | getattr(fcntl, "F_SEAL_WRITE", 0)
_ITEM = 8


class Handover:
    """One data set's tables as a detector shall see them, and room for scores.

    Parameters
    ----------
    train, test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
        C-contiguous; copied.

    Raises
    ------
    StoreError
        If there is no memory for them.
    """

    def __init__(self, train: FloatArray, test: FloatArray) -> None:
        self.train_shape, self.test_shape = train.shape, test.shape
        try:
            self._tables = _nameless()
            self._scores = _nameless()
            for table in (train, test):
                _write(self._tables, table)
            self.blank()
            _seal(self._tables, _SIZE_AND_VALUES)
            _seal(self._scores, _SIZE)
        except OSError as error:
            msg = (
                f"tables of {(train.nbytes + test.nbytes) >> 20} MiB cannot be handed "
                f"to a detector's process ({error.strerror or error}); use fewer --jobs"
            )
            raise StoreError(msg) from error

    @property
    def n_test(self) -> int:
        """How many scores are wanted."""
        return int(self.test_shape[0])

    @property
    def descriptors(self) -> list[int]:
        """What the process gets: the tables, and the room for scores."""
        return [self._tables.fileno(), self._scores.fileno()]

    def describe(self) -> dict[str, list[int]]:
        """Return what the process must know to read the tables."""
        return {"train": list(self.train_shape), "test": list(self.test_shape)}

    def blank(self) -> None:
        """Forget the scores of the trial before."""
        self._scores.seek(0)
        _write(self._scores, np.full(self.n_test, np.nan))

    def scores(self) -> FloatArray:
        """Return what lies where scores belong, float64 of shape (n_test,)."""
        wanted, read = self.n_test * _ITEM, bytearray()
        while len(read) < wanted:
            part = os.pread(self._scores.fileno(), wanted - len(read), len(read))
            if not part:
                break
            read += part
        values = np.full(self.n_test, np.nan)
        whole = len(read) // _ITEM
        values[:whole] = np.frombuffer(bytes(read[: whole * _ITEM]), dtype="<f8")
        return values

    def close(self) -> None:
        """Give the memory back, as soon as the process has, too."""
        self._tables.close()
        self._scores.close()


def received(
    shapes: dict[str, list[int]], descriptor: int
) -> tuple[FloatArray, FloatArray]:
    """Return the tables behind a descriptor, which is closed.

    Parameters
    ----------
    shapes : dict
        As `Handover.describe` gives it.
    descriptor : int
        The first of `Handover.descriptors`.

    Returns
    -------
    train, test : float64 arrays
        Read-only, in memory that no one can write to where the kernel seals it.
    """
    # All pages now: a trial must not pay for them.
    flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
    try:
        memory = mmap.mmap(descriptor, 0, flags=flags, prot=mmap.PROT_READ)
    finally:
        os.close(descriptor)
    tables, start = [], 0
    for name in ("train", "test"):
        rows, columns = shapes[name]
        table = np.frombuffer(memory, np.float64, rows * columns, start)
        tables.append(table.reshape(rows, columns))
        start += table.nbytes
    return tables[0], tables[1]


def give_scores(scores: Any, descriptor: int) -> None:
    """Write scores where the worker reads them."""
    data = np.ascontiguousarray(scores, dtype="<f8").data.cast("B")
    done = 0
    while done < len(data):
        done += os.pwrite(descriptor, data[done:], done)


def _nameless() -> IO[bytes]:
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


def _seal(file: IO[bytes], seals: int) -> None:
    # A plain file on other systems cannot be sealed.
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(file.fileno(), fcntl.F_ADD_SEALS, seals)
