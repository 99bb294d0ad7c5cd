"""Find published checkpoints in the hub's cache, or download them.

The hub's own client is used, so that its cache, ``HF_ENDPOINT`` and ``HF_HUB_OFFLINE``
work as everywhere. Only the driver of a run downloads, before the first trial.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from odbench.data.transports.hub import hub_cache
from odbench.detector import Weights
from odbench.errors import (
    DataError,
    MissingWeightsError,
    OdbenchError,
    TransportError,
)
from odbench.files import at_home
from odbench_detectors.foundation.manifest import Checkpoint, checkpoints
from odbench_detectors.foundation.weights import MAX_BYTES


def weights_of(
    files: Mapping[str, str],
    given: Mapping[str, object],
    check: Callable[[Path], object],
) -> tuple[Weights, ...]:
    """Return the files that a detector loads, for `odbench.detector.DetectorInfo`.

    Parameters
    ----------
    files : mapping of str to str
        Parameter of the detector -> name of a checkpoint in the manifest.
    given : mapping
        The detector's parameters. A path given for one of `files` replaces the
        published checkpoint.
    check : callable
        Reads a file as the detector does, and raises a `DataError` if it cannot.
    """
    return tuple(
        _weights(parameter, checkpoints()[name], str(given.get(parameter) or ""), check)
        for parameter, name in files.items()
    )


def located(name: str, path: str) -> Path:
    """Return the file that a detector opens; nothing is downloaded.

    Parameters
    ----------
    name : str
        A checkpoint of the manifest.
    path : str
        The path that the detector was given, or empty: the hub's cache is searched.

    Raises
    ------
    MissingWeightsError
        If it is not on this machine.
    """
    checkpoint = checkpoints()[name]
    if path:
        return _given(path, checkpoint)
    found = find(checkpoint)
    if found is None:
        raise MissingWeightsError(_missing(checkpoint, "is not on this machine"))
    return found


def find(checkpoint: Checkpoint) -> Path | None:
    """Return the path of a checkpoint in the hub's cache, or None."""
    from huggingface_hub import try_to_load_from_cache

    if not checkpoint.file:
        return None
    found = try_to_load_from_cache(
        checkpoint.repository,
        checkpoint.file,
        cache_dir=hub_cache(),
        revision=checkpoint.revision,
    )
    return Path(found) if isinstance(found, str) else None


def fetch(checkpoint: Checkpoint) -> Path:
    """Download a checkpoint into the hub's cache, unless it is there.

    Parameters
    ----------
    checkpoint : Checkpoint
        From the manifest.

    Returns
    -------
    Path
        In the hub's cache.

    Raises
    ------
    MissingWeightsError
        If odbench may not or cannot download it; the message has the command that
        helps.
    DataError
        If the hub's file is larger than any checkpoint that is read, or has another
        size than the manifest says.
    """
    if not checkpoint.file:
        raise MissingWeightsError(_bring(checkpoint))
    found = find(checkpoint)
    if found is not None:
        return found
    if _is_offline():
        raise MissingWeightsError(_missing(checkpoint, "HF_HUB_OFFLINE is set"))
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return _download(checkpoint)
    except OdbenchError:
        raise
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "an error")
        raise TransportError(_missing(checkpoint, f"answered {status}")) from error
    except OSError as error:
        reason = " ".join((error.strerror or str(error)).split())[:120]
        raise TransportError(_missing(checkpoint, f"not fetched: {reason}")) from error
    except Exception as error:
        # The client raises the errors of its HTTP library unchanged.
        reason = f"cannot be reached ({type(error).__name__})"
        raise TransportError(_missing(checkpoint, reason)) from error


def _download(checkpoint: Checkpoint) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    place: dict[str, Any] = {
        "repo_id": checkpoint.repository,
        "filename": checkpoint.file,
        "revision": checkpoint.revision,
        "endpoint": os.environ.get("HF_ENDPOINT") or None,
    }
    size = get_hf_file_metadata(hf_hub_url(**place)).size or 0
    if size > MAX_BYTES or (checkpoint.size and size != checkpoint.size):
        wanted = f"{checkpoint.size or MAX_BYTES:,}"
        msg = (
            f"checkpoint {checkpoint.label}: the hub's file has {size:,} bytes, wanted "
            f"{'' if checkpoint.size else 'at most '}{wanted}; pass another file as "
            f"checkpoint=PATH"
        )
        raise DataError(msg)
    return Path(hf_hub_download(cache_dir=hub_cache(), **place))


def _weights(
    parameter: str,
    checkpoint: Checkpoint,
    path: str,
    check: Callable[[Path], object],
) -> Weights:
    look: Callable[[], Path | None] = partial(find, checkpoint)
    obtain: Callable[[], Path] = partial(fetch, checkpoint)
    if path:
        look = obtain = partial(_given, path, checkpoint)
    return Weights(
        name=path or checkpoint.label,
        parameter=parameter,
        find=look,
        fetch=obtain,
        sha256="" if path else checkpoint.sha256,
        check=check,
    )


def _given(path: str, checkpoint: Checkpoint) -> Path:
    file = at_home(Path(path)).absolute()
    if not file.is_file():
        msg = (
            f"checkpoint {path!r}: no such file; wanted a checkpoint like that of "
            f"{checkpoint.repository}"
        )
        raise MissingWeightsError(msg)
    return file


def _is_offline() -> bool:
    from huggingface_hub import is_offline_mode

    named = os.environ.get("HF_HUB_OFFLINE", "").upper()
    return is_offline_mode() or named in {"1", "ON", "YES", "TRUE"}


def _missing(checkpoint: Checkpoint, reason: str) -> str:
    if not checkpoint.file:
        return _bring(checkpoint)
    return (
        f"checkpoint {checkpoint.label}: {reason}; where there is a network: "
        f"`{checkpoint.command}`, or pass its file as checkpoint=PATH"
    )


def _bring(checkpoint: Checkpoint) -> str:
    return (
        f"checkpoint {checkpoint.repository}: is published without a licence, so "
        f"odbench does not download it; get it from its authors and pass its file as "
        f"checkpoint=PATH"
    )
