"""Fetch files under a base URL, for suites without a repository on the hub.

An environment variable overrides the base URL in a suite's description, such as
``ODBENCH_ADBENCH_URL`` for ``adbench``.
"""

from __future__ import annotations

import os
import shutil
import urllib.parse
from pathlib import Path

from odbench.data.dataset import DatasetRecord
from odbench.data.manifest import read_manifest
from odbench.data.transports.download import Downloads
from odbench.data.transports.source import Listed, Obtained, Tick, read_file
from odbench.data.transports.web import Web
from odbench.errors import ArchiveError, HashMismatchError, TransportError
from odbench.suites import Suite

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
        variable = f"ODBENCH_{suite.name.upper()}_URL"
        named = os.environ.get(variable)
        self.base = (named or suite.base_url.format(revision=suite.revision)).rstrip(
            "/"
        )
        if urllib.parse.urlsplit(self.base).scheme not in ("http", "https"):
            msg = f"suite {suite.name}: base URL {self.base!r}; wanted http or https"
            raise TransportError(msg)
        self._downloads = Downloads(Web(), self.label, variable)

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
            self._downloads.fetch(
                url,
                file,
                subject=f"data set {record.id}",
                most=record.file_bytes or _MAX_BYTES,
                tick=tick,
            )
            return read_file(self.suite, record, file, {"url": url})
        finally:
            shutil.rmtree(folder, ignore_errors=True)
