"""Read data set repositories on the hub, through the hub's own client.

The client handles ``HF_TOKEN``, ``HF_HUB_OFFLINE``, timeouts and proxies, and waits as
long as a 429 asks. This module adds two things: a download is retried after a server
error, and a file is compared with the digest that the repository lists.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from odbench.data.archive import MAX_FACT_BYTES, MAX_VALUES
from odbench.data.dataset import DatasetRecord
from odbench.data.transports.retry import with_retries
from odbench.data.transports.source import (
    Listed,
    Obtained,
    Tick,
    file_sha256,
    name_of,
    read_file,
)
from odbench.errors import ArchiveError, HashMismatchError, TransportError
from odbench.suites import Suite

if TYPE_CHECKING:
    from huggingface_hub import HfApi

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

    @property
    def label(self) -> str:
        """The repository with its commit, for messages."""
        commit = (self._commit or self.suite.revision)[:12]
        return f"hub {self.suite.repository}@{commit}"

    @functools.cached_property
    def api(self) -> HfApi:
        """The client, with the present ``HF_ENDPOINT`` and not that of its import."""
        from huggingface_hub import HfApi

        return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)

    @property
    def commit(self) -> str:
        """The commit that everything is read at, resolved once."""
        with self._lock:
            if self._commit is None:
                self._commit = self._resolve()
            return self._commit

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
        info = with_retries(
            lambda: self.api.dataset_info(repository, revision=revision),
            f"hub {repository}",
            self.scratch,
        )
        return str(info.sha)

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
        with self._lock:
            if partition not in self._listings:
                folder = self.suite.folders.get(partition, partition)
                self._listings[partition] = self._list(commit, folder)
            return self._listings[partition]

    def _list(self, commit: str, folder: str) -> dict[str, Listed]:
        """List all pages of a folder; a missing folder is empty."""
        from huggingface_hub import is_offline_mode
        from huggingface_hub.errors import EntryNotFoundError
        from huggingface_hub.hf_api import RepoFile

        if is_offline_mode():
            files = sorted((self._snapshots()[commit] / folder).glob("*.npz"))
            return {
                name_of(self.suite, f.name): Listed(f"{folder}/{f.name}") for f in files
            }

        def every_page() -> list[Any]:
            try:
                pages = self.api.list_repo_tree(
                    self.suite.repository, folder, revision=commit, repo_type="dataset"
                )
                return list(pages)
            except EntryNotFoundError:
                return []

        found = {}
        for entry in with_retries(
            every_page, f"hub {self.suite.repository}", self.scratch
        ):
            if isinstance(entry, RepoFile) and entry.path.endswith(".npz"):
                _check_path(entry.path, folder, f"hub {self.suite.repository}")
                digest = entry.lfs.sha256 if entry.lfs is not None else ""
                listed = Listed(entry.path, entry.size, digest)
                found[name_of(self.suite, entry.path)] = listed
        return found

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
        from huggingface_hub import try_to_load_from_cache

        path = listed.path
        cached = try_to_load_from_cache(
            self.suite.repository, path, revision=self.commit, repo_type="dataset"
        )
        if isinstance(cached, str):
            return Path(cached)

        most = _most_bytes(record) if listed.size is None else listed.size

        def stop() -> NoReturn:
            msg = (
                f"data set {record.id}: more than the {most} bytes of {path} arrived "
                f"from {self.label}; pull again, or use --mirror"
            )
            raise TransportError(msg)

        def download() -> str:
            tick(0)
            return self.api.hf_hub_download(
                self.suite.repository,
                path,
                repo_type="dataset",
                revision=self.commit,
                local_dir=folder,
                tqdm_class=_ticking(tick, most, stop),
            )

        return Path(with_retries(download, f"data set {record.id}", self.scratch))


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


def _ticking(tick: Tick, most: int, stop: Callable[[], NoReturn]) -> type[Any]:
    """Return a progress bar class that draws nothing and reports every chunk."""
    from tqdm import tqdm

    class Ticking(tqdm):  # type: ignore[type-arg]
        """A bar that only counts bytes; `tick` may raise in it to end a download."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            kwargs["disable"] = True
            super().__init__(*args, **kwargs)
            self._arrived = int(kwargs.get("initial") or 0)

        def update(self, n: float | None = 1) -> bool | None:
            """Report bytes that arrived."""
            self._arrived += int(n or 0)
            if self._arrived > most:
                stop()
            tick(max(0, int(n or 0)))
            return None

    return Ticking


def hub_cache() -> Path:
    """Return the hub client's cache folder, without importing the client."""
    if named := os.environ.get("HF_HUB_CACHE"):
        return Path(named).expanduser()
    home = os.environ.get("HF_HOME")
    base = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    place = Path(home) if home else Path(base) / "huggingface"
    return (place / "hub").expanduser()
