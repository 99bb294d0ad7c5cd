"""The zip archive of a submission: written reproducibly, read as untrusted input.

It holds ``submission.json`` and, for each data set and seed, one member
``scores/<data set>/<seed>.npy``: float32, one score per test row. Nothing is ever
extracted to disk, and no member is read before its declared size has been checked.
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
from odbench.submissions.dataset_list import DatasetList
from odbench.submissions.score_bytes import MAX_HEADER_BYTES
from odbench.submissions.statement import MAX_SEEDS

STATEMENT = "submission.json"
MAX_STATEMENT_BYTES = 8 * 2**20
_PER_MEMBER_BYTES = 1024
_MEMBER = re.compile(
    r"scores/([A-Za-z0-9][A-Za-z0-9 ._()+,=@-]{0,199})/(0|[1-9][0-9]{0,9})\.npy"
)
_FLAG_ENCRYPTED = 0x1 | 0x40 | 0x2000
# zipfile raises these on broken input: its own checks, struct, zlib, the file system.
_READ_ERRORS = (
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
    """Return the name of the member that holds the scores of one trial."""
    return f"scores/{dataset}/{seed}.npy"


def write_archive(path: Path, members: Mapping[str, bytes]) -> None:
    """Write an archive; the same members give the same bytes.

    Parameters
    ----------
    path : Path
        The file to write, whole or not at all.
    members : mapping of str to bytes
        Contents by member name; written sorted by name, uncompressed, undated.

    Raises
    ------
    SubmissionError
        If the file cannot be written.
    """
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
        The members with scores, by data set and seed.
    """

    def __init__(self, file: zipfile.ZipFile, sets: DatasetList) -> None:
        self._file = file
        self._sets = sets
        self.trials: dict[tuple[str, int], zipfile.ZipInfo] = {}
        self._statement: zipfile.ZipInfo | None = None
        seen: set[str] = set()
        for info in file.infolist():
            where = f"member {info.orig_filename[:120]!r}"
            if info.orig_filename.casefold() in seen:
                msg = f"{where}: is in the archive twice; wanted every member once"
                raise SubmissionError(msg)
            seen.add(info.orig_filename.casefold())
            _check_kind(info, where)
            self._admit(info, where)
        if self._statement is None:
            msg = (
                f"submission: {STATEMENT} is missing; "
                f"`odbench submission pack` writes it"
            )
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
                    f"{where}: not a valid member name; wanted {STATEMENT!r} or "
                    f"'scores/<data set>/<seed>.npy'"
                )
                raise SubmissionError(msg)
            expected = self._sets.by_name.get(match[1])
            if expected is None:
                msg = (
                    f"{where}: {match[1]!r} is not in the data set list of "
                    f"{self._sets.suite} ({self._sets.partition})"
                )
                raise SubmissionError(msg)
            limit = 4 * expected.n_scored + MAX_HEADER_BYTES
            self.trials[match[1], int(match[2])] = info
        if info.file_size > limit:
            # The most frequent reason, where scores are twice as many bytes.
            hint = "" if info is self._statement else "; scores are float32"
            msg = f"{where}: would unpack to {info.file_size} bytes; at most {limit}"
            raise SubmissionError(msg + hint)

    def _read(self, info: zipfile.ZipInfo) -> bytes:
        # The declared size is not trusted: reading one byte more detects a longer
        # member.
        try:
            with self._file.open(info) as stream:
                content = stream.read(info.file_size + 1)
        except _READ_ERRORS as error:
            reason = str(error).splitlines()[0][:120] if str(error) else "truncated"
            msg = f"member {info.filename[:120]!r}: cannot be unpacked ({reason})"
            raise SubmissionError(msg) from None
        if len(content) != info.file_size:
            msg = f"member {info.filename[:120]!r}: shorter or longer than declared"
            raise SubmissionError(msg)
        return content


@contextmanager
def open_archive(path: Path, sets: DatasetList) -> Iterator[Archive]:
    """Open a submission's archive for reading.

    Parameters
    ----------
    path : Path
        The archive; nothing in it is trusted.
    sets : DatasetList
        The data sets for which it may hold scores.

    Yields
    ------
    Archive

    Raises
    ------
    SubmissionError
        If the file is too large for the list, is not a zip archive, or has a member
        that is encrypted, a link, a folder, duplicated, too large, compressed by a
        method other than deflate, or whose name is not valid.
    """
    require_file(path)
    limit = _size_limit(sets)
    if path.stat().st_size > limit:
        msg = (
            f"submission {str(path)!r}: {path.stat().st_size} bytes; at most {limit} "
            f"are allowed for the {len(sets.sets)} data sets of the list"
        )
        raise SubmissionError(msg)
    try:
        file = zipfile.ZipFile(path)
    except _READ_ERRORS as error:
        reason = str(error).splitlines()[0][:120] if str(error) else "truncated"
        msg = f"submission {str(path)!r}: not a readable zip archive ({reason})"
        raise SubmissionError(msg) from None
    with file:
        yield Archive(file, sets)


def peek(path: Path) -> bytes:
    """Return the bytes of ``submission.json`` without checking the other members.

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
        If the file is missing or is not a zip archive, or if the member is missing or
        too large.
    """
    require_file(path)
    try:
        with zipfile.ZipFile(path) as file:
            info = file.getinfo(STATEMENT)
            _check_kind(info, f"member {STATEMENT!r}")
            with file.open(info) as stream:
                content = stream.read(MAX_STATEMENT_BYTES + 1)
    except (*_READ_ERRORS, KeyError):
        msg = f"submission {str(path)!r}: not a zip archive with a readable {STATEMENT}"
        raise SubmissionError(msg) from None
    if len(content) > MAX_STATEMENT_BYTES:
        msg = (
            f"submission {str(path)!r}: {STATEMENT} has more than "
            f"{MAX_STATEMENT_BYTES} bytes"
        )
        raise SubmissionError(msg)
    return content


def require_file(path: Path) -> None:
    """Raise `SubmissionError` if there is no file at the path of a submission."""
    if path.is_file():
        return
    got = "no such file"
    if path.is_dir():
        got = "is a folder, wanted an archive"
    elif path.exists():
        got = "is not a regular file"
    msg = f"submission {str(path)!r}: {got}; `submission pack` writes one"
    raise SubmissionError(msg)


def _check_kind(info: zipfile.ZipInfo, where: str) -> None:
    """Refuse links, devices, encrypted members and unusual compression methods."""
    if info.flag_bits & _FLAG_ENCRYPTED:
        msg = f"{where}: is encrypted; wanted an archive without encryption"
        raise SubmissionError(msg)
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode not in (0, stat.S_IFREG):
        msg = f"{where}: is a link or another special file; wanted regular files"
        raise SubmissionError(msg)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        msg = (
            f"{where}: compression method {info.compress_type}; "
            f"wanted stored or deflate"
        )
        raise SubmissionError(msg)


def _size_limit(sets: DatasetList) -> int:
    """Return the largest size of a valid archive, in bytes."""
    members = sum(
        4 * expected.n_scored + MAX_HEADER_BYTES + 2 * _PER_MEMBER_BYTES
        for expected in sets.sets
    )
    return MAX_STATEMENT_BYTES + 2**16 + MAX_SEEDS * members
