"""Read data set repositories on the hub, at one commit.

The hub's own client says which endpoint and which token to use, and reads its cache.
The requests are odbench's own, because that client follows a listing for ever and with
the token. A file is compared with the digest that the repository lists.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from odbench.data.archive import MAX_FACT_BYTES, MAX_VALUES
from odbench.data.dataset import DatasetRecord
from odbench.data.stamps import file_sha256
from odbench.data.transports.download import Downloads
from odbench.data.transports.hub_listing import find_commit, list_folder
from odbench.data.transports.source import (
    Listed,
    Obtained,
    Tick,
    name_of,
    read_file,
)
from odbench.data.transports.web import Web, origin
from odbench.errors import ArchiveError, HashMismatchError, TransportError
from odbench.files import at_home
from odbench.suites import Suite

# A safe file name in a listing; a folder here is named after it.
_FILE = re.compile(r"[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]{0,199}\.npz")
# Columns besides those of the table: labels and groups of train and test.
_MORE_COLUMNS = 4


class Hub:
    """A suite's repository on the hub, at one commit.

    Parameters
    ----------
    suite : Suite
        The suite, with its repository and revision.
    scratch : Path
        The folder for downloads; each file is removed once it has been read.
    """

    def __init__(self, suite: Suite, scratch: Path) -> None:
        self.suite = suite
        self.scratch = scratch
        self._lock = threading.Lock()
        self._commit: str | None = None
        self._listings: dict[str, dict[str, Listed]] = {}
        # A hub that did not answer is not asked again for each data set.
        self._failure: TransportError | None = None

    @property
    def label(self) -> str:
        """The repository with its commit, for messages."""
        commit = (self._commit or self.suite.revision)[:12]
        return f"hub {self.suite.repository}@{commit}"

    @functools.cached_property
    def endpoint(self) -> str:
        """The hub's URL: ``HF_ENDPOINT`` as it is now, or the client's default.

        Raises
        ------
        TransportError
            If it is not an address.
        """
        from huggingface_hub import HfApi

        named = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None).endpoint
        if origin(named)[0] not in ("http", "https") or not origin(named)[1]:
            msg = f"HF_ENDPOINT {named[:100]!r}; wanted an address http(s)://HOST"
            raise TransportError(msg)
        return named.rstrip("/")

    @functools.cached_property
    def _web(self) -> Web:
        """The requests, which show the token to the endpoint alone."""
        from huggingface_hub import constants, get_token

        token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
        return Web(self.endpoint, f"Bearer {token}" if token else "")

    @functools.cached_property
    def _downloads(self) -> Downloads:
        return Downloads(self._web, f"hub {self.suite.repository}")

    @property
    def commit(self) -> str:
        """The commit that everything is read at, resolved once."""
        with self._lock, self._asking():
            if self._commit is None:
                self._commit = self._resolve()
            return self._commit

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """Raise the failure of an earlier question again, without asking."""
        if self._failure is not None:
            raise TransportError(*self._failure.args) from self._failure
        try:
            yield
        except TransportError as error:
            self._failure = error
            raise

    def _resolve(self) -> str:
        """Ask the hub, or offline its cache, for the commit of the revision."""
        from huggingface_hub import is_offline_mode

        repository, revision = self.suite.repository, self.suite.revision
        if is_offline_mode():
            commits = self._snapshots()
            if len(commits) != 1 and revision not in commits:
                msg = (
                    f"hub {repository}: HF_HUB_OFFLINE is set and the hub's cache has "
                    f"no copy of {revision!r}; use --mirror, or go online once"
                )
                raise TransportError(msg)
            return revision if revision in commits else next(iter(commits))
        return find_commit(self._web, self.endpoint, repository, revision)

    def _snapshots(self) -> dict[str, Path]:
        """Return the folders of commits in the hub's cache: that of the ref, or all."""
        from huggingface_hub import constants

        folder = Path(constants.HF_HUB_CACHE)
        folder /= f"datasets--{self.suite.repository.replace('/', '--')}"
        ref = folder / "refs" / self.suite.revision
        commits = {p.name: p for p in folder.glob("snapshots/*") if p.is_dir()}
        if ref.is_file():
            named = ref.read_text(encoding="utf-8").strip()
            commits = {c: p for c, p in commits.items() if c == named}
        return commits

    def listing(self, partition: str) -> dict[str, Listed]:
        """Return the archives of a partition at the commit; see `Source`."""
        commit = self.commit
        with self._lock, self._asking():
            if partition not in self._listings:
                folder = self.suite.folders.get(partition, partition)
                self._listings[partition] = self._list(commit, folder)
            return self._listings[partition]

    def _list(self, commit: str, folder: str) -> dict[str, Listed]:
        """List all pages of a folder; a missing folder is empty."""
        from huggingface_hub import is_offline_mode

        repository = self.suite.repository
        if is_offline_mode():
            names = sorted((self._snapshots()[commit] / folder).glob("*.npz"))
            files = [Listed(f"{folder}/{file.name}") for file in names]
        else:
            files = list_folder(self._web, self.endpoint, repository, commit, folder)
            files = [file for file in files if file.path.endswith(".npz")]
            for file in files:
                _check_path(file.path, folder, f"hub {repository}")
        return {name_of(self.suite, file.path): file for file in files}

    def obtain(self, record: DatasetRecord, *, tick: Tick) -> Obtained:
        """Download and read a data set; see `Source`."""
        listed = self.listing(record.partition).get(record.name)
        if listed is None:
            msg = (
                f"data set {record.id}: not listed by {self.label} under "
                f"{record.partition}; it is skipped"
            )
            raise TransportError(msg)
        if (most := _most_bytes(record)) < (listed.size or 0):
            msg = (
                f"data set {record.id}: {listed.path} has {listed.size} bytes in "
                f"{self.label}; at most {most} are fetched for it"
            )
            raise TransportError(msg)
        try:
            return self._obtain(record, listed, tick)
        except (ArchiveError, HashMismatchError):
            # Disks and proxies corrupt bytes now and then: download once more.
            return self._obtain(record, listed, tick)

    def _obtain(self, record: DatasetRecord, listed: Listed, tick: Tick) -> Obtained:
        """Download a file, check its digest, read it and remove it."""
        folder = self.scratch / self.suite.name / record.partition / record.name
        try:
            file = self._download(record, listed, folder, tick)
            if listed.sha256 and (found := file_sha256(file)) != listed.sha256:
                msg = (
                    f"data set {record.id}: {listed.path} arrived with sha256 "
                    f"{found[:16]}…, the hub lists {listed.sha256[:16]}…; pull again"
                )
                raise HashMismatchError(msg)
            provenance = {"repository": self.suite.repository, "commit": self.commit}
            return read_file(self.suite, record, file, provenance)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _download(
        self, record: DatasetRecord, listed: Listed, folder: Path, tick: Tick
    ) -> Path:
        """Download one file, or find it in the hub's cache."""
        from huggingface_hub import (
            hf_hub_url,
            is_offline_mode,
            try_to_load_from_cache,
        )

        repository, path = self.suite.repository, listed.path
        cached = try_to_load_from_cache(
            repository, path, revision=self.commit, repo_type="dataset"
        )
        if isinstance(cached, str):
            return Path(cached)
        if is_offline_mode():
            msg = (
                f"data set {record.id}: HF_HUB_OFFLINE is set and {path} is not in the "
                f"hub's cache; use --mirror"
            )
            raise TransportError(msg)
        tick(0)
        url = hf_hub_url(
            repository,
            path,
            repo_type="dataset",
            revision=self.commit,
            endpoint=self.endpoint,
        )
        file = folder / Path(path).name
        most = _most_bytes(record) if listed.size is None else listed.size
        subject = f"data set {record.id}"
        self._downloads.fetch(url, file, subject=subject, most=most, tick=tick)
        return file


def _check_path(path: str, folder: str, where: str) -> None:
    """Refuse a file that is not in the listed folder."""
    place, _, name = path.rpartition("/")
    if place != folder or not _FILE.fullmatch(name):
        msg = f"{where}: lists {path[:200]!r}; wanted files NAME.npz of {folder!r}"
        raise TransportError(msg)


def _most_bytes(record: DatasetRecord) -> int:
    """Return the maximum size of an archive of the record's shape, or of any shape."""
    rows, columns = record.n_train + record.n_test, record.n_columns
    measured = bool(record.content_sha256 and record.n_train)
    values = rows * (columns + _MORE_COLUMNS) if measured else 2 * MAX_VALUES
    return 8 * values + 2 * MAX_FACT_BYTES


def hub_cache() -> Path:
    """Return the hub client's cache folder, without importing the client."""
    if named := os.environ.get("HF_HUB_CACHE"):
        return at_home(Path(named))
    home = os.environ.get("HF_HOME")
    base = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    place = Path(home) if home else Path(base) / "huggingface"
    return at_home(place / "hub")
