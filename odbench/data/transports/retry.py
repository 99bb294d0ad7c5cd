"""Calls to the hub that are tried again, and failures told in one line."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from odbench.data.disk import as_store_error
from odbench.errors import OdbenchError, TransportError
from odbench.files import is_local

T = TypeVar("T")

# Seconds before each further attempt at what failed for a passing reason.
WAITS = (1.0, 2.0, 4.0, 8.0)


def patiently(call: Callable[[], T], what: str, scratch: Path) -> T:
    """Call again after failures that pass, and name those that stay.

    Parameters
    ----------
    call : callable
        Asks the hub.
    what : str
        What it is about, for the message.
    scratch : Path
        Where it writes to, for the message of a full disk.

    Raises
    ------
    TransportError
        If the hub does not deliver.
    StoreError
        If the disk does not take it.
    """
    for wait in (*WAITS, None):
        try:
            return call()
        except OdbenchError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and is_local(error):
                raise as_store_error(error, scratch) from error
            if wait is None or not _passes(error):
                msg = f"{what}: {_reason(error)}"
                raise TransportError(msg) from error
            time.sleep(wait)
    raise AssertionError


def _passes(error: Exception) -> bool:
    """Whether a failure may be gone in a moment."""
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    if isinstance(error, HfHubHTTPError):
        status = getattr(error.response, "status_code", 0)
        return status in (408, 425, 429) or status >= 500
    cause = error.__cause__
    if isinstance(error, LocalEntryNotFoundError) and isinstance(cause, Exception):
        return _passes(cause)
    if isinstance(error, OfflineModeIsEnabled):
        return False
    # A name that cannot be looked up or a port that nobody listens on stays so.
    names = {base.__name__ for base in type(error).__mro__}
    if "ConnectError" in names:
        return False
    return bool(names & {"TransportError", "OSError"})


def _reason(error: Exception) -> str:
    """Return one line that says what happened and what to do."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    chain: list[BaseException] = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    for link in chain:
        if isinstance(link, OfflineModeIsEnabled):
            return (
                "HF_HUB_OFFLINE is set and it is not in the hub's cache; use --mirror"
            )
        if isinstance(link, (GatedRepoError, RepositoryNotFoundError)):
            return "the hub has no such repository, or HF_TOKEN gives no access to it"
        if isinstance(link, HfHubHTTPError):
            status = getattr(link.response, "status_code", "?")
            return f"the hub answered with status {status}; try again later"
    text = (str(chain[-1]).splitlines() or [""])[0][:200]
    return (
        f"the hub cannot be reached ({type(chain[-1]).__name__}: {text}); check the "
        f"network and HF_ENDPOINT, or use --mirror"
    )
