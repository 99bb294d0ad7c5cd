"""Fetch files under a base URL, for suites without a repository on the hub.

An environment variable overrides the base URL in a suite's description, such as
``ODBENCH_ADBENCH_URL`` for ``adbench``.
"""

from __future__ import annotations

import http.client
import os
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import IO

from odbench.data.dataset import DatasetRecord
from odbench.data.disk import cache_file
from odbench.data.manifest import read_manifest
from odbench.data.transports import retry
from odbench.data.transports.source import Listed, Obtained, Tick, read_file
from odbench.errors import ArchiveError, HashMismatchError, TransportError
from odbench.files import is_local
from odbench.suites import Suite

_LONGEST_WAIT = 120.0
_TIMEOUT = 30.0
_CHUNK = 1 << 18
# The maximum size of an archive; the largest one of a classical table has 30 MB.
_MAX_BYTES = 1 << 30


class Urls:
    """A suite's files by URL.

    Parameters
    ----------
    suite : Suite
        A suite with a base URL.
    scratch : Path
        The folder for downloads; each file is removed once it has been read.
    """

    def __init__(self, suite: Suite, scratch: Path) -> None:
        self.suite = suite
        self.scratch = scratch
        named = os.environ.get(f"ODBENCH_{suite.name.upper()}_URL")
        self.base = (named or suite.base_url.format(revision=suite.revision)).rstrip(
            "/"
        )
        if urllib.parse.urlsplit(self.base).scheme not in ("http", "https"):
            msg = f"suite {suite.name}: base URL {self.base!r}; wanted http or https"
            raise TransportError(msg)

    @property
    def label(self) -> str:
        """The base URL, for messages."""
        return self.base

    def listing(self, partition: str) -> dict[str, Listed]:
        """Return the manifest's files, because a base URL cannot be listed."""
        rows = read_manifest(self.suite.name)
        return {
            row.name: Listed(row.path, row.file_bytes, row.file_sha256)
            for row in rows
            if row.partition == partition
        }

    def obtain(self, record: DatasetRecord, *, tick: Tick) -> Obtained:
        """Download and read a data set; see `Source`."""
        try:
            return self._obtain(record, tick)
        except (ArchiveError, HashMismatchError):
            return self._obtain(record, tick)

    def _obtain(self, record: DatasetRecord, tick: Tick) -> Obtained:
        """Download a file, read it and remove it."""
        url = f"{self.base}/{urllib.parse.quote(record.path)}"
        folder = self.scratch / self.suite.name / record.partition / record.name
        file = folder / Path(record.path).name
        try:
            _download(url, file, f"data set {record.id}", tick)
            return read_file(self.suite, record, file, {"url": url})
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _download(url: str, file: Path, subject: str, tick: Tick) -> None:
    """Fetch a URL into a file; a download resumes where its connection was cut."""
    with cache_file(file) as sink:
        for wait in (*retry.WAITS, None):
            try:
                _append(url, sink, tick)
            except urllib.error.HTTPError as error:
                error.close()
                pause = _pause(error, wait)
                if pause is None:
                    msg = f"{subject}: {url} answered with status {error.code}"
                    raise TransportError(msg) from error
            except (http.client.HTTPException, urllib.error.URLError, OSError) as error:
                pause = None if is_local(error) else wait
                if pause is None:
                    if is_local(error):
                        raise
                    msg = f"{subject}: {url} cannot be fetched ({error}); use --mirror"
                    raise TransportError(msg) from error
            else:
                return
            time.sleep(pause)


def _append(url: str, sink: IO[bytes], tick: Tick) -> None:
    """Fetch the rest of a partly downloaded URL."""
    have = sink.tell()
    # The base URL was checked: its scheme is http or https.
    request = urllib.request.Request(url)  # noqa: S310
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
        if have and answer.status != http.client.PARTIAL_CONTENT:
            sink.seek(0)
            sink.truncate()
            have = 0
        length = answer.headers.get("Content-Length")
        wanted = have + int(length) if length else None
        while chunk := answer.read(_CHUNK):
            have += sink.write(chunk)
            tick(len(chunk))
            if have > _MAX_BYTES:
                msg = f"{url}: more than {_MAX_BYTES} bytes; not a table of this suite"
                raise TransportError(msg)
    if wanted is not None and have < wanted:
        msg = f"{have} of {wanted} bytes"
        raise http.client.HTTPException(msg)


def _pause(error: urllib.error.HTTPError, wait: float | None) -> float | None:
    """Return the seconds to wait before a retry, or None if the status is final."""
    if wait is None or not (error.code in (408, 425, 429) or error.code >= 500):
        return None
    asked = error.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT) if asked.isdigit() else wait
