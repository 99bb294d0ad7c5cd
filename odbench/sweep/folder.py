"""The folder of a run: its lock and its ``run.json``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from odbench import provenance
from odbench.errors import RunLockedError
from odbench.files import lock, write_text
from odbench.sweep.request import RunRequest

_LOCK = ".lock"
# An object with an array may be printed in megabytes.
_OBJECT_LENGTH = 1000


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the folder against other runs while the block lasts.

    On a disk without locks, a line warns that nothing keeps another run away.

    Raises
    ------
    RunLockedError
        If another process holds the lock.
    """
    path = folder / _LOCK
    with path.open("a+", encoding="ascii") as file:
        try:
            if not lock(file):
                sys.stderr.write(
                    f"odbench: {str(folder)!r} is on a disk without locks: let no "
                    f"other run write to it\n"
                )
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            msg = (
                f"run {str(folder)!r}: process {holder} is writing to it; wait for "
                f"it, or name another folder"
            )
            raise RunLockedError(msg) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def writer_of(folder: Path) -> str:
    """Return the number of the process that writes to a run's folder, or ``""``.

    It is empty as well where that cannot be found out: on a disk without locks, or in
    a folder that may not be written to.
    """
    try:
        # Some network disks lock only what is open for writing.
        with (folder / _LOCK).open("r+", encoding="ascii") as file:
            try:
                lock(file)
            except BlockingIOError:
                return file.read().strip() or "unknown"
    except OSError:
        pass
    return ""


def write_run(request: RunRequest, configurations: dict[str, dict[str, Any]]) -> None:
    """Write ``run.json``: the request, versions, machine and configurations.

    Configurations of earlier runs in the same folder are kept, because their results
    are.

    Parameters
    ----------
    request : RunRequest
        The request.
    configurations : dict
        ``config_id`` -> parameters.
    """
    path = request.folder / "run.json"
    asked = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(request).items()
        if name not in {"detectors", "out"}
    }
    asked["detectors"] = (
        None if request.detectors is None else list(map(_told, request.detectors))
    )
    entry = {
        "command": provenance.command(),
        "asked": asked,
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "linear_algebra": provenance.linear_algebra(),
        "instructions": provenance.instructions(),
        "threads_per_worker": 1,
        "git": provenance.git_state(Path.cwd()),
        "configurations": {**_earlier_configurations(path), **configurations},
    }
    write_text(path, json.dumps(entry, indent=2, default=str) + "\n")


def _told(detector: object) -> str:
    """Return a detector as it was given; an object as the start of its text."""
    if isinstance(detector, str):
        return detector
    try:
        return str(detector)[:_OBJECT_LENGTH]
    except Exception:
        # A stranger's object may raise anything here.
        return type(detector).__name__


def describes(folder: Path, configurations: Mapping[str, Any]) -> bool:
    """Say whether ``run.json`` has all these configurations.

    If no trial is left to run, it then stays as it is: it says on which machine, and
    in which sandbox, the results were made.
    """
    return configurations.keys() <= _earlier_configurations(folder / "run.json").keys()


def note_sandbox(folder: Path, layers: tuple[str, ...]) -> None:
    """Add to ``run.json`` which layers of the sandbox hold on this machine."""
    path = folder / "run.json"
    entry = provenance.recorded_run(path)
    entry["sandbox"] = list(layers)
    write_text(path, json.dumps(entry, indent=2) + "\n")


def _earlier_configurations(path: Path) -> dict[str, Any]:
    # Missing or broken: the parameters only describe results.
    earlier = provenance.recorded_run(path).get("configurations")
    return earlier if isinstance(earlier, dict) else {}
