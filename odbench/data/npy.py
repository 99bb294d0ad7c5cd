"""Members of an npz archive, read without pickle and without trust."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from odbench.errors import ArchiveError

# What numpy's own reader calls safe for its literal parser.
_MAX_HEADER_BYTES = 10_000
_READERS = {
    (1, 0): npy_format.read_array_header_1_0,
    (2, 0): npy_format.read_array_header_2_0,
}
_PLAIN_KINDS = "biufUS"
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)


@dataclass(frozen=True)
class Header:
    """What a member declares.

    Attributes
    ----------
    shape : tuple of int
        Of the array.
    fortran : bool
        Whether the first index varies fastest.
    dtype : numpy.dtype
        Of a value.
    offset : int
        Bytes before the values.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    offset: int

    @property
    def size(self) -> int:
        """How many values."""
        size = 1
        for length in self.shape:
            size *= length
        return size


def read_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> Header:
    """Read what a member declares, and nothing more of it.

    Parameters
    ----------
    archive : ZipFile
        Open for reading.
    info : ZipInfo
        The member.
    where : str
        File and member, for messages.

    Raises
    ------
    ArchiveError
        If the member is not an npy file, or its declared size is not what the
        archive's directory says.
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
    except (*_BROKEN, ValueError, TypeError, SyntaxError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        msg = f"{where}: not a readable npy member ({reason[:200]}); fetch it again"
        raise ArchiveError(msg) from error
    if header.dtype.hasobject:
        return header
    if header.dtype.kind not in _PLAIN_KINDS or header.dtype.subdtype is not None:
        msg = f"{where}: values of type {str(header.dtype)[:80]}; wanted plain ones"
        raise ArchiveError(msg)
    declared = header.offset + header.size * header.dtype.itemsize
    if declared != info.file_size:
        msg = (
            f"{where}: declares shape {header.shape} of {header.dtype}, {declared} "
            f"bytes, but holds {info.file_size}; fetch it again"
        )
        raise ArchiveError(msg)
    return header


def _parse(stream: IO[bytes]) -> Header:
    """Parse the first bytes of an npy file."""
    version = npy_format.read_magic(stream)  # type: ignore[no-untyped-call,arg-type,unused-ignore]
    if version not in _READERS:
        msg = f"npy version {version}"
        raise ValueError(msg)
    reader: Any = _READERS[version]
    shape, fortran, dtype = reader(stream, max_header_size=_MAX_HEADER_BYTES)
    if any(length < 0 for length in shape):
        msg = f"shape {shape}"
        raise ValueError(msg)
    return Header(tuple(shape), bool(fortran), dtype, stream.tell())


def read_values(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, header: Header, where: str
) -> NDArray[Any]:
    """Read a member's values.

    Parameters
    ----------
    archive, info, where
        As for `read_header`.
    header : Header
        What it declared; the caller has bounded its size.

    Returns
    -------
    array
        Of the declared shape and type.

    Raises
    ------
    ArchiveError
        If the member is cut off or its checksum is wrong.
    """
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
            # Reading past the end is what makes zipfile compare the checksum.
            surplus = stream.read(1)
    except _BROKEN as error:
        msg = f"{where}: broken ({error}); fetch it again"
        raise ArchiveError(msg) from error
    if filled != len(view) or surplus:
        msg = f"{where}: holds {filled} of {len(view)} bytes; fetch it again"
        raise ArchiveError(msg)
    return flat.reshape(header.shape, order="F" if header.fortran else "C")
