"""Requests to the hub: one client, one line per failure, and what is stored there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from odbench.errors import TransportError, UsageError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")
Kind = Literal["dataset", "model"]
# Requests that change something, until one succeeds or fails for good.
ATTEMPTS = 4
_WORDS: Mapping[str, str] = {"dataset": "hub data set", "model": "hub model"}
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


def named(repo: str, kind: Kind) -> str:
    """Return a repository for messages, or refuse a name that is not ``owner/name``.

    Raises
    ------
    UsageError
        If it is not ``owner/name``.
    """
    if not _REPO.fullmatch(repo):
        msg = f"{_WORDS[kind]} {repo[:80]!r}: wanted owner/name"
        raise UsageError(msg)
    return f"{_WORDS[kind]} {repo!r}"


def client() -> HfApi:
    """Return the default client, which uses ``HF_ENDPOINT`` and ``HF_TOKEN``."""
    from huggingface_hub import HfApi

    from odbench import __version__

    return HfApi(library_name="odbench", library_version=__version__)


def listing(api: HfApi, repo: str, kind: Kind) -> tuple[str | None, Mapping[str, Any]]:
    """Return the newest commit of a repository, None if there is none, and its files.

    Parameters
    ----------
    api : HfApi
    repo : str
        ``owner/name``.
    kind : {"dataset", "model"}
    """
    from huggingface_hub import RepoFile
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        head = api.repo_info(repo, repo_type=kind).sha
    except RepositoryNotFoundError as error:
        # The hub also raises this with 401, to hide whether a private one exists.
        if error.response.status_code == 404:
            return None, {}
        raise
    tree = api.list_repo_tree(repo, recursive=True, revision=head, repo_type=kind)
    return head, {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}


def is_same(content: bytes, remote: Any) -> bool:
    """Say whether a file has the size and the hash that the hub lists."""
    if len(content) != remote.size:
        return False
    if remote.lfs is not None:
        return hashlib.sha256(content).hexdigest() == str(remote.lfs.sha256)
    blob = b"blob %d\0" % len(content) + content
    return hashlib.sha1(blob).hexdigest() == str(remote.blob_id)  # noqa: S324 - git's


def ask(request: Callable[[], T], what: str) -> T:
    """Ask the hub, and report a failure in one line without token or content.

    Parameters
    ----------
    request : callable
        Makes the request.
    what : str
        The repository, as `named` returns it.

    Raises
    ------
    TransportError
        If the hub does not answer, or refuses.
    """
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
        again = "files already stored are not sent again"
        advice = {
            0: f"check the network and HF_ENDPOINT, then publish again; {again}",
            401: "set HF_TOKEN to a token that may write to it",
            403: "use a token that may write to it",
            412: "it changed during the upload; publish again",
            429: "too many requests; publish again later",
        }.get(status, f"publish again; {again}")
        reason = f"HTTP {status}" if status else type(error).__name__
        msg = f"{what}: {reason}; {advice}"
        raise TransportError(msg) from error


def _status(error: BaseException | None) -> int:
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or 0)


def is_temporary(error: BaseException | None) -> bool:
    """Say whether a failure is temporary, so that another attempt may succeed."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error, ValueError | OfflineModeIsEnabled):
        return False
    status = _status(error)
    return status in (0, 408, 409, 412, 429) or status >= 500
