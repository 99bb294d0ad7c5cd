"""Publishing a leaderboard's folder as a hub data set: one commit, or none."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from odbench.errors import TransportError, UsageError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")

# What a leaderboard consists of. Anything else in the folder is refused rather than
# uploaded: a file of labels or a salt that was put there by mistake stays here.
SUFFIXES = frozenset(
    {".csv", ".md", ".json", ".jsonl", ".html", ".svg", ".png", ".parquet"}
)
# Files of the hub's own that no folder of ours replaces.
KEPT = frozenset({".gitattributes", "README.md"})
ATTEMPTS = 4
_SECRET = re.compile(rb"[0-9a-f]{64}")
# The digits, and what an editor may put around them.
_LONGEST_SECRET = 100
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an upload changes.

    Attributes
    ----------
    repo : str
        ``owner/name``.
    head : str or None
        The commit that it was compared with; None where the data set does not exist.
    added, changed, deleted, unchanged : tuple of str
        Paths in the data set.
    n_bytes : int
        Size of the files that are uploaded.
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
        """Whether there is nothing to do."""
        return not (self.added or self.changed or self.deleted)


def list_files(folder: Path) -> dict[str, Path]:
    """Return what of a folder is published, by its path in the data set.

    Parameters
    ----------
    folder : Path
        What ``odbench leaderboard build --out`` wrote. Hidden files are left out.

    Returns
    -------
    dict of str to Path

    Raises
    ------
    UsageError
        If it is no folder, is empty, or holds a link, a pipe, a salt, or a kind of
        file that no leaderboard has.
    """
    files: dict[str, Path] = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in name.split("/")):
            continue
        if file.is_symlink():
            msg = (
                f"leaderboard {str(folder)!r}: {name!r} is a link; copy the file there"
            )
            raise UsageError(msg)
        if file.is_dir():
            continue
        if not file.is_file():
            msg = f"leaderboard {str(folder)!r}: {name!r} is no regular file; remove it"
            raise UsageError(msg)
        if _is_secret(file):
            msg = (
                f"leaderboard {str(folder)!r}: {name!r} is a salt or a seed, which is "
                "not to be published; move it elsewhere"
            )
            raise UsageError(msg)
        if file.suffix not in SUFFIXES:
            msg = (
                f"leaderboard {str(folder)!r}: {name!r} is no file of a leaderboard; "
                f"wanted {' '.join(sorted(SUFFIXES))}; move it elsewhere"
            )
            raise UsageError(msg)
        files[name] = file
    if not files:
        msg = f"leaderboard {str(folder)!r}: no files; `leaderboard build` writes them"
        raise UsageError(msg)
    return files


def _is_secret(file: Path) -> bool:
    """Whether a file is what `submission commit` or `synbench private` must hide."""
    if file.stat().st_size > _LONGEST_SECRET:
        return False
    return bool(_SECRET.fullmatch(file.read_bytes().strip()))


def plan(
    folder: Path, repo: str, *, api: HfApi | None = None, prune: bool = False
) -> Plan:
    """Compare a folder with a hub data set; changes nothing.

    Parameters
    ----------
    folder : Path
        See `list_files`.
    repo : str
        ``owner/name`` of a hub data set.
    api : HfApi, optional
        The client; by default one that takes ``HF_ENDPOINT`` and ``HF_TOKEN``.
    prune : bool
        Whether files of the data set that the folder does not have are deleted
        (all but `KEPT` and hidden ones).

    Returns
    -------
    Plan

    Raises
    ------
    UsageError
        If the folder or the name is not what it must be.
    TransportError
        If the hub cannot be asked.
    """
    if not _REPO.fullmatch(repo):
        msg = f"hub data set {repo[:80]!r}: wanted owner/name"
        raise UsageError(msg)
    files = list_files(folder)
    client = api or _client()
    head, there = _asked(lambda: _remote(client, repo), repo)
    changed = tuple(
        name
        for name, file in files.items()
        if name in there and not _is_same(file, there[name])
    )
    added = tuple(name for name in files if name not in there)
    gone = (name for name in there if name not in files and not _is_kept(name))
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
    """Make a hub data set hold a folder, in one commit.

    The commit names its parent, so that it is made on what it was compared with or
    not at all; where something came in between, or an answer was lost, the folder is
    compared again. Same content makes no commit. What an interrupted upload has
    already stored is not sent again.

    Parameters
    ----------
    folder, repo, prune, api
        See `plan`.
    message : str
        Of the commit.
    create : bool
        Whether to make the data set where it does not exist.
    pause : callable
        Waits so many seconds before another attempt.

    Returns
    -------
    Plan, str
        What was changed, and the commit that the data set now has.

    Raises
    ------
    UsageError
        If the data set does not exist and `create` is not set; see also `plan`.
    TransportError
        If the hub does not take the commit.
    """
    client = api or _client()
    first: Plan | None = None
    for attempt in range(1, ATTEMPTS + 1):
        found = plan(folder, repo, api=client, prune=prune)
        if found.head is None:
            if not create:
                msg = f"hub data set {repo!r}: does not exist; make it with --create"
                raise UsageError(msg)
            _asked(lambda: client.create_repo(repo, repo_type="dataset"), repo)
            found = plan(folder, repo, api=client, prune=prune)
        first = first or found
        if found.is_empty:
            return first, str(found.head)
        try:
            return found, _commit(client, folder, found, message)
        except TransportError as error:
            if attempt == ATTEMPTS or not _is_passing(error.__cause__):
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
    done = _asked(
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
    """Return the head of a data set and its files, or None where there is none."""
    from huggingface_hub import RepoFile
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        head = client.repo_info(repo, repo_type="dataset").sha
    except RepositoryNotFoundError as error:
        # The hub says so with 401 too: nobody may learn of private data sets.
        if error.response.status_code == 404:
            return None, {}
        raise
    tree = client.list_repo_tree(
        repo, recursive=True, revision=head, repo_type="dataset"
    )
    return head, {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}


def _is_same(file: Path, remote: Any) -> bool:
    """Whether a file has the content that the hub's listing hashes."""
    if file.stat().st_size != remote.size:
        return False
    content = file.read_bytes()
    if remote.lfs is not None:
        return hashlib.sha256(content).hexdigest() == str(remote.lfs.sha256)
    blob = b"blob %d\0" % len(content) + content
    return hashlib.sha1(blob).hexdigest() == str(remote.blob_id)  # noqa: S324 - git's


def _is_kept(name: str) -> bool:
    return name in KEPT or name.startswith(".") or "/." in name


def _asked(question: Callable[[], T], repo: str) -> T:
    """Ask the hub; say in one line what went wrong, with neither token nor content."""
    from huggingface_hub import errors

    broken: tuple[type[Exception], ...] = (
        errors.HfHubHTTPError,
        # The HTTP client's own errors, by whichever name this version has them.
        errors.HfHubHTTPError.__bases__[0],
        OSError,
        RuntimeError,
        ValueError,
    )
    try:
        return question()
    except broken as error:
        status = _status(error)
        advice = {
            401: "set HF_TOKEN to a token that may write to it",
            403: "use a token that may write to it",
            412: "somebody else changed it meanwhile; publish again",
            429: "too many requests; publish again later",
        }.get(status, "publish again: what has arrived is not sent twice")
        reason = f"HTTP {status}" if status else type(error).__name__
        msg = f"hub data set {repo!r}: {reason}; {advice}"
        raise TransportError(msg) from error


def _status(error: BaseException | None) -> int:
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or 0)


def _is_passing(error: BaseException | None) -> bool:
    """Whether another attempt may go better."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error, ValueError | OfflineModeIsEnabled):
        return False
    status = _status(error)
    return status in (0, 408, 409, 412, 429) or status >= 500
