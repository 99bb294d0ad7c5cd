"""Retry calls to the hub, and report failures in one line."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from odbench.data.disk import as_store_error
from odbench.errors import OdbenchError, TransportError
from odbench.files import is_local

T = TypeVar("T")

# Seconds to wait before each retry.
WAITS = (1.0, 2.0, 4.0, 8.0)


def with_retries(call: Callable[[], T], subject: str, scratch: Path) -> T:
    """Call a function, and retry it after temporary failures.

    Parameters
    ----------
    call : callable
        A function that asks the hub.
    subject : str
        The repository or data set, for the message.
    scratch : Path
        The folder that the call writes to, for the message of a full disk.

    Raises
    ------
    TransportError
        If the call keeps failing, or fails permanently.
    StoreError
        If the disk is full or cannot be written.
    """
    for wait in (*WAITS, None):
        try:
            return call()
        except OdbenchError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and is_local(error):
                raise as_store_error(error, scratch) from error
            if wait is None or not _is_temporary(error):
                msg = f"{subject}: {_reason(error)}"
                raise TransportError(msg) from error
            time.sleep(wait)
    raise AssertionError


def _is_temporary(error: Exception) -> bool:
    """Tell whether a failure is temporary."""
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
        return _is_temporary(cause)
    if isinstance(error, OfflineModeIsEnabled):
        return False
    # A name that cannot be resolved or a closed port is not temporary.
    names = {base.__name__ for base in type(error).__mro__}
    if "ConnectError" in names:
        return False
    return bool(names & {"TransportError", "OSError"})


def _reason(error: Exception) -> str:
    """Return one line with the reason of a failure and the next step."""
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
