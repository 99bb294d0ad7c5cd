"""A submission's archive: written so that it is the same twice, read as if hostile.

A zip file with ``submission.json`` and, for each data set and seed, one member
``scores/<data set>/<seed>.npy``: float32, one score a test row. Nothing is ever
extracted to a disk, and nothing is read before its size is known to be right.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from odbench.errors import SubmissionError
from odbench.files import whole_file
from odbench.submissions.dataset_list import SetList
from odbench.submissions.score_bytes import MAX_HEADER_BYTES
from odbench.submissions.statement import MAX_SEEDS

STATEMENT = "submission.json"
MAX_STATEMENT_BYTES = 8 * 2**20
_PER_MEMBER_BYTES = 1024
_MEMBER = re.compile(
    r"scores/([A-Za-z0-9][A-Za-z0-9 ._()+,=@-]{0,199})/(0|[1-9][0-9]{0,9})\.npy"
)
_FLAG_ENCRYPTED = 0x1 | 0x40 | 0x2000
# What zipfile raises on broken input, from its own checks down to the C library's.
_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    struct.error,
    zlib.error,
)


def member_name(dataset: str, seed: int) -> str:
    """Return where the scores of one trial stand in an archive."""
    return f"scores/{dataset}/{seed}.npy"


def write_archive(path: Path, members: Mapping[str, bytes]) -> None:
    """Write members in the order of their names, stored, without a date."""
    try:
        with (
            whole_file(path) as sink,
            zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive,
        ):
            for name in sorted(members):
                info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                info.create_system = 3
                info.external_attr = (stat.S_IFREG | 0o644) << 16
                archive.writestr(info, members[name])
    except OSError as error:
        msg = f"submission {str(path)!r}: cannot be written ({error.strerror})"
        raise SubmissionError(msg) from error


class Archive:
    """An archive whose directory has been checked; members are read on demand.

    Attributes
    ----------
    trials : dict of (str, int) to ZipInfo
        The scores that are there, by data set and seed.
    """

    def __init__(self, file: zipfile.ZipFile, sets: SetList) -> None:
        self._file = file
        self._sets = sets
        self.trials: dict[tuple[str, int], zipfile.ZipInfo] = {}
        self._statement: zipfile.ZipInfo | None = None
        seen: set[str] = set()
        for info in file.infolist():
            where = f"member {info.orig_filename[:120]!r}"
            if info.orig_filename.casefold() in seen:
                msg = f"{where}: stands in the archive twice; wanted every set once"
                raise SubmissionError(msg)
            seen.add(info.orig_filename.casefold())
            _check_kind(info, where)
            self._admit(info, where)
        if self._statement is None:
            msg = f"submission: lacks {STATEMENT}; `odbench submission pack` writes it"
            raise SubmissionError(msg)

    def statement(self) -> bytes:
        """Return the bytes of ``submission.json``."""
        assert self._statement is not None
        return self._read(self._statement)

    def content(self, dataset: str, seed: int) -> bytes:
        """Return the bytes of one trial's scores."""
        return self._read(self.trials[dataset, seed])

    def _admit(self, info: zipfile.ZipInfo, where: str) -> None:
        if info.orig_filename == STATEMENT:
            limit = MAX_STATEMENT_BYTES
            self._statement = info
        else:
            match = _MEMBER.fullmatch(info.orig_filename)
            if match is None:
                msg = (
                    f"{where}: not a name of the format; wanted {STATEMENT!r} or "
                    f"'scores/<data set>/<seed>.npy'"
                )
                raise SubmissionError(msg)
            expected = self._sets.by_name.get(match[1])
            if expected is None:
                msg = (
                    f"{where}: {match[1]!r} is not in the set list of "
                    f"{self._sets.suite} ({self._sets.partition})"
                )
                raise SubmissionError(msg)
            limit = 4 * expected.n_scored + MAX_HEADER_BYTES
            self.trials[match[1], int(match[2])] = info
        if info.file_size > limit:
            msg = f"{where}: would unpack to {info.file_size} bytes; at most {limit}"
            raise SubmissionError(msg)

    def _read(self, info: zipfile.ZipInfo) -> bytes:
        # The directory's word is not trusted: one byte more than declared is asked for.
        try:
            with self._file.open(info) as stream:
                content = stream.read(info.file_size + 1)
        except _BROKEN as error:
            reason = str(error).splitlines()[0][:120] if str(error) else "truncated"
            msg = f"member {info.filename[:120]!r}: cannot be unpacked ({reason})"
            raise SubmissionError(msg) from None
        if len(content) != info.file_size:
            msg = f"member {info.filename[:120]!r}: is not as long as it declares"
            raise SubmissionError(msg)
        return content


@contextmanager
def open_archive(path: Path, sets: SetList) -> Iterator[Archive]:
    """Open a submission's archive for reading.

    Parameters
    ----------
    path : Path
        The archive; nothing in it is trusted.
    sets : SetList
        The data sets that it may hold scores of.

    Yields
    ------
    Archive

    Raises
    ------
    SubmissionError
        If the file is too large for the set list, is not a zip archive, or a member
        is encrypted, a link, a folder, named twice, named otherwise than the format
        says, packed by another method than deflate, or too large.
    """
    if not path.is_file():
        msg = f"submission {str(path)!r}: no such file; `submission pack` makes one"
        raise SubmissionError(msg)
    limit = _size_limit(sets)
    if path.stat().st_size > limit:
        msg = (
            f"submission {str(path)!r}: {path.stat().st_size} bytes; at most {limit} "
            f"for the {len(sets.sets)} data sets of the list"
        )
        raise SubmissionError(msg)
    try:
        file = zipfile.ZipFile(path)
    except _BROKEN as error:
        reason = str(error).splitlines()[0][:120] if str(error) else "truncated"
        msg = f"submission {str(path)!r}: not a readable zip archive ({reason})"
        raise SubmissionError(msg) from None
    with file:
        yield Archive(file, sets)


def peek(path: Path) -> bytes:
    """Return the bytes of ``submission.json`` alone, to see what an archive is about.

    Parameters
    ----------
    path : Path
        The archive; nothing in it is trusted.

    Returns
    -------
    bytes

    Raises
    ------
    SubmissionError
        If there is no such file, or no such member of a sensible size.
    """
    if not path.is_file():
        msg = f"submission {str(path)!r}: no such file; `submission pack` makes one"
        raise SubmissionError(msg)
    try:
        with zipfile.ZipFile(path) as file:
            info = file.getinfo(STATEMENT)
            _check_kind(info, f"member {STATEMENT!r}")
            with file.open(info) as stream:
                content = stream.read(MAX_STATEMENT_BYTES + 1)
    except (*_BROKEN, KeyError):
        msg = f"submission {str(path)!r}: no zip archive with a readable {STATEMENT}"
        raise SubmissionError(msg) from None
    if len(content) > MAX_STATEMENT_BYTES:
        msg = f"submission {str(path)!r}: {STATEMENT} over {MAX_STATEMENT_BYTES} bytes"
        raise SubmissionError(msg)
    return content


def _check_kind(info: zipfile.ZipInfo, where: str) -> None:
    """Refuse what is not a plain file: a link, a device, something encrypted."""
    if info.flag_bits & _FLAG_ENCRYPTED:
        msg = f"{where}: is encrypted; wanted a plain zip archive"
        raise SubmissionError(msg)
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode not in (0, stat.S_IFREG):
        msg = f"{where}: is a link or another special file; wanted plain files"
        raise SubmissionError(msg)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        msg = f"{where}: packing method {info.compress_type}; wanted stored or deflate"
        raise SubmissionError(msg)


def _size_limit(sets: SetList) -> int:
    """Return the most bytes that an honest archive can have."""
    members = sum(
        4 * expected.n_scored + MAX_HEADER_BYTES + 2 * _PER_MEMBER_BYTES
        for expected in sets.sets
    )
    return MAX_STATEMENT_BYTES + 2**16 + MAX_SEEDS * members
