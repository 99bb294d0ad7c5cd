"""Read members of an untrusted npz archive, without pickle."""

from __future__ import annotations

import ast
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from odbench.errors import ArchiveError

_MAGIC = b"\x93NUMPY"
# The struct format of the header's length, by version of the npy format.
_LENGTHS = {(1, 0): "<H", (2, 0): "<I", (3, 0): "<I"}
# Enough for the header of any plain array, and harmless to the literal parser.
_MAX_HEADER_BYTES = 10_000
# Every version of NumPy supports this many.
_MAX_DIMENSIONS = 32
_KEYS = {"descr", "fortran_order", "shape"}
# Byte order, kind (boolean, integer, float, text) and size.
_PLAIN = re.compile(r"[<>|=]?[biufUS][0-9]{1,9}")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)
_UNPARSABLE = (
    ValueError,
    TypeError,
    SyntaxError,
    MemoryError,
    RecursionError,
    struct.error,
)


@dataclass(frozen=True)
class Header:
    """The header of an npy file.

    Attributes
    ----------
    shape : tuple of int
        Shape of the array.
    fortran : bool
        Whether the first index varies fastest.
    dtype : numpy.dtype or None
        Type of a value; None for a type that is never read, which is any but plain
        numbers and text (pickled objects, records, dates).
    offset : int
        Position of the first value, in bytes.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any] | None
    offset: int

    @property
    def size(self) -> int:
        """Number of values."""
        size = 1
        for length in self.shape:
            size *= length
        return size


def read_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> Header:
    """Read a member's header, and none of its values.

    Parameters
    ----------
    archive : ZipFile
        An archive that is open for reading.
    info : ZipInfo
        The member.
    where : str
        File and member, for messages.

    Raises
    ------
    ArchiveError
        If the member is not an npy file, or its declared size differs from the one in
        the archive's directory.
    """
    if info.flag_bits & 0x1:
        msg = f"{where}: is encrypted; wanted a plain npz archive"
        raise ArchiveError(msg)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        msg = (
            f"{where}: compression method {info.compress_type}; wanted stored or "
            f"deflated, as numpy.savez writes"
        )
        raise ArchiveError(msg)
    try:
        with archive.open(info) as stream:
            header = _parse(stream)
    except (*_BROKEN, *_UNPARSABLE) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        msg = f"{where}: not a readable npy member ({reason[:200]}); fetch it again"
        raise ArchiveError(msg) from error
    if header.dtype is None:
        return header
    declared = header.offset + header.size * header.dtype.itemsize
    if declared != info.file_size:
        msg = (
            f"{where}: declares shape {header.shape} of {header.dtype}, {declared} "
            f"bytes, but holds {info.file_size}; fetch it again"
        )
        raise ArchiveError(msg)
    return header


def _parse(stream: IO[bytes]) -> Header:
    """Parse the first bytes of an npy file.

    NumPy's own reader is not used: it falls back to a tokenizer that raises
    undocumented errors, and it builds any type that a header describes.
    """
    start = stream.read(len(_MAGIC) + 2)
    version = tuple(start[len(_MAGIC) :])
    if not start.startswith(_MAGIC) or version not in _LENGTHS:
        msg = f"starts with {start!r}, which is not a version of the npy format"
        raise ValueError(msg)
    packed = _LENGTHS[version]
    (length,) = struct.unpack(packed, stream.read(struct.calcsize(packed)))
    if length > _MAX_HEADER_BYTES:
        msg = f"header of {length} bytes; at most {_MAX_HEADER_BYTES}"
        raise ValueError(msg)
    text = stream.read(length)
    fields = ast.literal_eval(text.decode("utf-8" if version == (3, 0) else "latin1"))
    if not isinstance(fields, dict) or set(fields) != _KEYS:
        msg = "header whose fields are not descr, fortran_order and shape"
        raise ValueError(msg)
    shape, fortran = fields["shape"], fields["fortran_order"]
    if not isinstance(shape, tuple) or not isinstance(fortran, bool):
        msg = "header with a malformed shape or order"
        raise TypeError(msg)
    lengths = [type(length) is int and 0 <= length < 1 << 63 for length in shape]
    if len(shape) > _MAX_DIMENSIONS or not all(lengths):
        msg = f"header with a shape that is not at most {_MAX_DIMENSIONS} lengths"
        raise ValueError(msg)
    descr = fields["descr"]
    is_plain = isinstance(descr, str) and _PLAIN.fullmatch(descr)
    dtype = np.dtype(descr) if is_plain else None
    return Header(shape, fortran, dtype, stream.tell())


def read_values(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, header: Header, where: str
) -> NDArray[Any]:
    """Read a member's values.

    Parameters
    ----------
    archive, info, where
        As for `read_header`.
    header : Header
        The member's header; the caller has checked its size.

    Returns
    -------
    array
        The values, of the declared shape and type.

    Raises
    ------
    ArchiveError
        If the member is truncated or its checksum is wrong.
    """
    assert header.dtype is not None
    flat = np.empty(header.size, dtype=header.dtype)
    view = flat.view(np.uint8).data if flat.nbytes else memoryview(bytearray())
    try:
        with archive.open(info) as stream:
            stream.read(header.offset)
            filled = 0
            while filled < len(view):
                count = stream.readinto(view[filled : filled + (1 << 20)])  # type: ignore[attr-defined]
                if not count:
                    break
                filled += count
            # zipfile compares the checksum only when one reads past the end.
            surplus = stream.read(1)
    except _BROKEN as error:
        msg = f"{where}: broken ({error}); fetch it again"
        raise ArchiveError(msg) from error
    if filled != len(view) or surplus:
        msg = f"{where}: holds {filled} of {len(view)} bytes; fetch it again"
        raise ArchiveError(msg)
    return flat.reshape(header.shape, order="F" if header.fortran else "C")
