"""Folders that detectors may write to: their own files, and compiled kernels."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

# The group of odbench's own detectors, which run in one process. No other group begins
# without `STRANGER`, regardless of a detector's name.
HOME = "odbench"
STRANGER = "detector "
_WRITABLE_BY_OTHERS = 0o022
_LENGTH = 100
_TOKEN = re.compile(r"[0-9a-f]{16}")


def place_of(group: str) -> Path:
    """Return the folder in which a detector may keep files between runs.

    Parameters
    ----------
    group : str
        `HOME`, or `STRANGER` followed by the name of another detector.
    """
    from odbench.data.store import Store

    root = Store.default().root
    if group == HOME:
        return _first_writable([root]) / "zoo"
    name = re.sub(r"[^A-Za-z0-9._-]", "_", group.removeprefix(STRANGER))[:_LENGTH]
    digest = hashlib.sha256(group.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return _first_writable([root / "detectors"]) / f"{name}-{digest}"


def kernels_of(group: str) -> Path:
    """Return the folder in which numba keeps the code compiled for a detector.

    Compiled code is trusted, so only odbench's own detectors write to the folder that
    they share. It is that of the platform where possible: another cache of data sets
    needs no other kernels.
    """
    if group != HOME:
        return place_of(group) / "numba"
    import platformdirs

    from odbench.data.store import Store

    places = [Store.default().root]
    with contextlib.suppress(RuntimeError, OSError, ValueError):
        own = platformdirs.user_cache_dir("odbench", appauthor=False)
        places.insert(0, Path(own).absolute())
    return _first_writable(places) / "kernels"


def _first_writable(folders: list[Path]) -> Path:
    """Return the first folder that files can be added to, or a temporary one."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    user = f"{os.getuid()}" if hasattr(os, "getuid") else "user"
    shared = Path(tempfile.gettempdir()) / f"odbench-{user}"
    with contextlib.suppress(OSError):
        shared.mkdir(mode=0o700, exist_ok=True)
        facts = shared.lstat()
        is_ours = not hasattr(os, "getuid") or facts.st_uid == os.getuid()
        is_private = not facts.st_mode & _WRITABLE_BY_OTHERS
        if stat.S_ISDIR(facts.st_mode) and is_ours and is_private:
            return shared
    return Path(tempfile.mkdtemp(prefix="odbench-own-"))


def working_folder(token: str) -> Path:
    """Make the folder in which a detector's process works.

    Parameters
    ----------
    token : str
        The token of its run, by which `remove_working_folders` finds it.
    """
    return Path(tempfile.mkdtemp(prefix=f"odbench-{token}-"))


def remove_working_folders(token: str) -> None:
    """Remove those that a run left on this machine, as killed workers do.

    Parameters
    ----------
    token : str
        The token of the run. Nothing is removed for any other text.
    """
    if _TOKEN.fullmatch(token):
        for folder in Path(tempfile.gettempdir()).glob(f"odbench-{token}-*"):
            remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove a folder, even one nested deeper than Python can recurse."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False)
