"""List a folder of a repository on the hub, page by page, with a limit on everything.

The format of the answers is that of the hub's HTTP interface; all of it is checked.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import urllib.error
import urllib.parse
from pathlib import Path
from typing import Any

from odbench.data.transports.retry import Deadline, with_retries
from odbench.data.transports.source import Listed
from odbench.data.transports.web import Limit, RefusedAnswerError, Web, shown
from odbench.errors import TransportError

# Seconds for one answer, and for all pages of a listing with their retries.
REQUEST_SECONDS = 60.0
LISTING_SECONDS = 180.0
# The hub's pages have 1,000 entries of some 300 bytes.
PAGE_BYTES = 4 << 20
LISTING_BYTES = 64 << 20
PAGES = 1000

_COMMIT = re.compile(r"[0-9a-f]{40}")
_NEXT = re.compile(r'<([^<>]*)>\s*;[^,<>]*?\brel="?next\b')
_NEXT_STEP = "check HF_ENDPOINT, or use --mirror"
_LARGEST_FILE = 1 << 62


def find_commit(web: Web, endpoint: str, repository: str, revision: str) -> str:
    """Return the commit that a revision of a repository names.

    Raises
    ------
    TransportError
        If the hub cannot be reached, or has no such repository or revision.
    """
    quoted = urllib.parse.quote(revision, safe="")
    url = f"{endpoint}/api/datasets/{repository}/revision/{quoted}"
    where = f"hub {repository}"
    content, _, _ = _ask(web, url, where, Deadline(LISTING_SECONDS))
    commit = content.get("sha") if isinstance(content, dict) else None
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        msg = f"{where}: {shown(url)} names no commit of 40 hex digits; {_NEXT_STEP}"
        raise TransportError(msg)
    return commit


def list_folder(
    web: Web, endpoint: str, repository: str, commit: str, folder: str
) -> list[Listed]:
    """Return the files of a folder; none if there is no such folder.

    Parameters
    ----------
    web : Web
        Opens the pages.
    endpoint : str
        The hub's URL; every page must be there.
    repository, commit, folder : str
        The folder to list.

    Returns
    -------
    list of Listed
        With sizes, and digests where the hub has them. The paths are as unsafe as the
        hub that sent them.

    Raises
    ------
    TransportError
        If the hub cannot be reached, sends something else, or reaches a limit.
    """
    where = f"hub {repository}"
    url = f"{endpoint}/api/datasets/{repository}/tree/{commit}"
    url += f"/{urllib.parse.quote(folder)}?recursive=false&expand=false"
    deadline = Deadline(LISTING_SECONDS)
    files: list[Listed] = []
    size = 0
    for number in range(1, PAGES + 1):
        page = f"{where}: page {number} of its listing"
        content, following, page_size = _ask(web, url, page, deadline)
        files += _files_of(content, page)
        size += page_size
        if size > LISTING_BYTES:
            _too_much(where, f"{number} pages of more than {LISTING_BYTES} bytes")
        if not following:
            return files
        with contextlib.suppress(ValueError):
            following = urllib.parse.urljoin(url, following)
        url = following
        if not web.is_home(url):
            msg = (
                f"{page} continues at another host, {shown(url)}, which is not asked; "
                f"wanted {shown(endpoint)}; {_NEXT_STEP}"
            )
            raise TransportError(msg)
    _too_much(where, f"more than {PAGES} pages")
    raise AssertionError


def _too_much(where: str, amount: str) -> None:
    msg = f"{where}: its listing has {amount}, the limit; {_NEXT_STEP}"
    raise TransportError(msg)


def _ask(web: Web, url: str, where: str, deadline: Deadline) -> tuple[Any, str, int]:
    """Return an answer's JSON, the link to the next page, and its size in bytes."""

    def ask() -> tuple[bytes, str]:
        limit = Limit(min(REQUEST_SECONDS, deadline.left()), PAGE_BYTES)
        try:
            with web.open(url, limit) as answer:
                body = answer.read(PAGE_BYTES + 1)
                cut = bool(answer.length) and len(body) <= PAGE_BYTES
                link = _NEXT.search(answer.headers.get("Link", ""))
        except urllib.error.HTTPError as error:
            if error.headers.get("X-Error-Code") != "EntryNotFound":
                raise
            error.close()
            return b"[]", ""
        if len(body) > PAGE_BYTES:
            msg = f"more than {PAGE_BYTES} bytes arrived, the limit"
            raise RefusedAnswerError(msg)
        if cut:
            raise http.client.IncompleteRead(body)
        return body, link[1] if link else ""

    body, following = with_retries(ask, where, Path(), deadline)
    try:
        return json.loads(body), following, len(body)
    except (ValueError, RecursionError) as error:
        msg = f"{where}: {shown(url)} sent no JSON; {_NEXT_STEP}"
        raise TransportError(msg) from error


def _files_of(content: Any, where: str) -> list[Listed]:
    """Return the files of a page, and refuse a page of another form."""
    if not isinstance(content, list) or not all(isinstance(e, dict) for e in content):
        msg = f"{where} is not a list of entries; {_NEXT_STEP}"
        raise TransportError(msg)
    files = []
    for entry in content:
        if entry.get("type") != "file":
            continue
        path, size, stored = (entry.get(key) for key in ("path", "size", "lfs"))
        digest = stored.get("oid") if isinstance(stored, dict) else ""
        if (
            not isinstance(path, str)
            or type(size) is not int
            or not 0 <= size < _LARGEST_FILE
            or not isinstance(digest, str)
            or not re.fullmatch(r"([0-9a-f]{64})?", digest)
        ):
            msg = (
                f"{where} has a file without a valid path, size or digest "
                f"({path!r:.99}); {_NEXT_STEP}"
            )
            raise TransportError(msg)
        files.append(Listed(path, size, digest))
    return files
