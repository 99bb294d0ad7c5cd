"""Read the weights: a safetensors file of single-precision tensors, by NumPy alone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.errors import ArchiveError, DataError, HashMismatchError

# The largest file that is read.
_MAX_BYTES = 10_000_000
_LENGTH = 8


def read_weights(path: Path, *, sha256: str = "") -> dict[str, NDArray[np.float32]]:
    """Read the tensors of a file of weights.

    Parameters
    ----------
    path : Path
        A safetensors file of float32 tensors, at most 10 MB.
    sha256 : str
        The hash that the file must have; empty if any will do.

    Returns
    -------
    dict of str to float32 array

    Raises
    ------
    DataError
        If the file cannot be read.
    HashMismatchError
        If it has another hash; it is not parsed then.
    ArchiveError
        If it is not such a file.
    """
    try:
        with path.open("rb") as source:
            data = source.read(_MAX_BYTES + 1)
    except OSError as error:
        msg = (
            f"weights {str(path)!r}: cannot be read ({error.strerror or error}); "
            f"wanted a file that benchmarks/odbench_pfn/train.py wrote"
        )
        raise DataError(msg) from error
    found = hashlib.sha256(data).hexdigest()
    if sha256 and found != sha256:
        msg = (
            f"weights {str(path)!r}: sha256 is {found}, wanted {sha256}; the file was "
            f"changed: install odbench again"
        )
        raise HashMismatchError(msg)
    return parse(data, str(path))


def parse(data: bytes, name: str) -> dict[str, NDArray[np.float32]]:
    """Return the tensors in the bytes of a safetensors file.

    The format: eight bytes with the length of the header, a JSON header that gives
    each tensor's type, shape and place, then the tensors' bytes (little-endian).

    Raises
    ------
    ArchiveError
        If the bytes are too many, damaged or hold another type than float32.
    """
    try:
        if len(data) > _MAX_BYTES:
            msg = f"more than {_MAX_BYTES:,} bytes"
            raise ValueError(msg)
        length = int.from_bytes(data[:_LENGTH], "little")
        if length > len(data) - _LENGTH:
            msg = f"header of {length} bytes in a file of {len(data)}"
            raise ValueError(msg)
        header = json.loads(data[_LENGTH : _LENGTH + length])
        body = data[_LENGTH + length :]
        header.pop("__metadata__", None)
        return {key: _tensor(key, entry, body) for key, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        msg = (
            f"weights {name!r}: not a safetensors file of finite float32 tensors "
            f"({error}); wanted one that benchmarks/odbench_pfn/train.py wrote"
        )
        raise ArchiveError(msg) from error


def _tensor(key: str, entry: dict[str, Any], body: bytes) -> NDArray[np.float32]:
    start, end = entry["data_offsets"]
    if entry["dtype"] != "F32" or not 0 <= start <= end <= len(body):
        msg = f"tensor {key!r} is {entry['dtype']} at bytes {start} to {end}"
        raise ValueError(msg)
    values = np.frombuffer(body[start:end], dtype="<f4").reshape(entry["shape"])
    if not np.isfinite(values).all():
        msg = f"tensor {key!r} holds NaN or infinity"
        raise ValueError(msg)
    return values.astype(np.float32)
