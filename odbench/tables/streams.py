"""Open a table's bytes: a file or stdin, compressed or not."""

from __future__ import annotations

import io
import lzma
import shutil
import sys
import tempfile
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from odbench.errors import DataError
from odbench.text import counted

HEAD = 1 << 20
_CODECS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
_NAMES = {"gzip": "gz", "zstd": "zst", "bz2": "bz2", "zip": "zip"}
_ZIP = b"PK\x03\x04"
# Members by which spreadsheets, which are ZIP archives, are known.
_SHEETS = ("[Content_Types].xml", "mimetype")
# Folder that macOS adds, with a file for each file.
_SHADOW = "__MACOSX/"
_DAMAGED = (
    OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
    NotImplementedError,
)  # fmt: skip
_COPY = 1 << 22
# A small file that decompresses to more is refused.
MOST_BYTES = 64 << 30


class Opened(io.RawIOBase):
    """A stream of bytes whose beginning was looked at.

    Parameters
    ----------
    source : object
        Has ``read(n)``.
    name : str
        For messages.
    codec : str
        Name of the compression, or "".

    Attributes
    ----------
    head : bytes
        The first bytes, up to `HEAD`.
    whole : bool
        Whether `head` is everything.
    """

    def __init__(self, source: Any, name: str, codec: str = "") -> None:
        self._source, self.name, self.codec = source, name, codec
        self.head = self._first(HEAD)
        self.whole = len(self.head) < HEAD
        self._at, self._passed = 0, len(self.head)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return the number of bytes, 0 at the end."""
        if self._at < len(self.head):
            chunk = self.head[self._at : self._at + len(buffer)]
            self._at += len(chunk)
        else:
            chunk = b"" if self.whole else self._more(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Close the source too, unless it is stdin."""
        if not self.closed and self._source is not sys.stdin.buffer:
            self._source.close()
        super().close()

    def _more(self, size: int) -> bytes:
        chunk = self._read(size)
        self._passed += len(chunk)
        if self._passed > MOST_BYTES:
            msg = (
                f"{self.name}: is longer than {MOST_BYTES >> 30} GiB; give it in parts"
            )
            raise DataError(msg)
        return chunk

    def _first(self, size: int) -> bytes:
        head = b""
        while len(head) < size and (chunk := self._read(size - len(head))):
            head += chunk
        return head

    def _read(self, size: int) -> bytes:
        try:
            return bytes(self._source.read(size) or b"")
        except _DAMAGED as error:
            if not self.codec:
                raise
            form = _NAMES[self.codec]
            msg = f"{self.name}: the .{form} data are damaged ({error}); copy it again"
            raise DataError(msg) from error


def open_bytes(path: Path | None) -> Opened:
    """Open a file, or stdin for None; gz, zst, bz2 and zip are unpacked on the way.

    Parameters
    ----------
    path : Path or None

    Returns
    -------
    Opened

    Raises
    ------
    DataError
        If compressed data are damaged, or an archive has not one file.
    OSError
        If the file cannot be opened.
    """
    import pyarrow as pa

    name = "stdin" if path is None else str(path)
    raw: Any = sys.stdin.buffer if path is None else path.open("rb")
    opened = Opened(raw, name)
    if opened.head.startswith(_ZIP):
        return _unzipped(opened, path)
    codec = next((c for mark, c in _CODECS.items() if opened.head.startswith(mark)), "")
    if not codec:
        return opened
    inner = pa.PythonFile(io.BufferedReader(opened, _COPY), mode="r")
    return Opened(pa.CompressedInputStream(inner, codec), name, codec)


def _unzipped(opened: Opened, path: Path | None) -> Opened:
    """Return the only file of a ZIP archive; a spreadsheet as it is.

    Nothing is unpacked to disk, so the names of members lead nowhere.

    Raises
    ------
    DataError
        If it has no file or several, is encrypted or damaged.
    """
    name = opened.name
    with ExitStack() as unless_read:
        unless_read.callback(opened.close)
        file = unless_read.enter_context(_seekable_archive(opened, path))
        try:
            member = _only_member(zipfile.ZipFile(file), name)
        # Names of members may be in no code.
        except (*_DAMAGED, UnicodeDecodeError) as error:
            msg = (
                f"{name}: is a spreadsheet or an archive that is damaged ({error}); "
                f"copy it again"
            )
            raise DataError(msg) from error
        unless_read.pop_all()
    if member is None:
        file.close()
        return opened
    opened.close()
    return Opened(_Member(member, file), name, "zip")


def _only_member(archive: zipfile.ZipFile, name: str) -> Any:
    """Return the only file of an archive, None if it is a spreadsheet."""
    inside = [
        info
        for info in archive.infolist()
        if not info.is_dir() and not info.filename.startswith(_SHADOW)
    ]
    if any(info.filename in _SHEETS for info in inside):
        return None
    if len(inside) != 1:
        msg = (
            f"{name}: is a ZIP archive of {counted(len(inside), 'file')}; wanted one; "
            f"unpack it and name the table in it"
        )
        raise DataError(msg)
    if inside[0].flag_bits & 1:
        msg = f"{name}: is encrypted; unpack it and name the table in it"
        raise DataError(msg)
    return archive.open(inside[0])


class _Member:
    """A file in an archive, which is closed with it."""

    def __init__(self, member: Any, archive: Any) -> None:
        self._member, self._archive = member, archive

    def read(self, size: int) -> bytes:
        return bytes(self._member.read(size))

    def close(self) -> None:
        self._member.close()
        self._archive.close()


def _seekable_archive(opened: Opened, path: Path | None) -> Any:
    """Return an archive that can be read at any place, copied from a stream."""
    if path is not None and path.is_file():
        return path.open("rb")
    with ExitStack() as unless_copied:
        copy = unless_copied.enter_context(tempfile.TemporaryFile())
        shutil.copyfileobj(opened, copy, _COPY)
        unless_copied.pop_all()
    return copy


def seekable(opened: Opened, path: Path | None) -> Any:
    """Return a file that can be read at any place, copied from a stream if need be."""
    if path is not None and not opened.codec:
        return str(path)
    with tempfile.NamedTemporaryFile(delete=False) as copy:
        place = Path(copy.name)
        try:
            while chunk := opened.read(_COPY):
                copy.write(chunk)
        except BaseException:
            place.unlink()
            raise
    return mapped(place)


def mapped(place: Path) -> Any:
    """Return a temporary file as an Arrow file that takes no memory; its name is gone.

    The space is free again when the file is dropped.
    """
    import pyarrow as pa

    file = pa.memory_map(str(place))
    place.unlink()
    return file
