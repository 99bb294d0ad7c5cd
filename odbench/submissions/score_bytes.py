"""Vectors as npy files, in the form of numpy.save and read without numpy's reader.

Numpy's own reader raises undocumented errors on damaged headers, and asks for the
memory that a header declares.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from odbench.errors import SubmissionError

ScoreArray: TypeAlias = NDArray[np.float32]

MAX_HEADER_BYTES = 1024
_HEADER = re.compile(
    rb"\{'descr': '([<|][a-z][0-9])', 'fortran_order': False, "
    rb"'shape': \(([0-9]{1,9}),\), \} *\n"
)
_MAGIC = b"\x93NUMPY\x01\x00"


class _Header(NamedTuple):
    """Type, number of values, and the position of the first one in bytes."""

    descr: str
    rows: int
    offset: int


def encode_scores(scores: ScoreArray) -> bytes:
    """Return scores as the bytes of an npy file (format 1.0, little-endian float32).

    Parameters
    ----------
    scores : float32 array of shape (n_rows,)

    Returns
    -------
    bytes
        The same bytes as `numpy.save` writes.
    """
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({scores.size},), }}"
    padding = -(len(_MAGIC) + 2 + len(text) + 1) % 64
    header = text.encode("ascii") + b" " * padding + b"\n"
    values = np.ascontiguousarray(scores, dtype="<f4").tobytes()
    return _MAGIC + struct.pack("<H", len(header)) + header + values


def decode_scores(content: bytes, n_rows: int, *, where: str) -> ScoreArray:
    """Decode an npy file without numpy's reader, so that no pickle is ever loaded.

    Parameters
    ----------
    content : bytes
        The content of a member.
    n_rows : int
        The required number of scores.
    where : str
        Name of the member, for messages.

    Returns
    -------
    float32 array of shape (n_rows,)
        Finite scores.

    Raises
    ------
    SubmissionError
        If the content has another format, type or shape, or is not finite.
    """
    header = _parse(content)
    if header is None or header.descr != "<f4":
        is_pickle = b"'|O'" in content[:200] or content[:1] == b"\x80"
        got = "a pickled object" if is_pickle else "another format or type"
        msg = f"{where}: {got}; wanted numpy.save of float32, shape ({n_rows},)"
        raise SubmissionError(msg)
    if header.rows != n_rows:
        msg = f"{where}: holds {header.rows} scores; wanted {n_rows}, one per test row"
        raise SubmissionError(msg)
    n_bytes = len(content) - header.offset
    if n_bytes != 4 * n_rows:
        msg = (
            f"{where}: holds {n_bytes} bytes of scores; wanted {4 * n_rows}, four per "
            f"test row; save it again"
        )
        raise SubmissionError(msg)
    scores: ScoreArray = np.frombuffer(content, dtype="<f4", offset=header.offset)
    bad = n_rows - int(np.count_nonzero(np.isfinite(scores)))
    if bad:
        msg = (
            f"{where}: {bad} of {n_rows} scores are not finite; score every row, or "
            f"omit the data set (it then counts as a failure)"
        )
        raise SubmissionError(msg)
    return scores


def read_vector(
    file: Path, n_rows: int, descrs: tuple[str, ...]
) -> NDArray[Any] | None:
    """Read a file that numpy.save wrote; None if it is not such a vector.

    Parameters
    ----------
    file : Path
        Nothing in it is trusted; no more is read than such a vector needs.
    n_rows : int
        The required number of values.
    descrs : tuple of str
        The accepted types, such as "<f4".

    Returns
    -------
    array of shape (n_rows,) or None

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    largest = max(np.dtype(descr).itemsize for descr in descrs)
    with file.open("rb") as stream:
        content = stream.read(MAX_HEADER_BYTES + largest * n_rows + 1)
    header = _parse(content)
    if header is None or header.rows != n_rows or header.descr not in descrs:
        return None
    dtype = np.dtype(header.descr)
    if len(content) != header.offset + dtype.itemsize * n_rows:
        return None
    return np.frombuffer(content, dtype=dtype, offset=header.offset).copy()


def _parse(content: bytes) -> _Header | None:
    """Parse the first bytes of an npy file of one dimension."""
    length = int.from_bytes(content[8:10], "little")
    match = _HEADER.fullmatch(content[10 : 10 + length])
    if content[:8] != _MAGIC or length > MAX_HEADER_BYTES - 10 or match is None:
        return None
    return _Header(match[1].decode("ascii"), int(match[2]), 10 + length)
