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

from odbench.files import lock

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


class WorkingFolder:
    """A folder in which a detector's process works.

    It is locked for as long as this process lives, so that any other process can tell
    a folder in use from one that was left behind.

    Parameters
    ----------
    token : str
        The token of its run, by which `remove_working_folders` finds it.

    Attributes
    ----------
    path : Path
        The folder, empty at first.
    """

    def __init__(self, token: str) -> None:
        self._handle = -1
        is_taken = True
        while is_taken:
            self.path = Path(tempfile.mkdtemp(prefix=f"odbench-{token}-"))
            # A run that looks for folders left behind may find it before it is locked.
            is_taken = not self._lock()

    def _lock(self) -> bool:
        """Lock the folder where there are locks; return False if another run did."""
        self._handle = _open_folder(self.path)
        is_taken = False
        try:
            if self._handle >= 0:
                lock(self._handle)
        except BlockingIOError:
            is_taken = True
        except OSError:
            pass  # A run that looks for folders left behind cannot lock it either.
        if is_taken or not self.path.exists():
            self._let_go()
            return False
        return True

    def _let_go(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def remove(self) -> None:
        """Remove the folder and what is in it, and let go of the lock."""
        remove_tree(self.path)
        self._let_go()


def remove_working_folders(token: str = "") -> None:
    """Remove those of a run on this machine, and those whose process has ended.

    Parameters
    ----------
    token : str, default=""
        The token of a run whose processes have ended or were killed. Only its folders
        are removed where the disk has no locks.
    """
    for folder in Path(tempfile.gettempdir()).glob("odbench-*-*"):
        its = folder.name.split("-")[1]
        if not _TOKEN.fullmatch(its):
            continue
        if its == token:
            remove_tree(folder)
        else:
            _remove_if_left_behind(folder)


def _remove_if_left_behind(folder: Path) -> None:
    """Remove a working folder that no process locks."""
    handle = _open_folder(folder)
    if handle >= 0:
        with contextlib.suppress(OSError):
            if lock(handle):
                remove_tree(folder)
        os.close(handle)


def _open_folder(folder: Path) -> int:
    """Open a folder to lock it; -1 where that cannot be done."""
    if not hasattr(os, "O_DIRECTORY"):
        return -1
    with contextlib.suppress(OSError):
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    return -1


def remove_tree(folder: Path) -> None:
    """Remove a folder, even one nested deeper than Python can recurse."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False)
