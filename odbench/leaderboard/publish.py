"""Upload of a leaderboard's folder to a hub data set, in one commit or none."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.errors import TransportError, UsageError
from odbench.leaderboard.evaluated import read_evaluated
from odbench.leaderboard.hub import (
    ATTEMPTS,
    ask,
    client,
    is_same,
    is_temporary,
    listing,
    named,
)
from odbench.leaderboard.private import holds_exact_results

if TYPE_CHECKING:
    from huggingface_hub import HfApi

# The kinds of file in a leaderboard. Any other is refused, so that labels or a salt
# that were put into the folder by mistake are never uploaded.
SUFFIXES = frozenset(
    {".csv", ".md", ".json", ".jsonl", ".html", ".svg", ".png", ".parquet"}
)
# The hub's settings and the data set's card; --prune does not delete them.
KEPT = frozenset({".gitattributes", "README.md"})
_SECRET = re.compile(rb"[0-9a-f]{64}")
# In bytes: 64 digits, and the white space that an editor may add around them.
_LONGEST_SECRET = 100


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
        If it is not a folder, is empty, or holds a link, a pipe, a salt, exact results
        of a private partition, or a kind of file that is not part of a leaderboard.
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
        if holds_exact_results(file):
            msg = (
                f"leaderboard {str(folder)!r}: {name!r} holds exact results of a "
                "private partition, of which only the rounded tables of "
                "`leaderboard build` may be public; move it elsewhere"
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
    what = named(repo, "dataset")
    files = list_files(folder)
    # An edited table must not leave this machine.
    read_evaluated(folder)
    hub = api or client()
    head, remote = ask(lambda: listing(hub, repo, "dataset"), what)
    changed = tuple(
        name
        for name, file in files.items()
        if name in remote and not is_same(file.read_bytes(), remote[name])
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
    hub, what = api or client(), named(repo, "dataset")
    first: Plan | None = None
    for attempt in range(1, ATTEMPTS + 1):
        found = plan(folder, repo, api=hub, prune=prune)
        if found.head is None:
            if not create:
                msg = f"hub data set {repo!r}: does not exist; create it with --create"
                raise UsageError(msg)
            ask(lambda: hub.create_repo(repo, repo_type="dataset"), what)
            found = plan(folder, repo, api=hub, prune=prune)
        first = first or found
        if found.is_empty:
            return first, str(found.head)
        try:
            return found, _commit(hub, folder, found, message)
        except TransportError as error:
            if attempt == ATTEMPTS or not is_temporary(error.__cause__):
                raise
            pause(2.0**attempt)
    raise AssertionError


def _commit(hub: HfApi, folder: Path, found: Plan, message: str) -> str:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    operations: list[Any] = [
        CommitOperationAdd(path_in_repo=name, path_or_fileobj=folder / name)
        for name in (*found.added, *found.changed)
    ]
    operations += [
        CommitOperationDelete(path_in_repo=name, is_folder=False)
        for name in found.deleted
    ]
    done = ask(
        lambda: hub.create_commit(
            found.repo,
            operations,
            commit_message=message,
            repo_type="dataset",
            parent_commit=found.head,
        ),
        named(found.repo, "dataset"),
    )
    return str(done.oid)


def _is_kept(name: str) -> bool:
    return name in KEPT or name.startswith(".") or "/." in name
