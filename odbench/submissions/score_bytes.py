"""Scores as npy files, in exactly one accepted form and read without numpy's reader."""

from __future__ import annotations

import re
import struct
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from odbench.errors import SubmissionError

ScoreArray: TypeAlias = NDArray[np.float32]

MAX_HEADER_BYTES = 1024
_HEADER = re.compile(
    rb"\{'descr': '<f4', 'fortran_order': False, 'shape': \(([0-9]{1,9}),\), \} *\n"
)
_MAGIC = b"\x93NUMPY\x01\x00"


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
    length = int.from_bytes(content[8:10], "little")
    match = _HEADER.fullmatch(content[10 : 10 + length])
    if content[:8] != _MAGIC or length > MAX_HEADER_BYTES or match is None:
        is_pickle = b"'|O'" in content[:200] or content[:1] == b"\x80"
        got = "a pickled object" if is_pickle else "another format or type"
        msg = f"{where}: {got}; wanted numpy.save of float32, shape ({n_rows},)"
        raise SubmissionError(msg)
    rows = int(match[1])
    if rows != n_rows or len(content) != 10 + length + 4 * n_rows:
        msg = f"{where}: holds {rows} scores; wanted {n_rows}, one per test row"
        raise SubmissionError(msg)
    scores: ScoreArray = np.frombuffer(content, dtype="<f4", offset=10 + length)
    bad = n_rows - int(np.count_nonzero(np.isfinite(scores)))
    if bad:
        msg = (
            f"{where}: {bad} of {n_rows} scores are not finite; score every row, or "
            f"omit the data set (it then counts as a failure)"
        )
        raise SubmissionError(msg)
    return scores
