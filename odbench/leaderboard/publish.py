"""Upload of a leaderboard's folder to a hub data set, in one commit or none."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from odbench.errors import TransportError, UsageError
from odbench.leaderboard.evaluated import read_evaluated

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")

# The kinds of file in a leaderboard. Any other is refused, so that labels or a salt
# that were put into the folder by mistake are never uploaded.
SUFFIXES = frozenset(
    {".csv", ".md", ".json", ".jsonl", ".html", ".svg", ".png", ".parquet"}
)
# The hub's settings and the data set's card; --prune does not delete them.
KEPT = frozenset({".gitattributes", "README.md"})
ATTEMPTS = 4
_SECRET = re.compile(rb"[0-9a-f]{64}")
# In bytes: 64 digits, and the white space that an editor may add around them.
_LONGEST_SECRET = 100
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Changes that an upload makes to a hub data set.

    Attributes
    ----------
    repo : str
        ``owner/name``.
    head : str or None
        Commit that the folder was compared with; None if the data set does not exist.
    added, changed, deleted, unchanged : tuple of str
        Paths in the data set.
    n_bytes : int
        Total size of the files to upload.
    """

    repo: str
    head: str | None
    added: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    unchanged: tuple[str, ...]
    n_bytes: int

    @property
    def is_empty(self) -> bool:
        """Whether the data set already equals the folder."""
        return not (self.added or self.changed or self.deleted)


def list_files(folder: Path) -> dict[str, Path]:
    """List the files of a folder that are published.

    Parameters
    ----------
    folder : Path
        Written by ``odbench leaderboard build --out``. Hidden files are left out.

    Returns
    -------
    dict of str to Path
        Files by their path in the data set.

    Raises
    ------
    UsageError
        If it is not a folder, is empty, or holds a link, a pipe, a salt, or a
        kind of file that is not part of a leaderboard.
    """
    files: dict[str, Path] = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in name.split("/")):
            continue
        if file.is_symlink():
            msg = (
                f"leaderboard {str(folder)!r}: {name!r} is a link; replace it with "
                "the file"
            )
            raise UsageError(msg)
        if file.is_dir():
            continue
        if not file.is_file():
            msg = (
                f"leaderboard {str(folder)!r}: {name!r} is not a regular file; "
                "remove it"
            )
            raise UsageError(msg)
        if _is_secret(file):
            msg = (
                f"leaderboard {str(folder)!r}: {name!r} is a salt or a seed, which "
                "must stay secret; move it elsewhere"
            )
            raise UsageError(msg)
        if file.suffix not in SUFFIXES:
            msg = (
                f"leaderboard {str(folder)!r}: {name!r} is not a file of a "
                f"leaderboard; wanted {' '.join(sorted(SUFFIXES))}; move it elsewhere"
            )
            raise UsageError(msg)
        files[name] = file
    if not files:
        msg = f"leaderboard {str(folder)!r}: no files; `leaderboard build` writes them"
        raise UsageError(msg)
    return files


def _is_secret(file: Path) -> bool:
    """Say whether a file is a salt or a seed: 64 hex digits and nothing else."""
    if file.stat().st_size > _LONGEST_SECRET:
        return False
    return bool(_SECRET.fullmatch(file.read_bytes().strip()))


def plan(
    folder: Path, repo: str, *, api: HfApi | None = None, prune: bool = False
) -> Plan:
    """Compare a folder with a hub data set, without changing it.

    Parameters
    ----------
    folder : Path
        See `list_files`.
    repo : str
        ``owner/name`` of a hub data set.
    api : HfApi, optional
        The client; the default one uses ``HF_ENDPOINT`` and ``HF_TOKEN``.
    prune : bool
        Delete files of the data set that are not in the folder, except `KEPT` and
        hidden files.

    Returns
    -------
    Plan

    Raises
    ------
    UsageError
        If the folder is not a leaderboard's or `repo` is not ``owner/name``.
    SubmissionError
        If a table of evaluated submissions does not match the audit log.
    TransportError
        If the hub does not answer.
    """
    if not _REPO.fullmatch(repo):
        msg = f"hub data set {repo[:80]!r}: wanted owner/name"
        raise UsageError(msg)
    files = list_files(folder)
    # An edited table must not leave this machine.
    read_evaluated(folder)
    client = api or _client()
    head, remote = _ask(lambda: _remote(client, repo), repo)
    changed = tuple(
        name
        for name, file in files.items()
        if name in remote and not _is_same(file, remote[name])
    )
    added = tuple(name for name in files if name not in remote)
    gone = (name for name in remote if name not in files and not _is_kept(name))
    return Plan(
        repo=repo,
        head=head,
        added=added,
        changed=changed,
        deleted=tuple(sorted(gone)) if prune else (),
        unchanged=tuple(sorted(set(files) - set(added) - set(changed))),
        n_bytes=sum(files[name].stat().st_size for name in (*added, *changed)),
    )


def publish(
    folder: Path,
    repo: str,
    *,
    message: str = "Update the leaderboard",
    create: bool = False,
    prune: bool = False,
    api: HfApi | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[Plan, str]:
    """Upload a folder to a hub data set, in one commit.

    The commit names its parent, so the hub accepts it only on the version that the
    folder was compared with. If another commit came in between, or an answer was
    lost, the folder is compared again. If nothing changed, no commit is made. Files
    that an interrupted upload has stored are not sent again.

    Parameters
    ----------
    folder, repo, prune, api
        See `plan`.
    message : str
        Commit message.
    create : bool
        Create the data set if it does not exist.
    pause : callable
        Sleeps for the given number of seconds before another attempt.

    Returns
    -------
    Plan, str
        The changes that were made, and the newest commit of the data set.

    Raises
    ------
    UsageError
        If the data set does not exist and `create` is not set; see also `plan`.
    TransportError
        If the hub does not accept the commit.
    """
    client = api or _client()
    first: Plan | None = None
    for attempt in range(1, ATTEMPTS + 1):
        found = plan(folder, repo, api=client, prune=prune)
        if found.head is None:
            if not create:
                msg = f"hub data set {repo!r}: does not exist; create it with --create"
                raise UsageError(msg)
            _ask(lambda: client.create_repo(repo, repo_type="dataset"), repo)
            found = plan(folder, repo, api=client, prune=prune)
        first = first or found
        if found.is_empty:
            return first, str(found.head)
        try:
            return found, _commit(client, folder, found, message)
        except TransportError as error:
            if attempt == ATTEMPTS or not _is_temporary(error.__cause__):
                raise
            pause(2.0**attempt)
    raise AssertionError


def _commit(client: HfApi, folder: Path, found: Plan, message: str) -> str:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    operations: list[Any] = [
        CommitOperationAdd(path_in_repo=name, path_or_fileobj=folder / name)
        for name in (*found.added, *found.changed)
    ]
    operations += [
        CommitOperationDelete(path_in_repo=name, is_folder=False)
        for name in found.deleted
    ]
    done = _ask(
        lambda: client.create_commit(
            found.repo,
            operations,
            commit_message=message,
            repo_type="dataset",
            parent_commit=found.head,
        ),
        found.repo,
    )
    return str(done.oid)


def _client() -> HfApi:
    from huggingface_hub import HfApi

    from odbench import __version__

    return HfApi(library_name="odbench", library_version=__version__)


def _remote(client: HfApi, repo: str) -> tuple[str | None, Mapping[str, Any]]:
    """Return the newest commit of a data set, None if there is none, and its files."""
    from huggingface_hub import RepoFile
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        head = client.repo_info(repo, repo_type="dataset").sha
    except RepositoryNotFoundError as error:
        # The hub also raises this with 401, to hide whether a private data set exists.
        if error.response.status_code == 404:
            return None, {}
        raise
    tree = client.list_repo_tree(
        repo, recursive=True, revision=head, repo_type="dataset"
    )
    return head, {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}


def _is_same(file: Path, remote: Any) -> bool:
    """Say whether a file has the size and the hash that the hub lists."""
    if file.stat().st_size != remote.size:
        return False
    content = file.read_bytes()
    if remote.lfs is not None:
        return hashlib.sha256(content).hexdigest() == str(remote.lfs.sha256)
    blob = b"blob %d\0" % len(content) + content
    return hashlib.sha1(blob).hexdigest() == str(remote.blob_id)  # noqa: S324 - git's


def _is_kept(name: str) -> bool:
    return name in KEPT or name.startswith(".") or "/." in name


def _ask(request: Callable[[], T], repo: str) -> T:
    """Ask the hub, and report a failure in one line without token or content."""
    from huggingface_hub import errors

    broken: tuple[type[Exception], ...] = (
        errors.HfHubHTTPError,
        # The base of the HTTP client's errors; the client differs between hub versions.
        errors.HfHubHTTPError.__bases__[0],
        OSError,
        RuntimeError,
        ValueError,
    )
    try:
        return request()
    except broken as error:
        status = _status(error)
        advice = {
            401: "set HF_TOKEN to a token that may write to it",
            403: "use a token that may write to it",
            412: "it changed during the upload; publish again",
            429: "too many requests; publish again later",
        }.get(status, "publish again; files already stored are not sent again")
        reason = f"HTTP {status}" if status else type(error).__name__
        msg = f"hub data set {repo!r}: {reason}; {advice}"
        raise TransportError(msg) from error


def _status(error: BaseException | None) -> int:
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or 0)


def _is_temporary(error: BaseException | None) -> bool:
    """Say whether the failure is temporary, so that another attempt may succeed."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error, ValueError | OfflineModeIsEnabled):
        return False
    status = _status(error)
    return status in (0, 408, 409, 412, 429) or status >= 500
