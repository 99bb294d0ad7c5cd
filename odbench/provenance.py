"""Installed packages, machine, git state and command line: what a run depends on."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

_CONTROL_GROUPS, _OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
# No machine has more bytes than a 64-bit number counts.
_MOST = 2**63
# Variables that choose the processor's instructions, and with them the last digits.
_INSTRUCTIONS = (
    "OPENBLAS_CORETYPE",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "ATEN_CPU_CAPABILITY",
    "NPY_DISABLE_CPU_FEATURES",
    "NUMBA_CPU_NAME",
    "NUMBA_CPU_FEATURES",
)
# Maximum depth of a run's ``run.json``; a real one has about five levels.
MAX_DEPTH = 50
PACKAGES = (
    "odbench",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "pyarrow",
    "numba",
    "joblib",
    "huggingface_hub",
    "pyod",
    "torch",
    "cupy",
)


def versions() -> dict[str, str]:
    """Return the versions of Python and of those `PACKAGES` that are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def entry_points(group: str) -> EntryPoints:
    """Return the entry points of a group, without importing their packages.

    The metadata of all packages is read once for all groups, and again after a change
    of ``sys.path``.
    """
    found: EntryPoints = _entry_points(tuple(sys.path)).select(group=group)
    return found


@functools.lru_cache(maxsize=4)
def _entry_points(path: tuple[str, ...]) -> Any:  # noqa: ARG001 - the cache's key
    return metadata.entry_points()


def machine() -> dict[str, Any]:
    """Return system, processor, cores and memory, nothing that identifies the owner."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": cores(),
        "memory_bytes": memory_bytes(),
    }


def linear_algebra() -> list[dict[str, str | None]]:
    """Return the loaded BLAS libraries: name, version, and the kernels that they use.

    Their kernels follow the processor, and the last digits of a score follow them.
    """
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    return [
        {
            "library": pool["internal_api"],
            "version": pool["version"],
            "kernels": pool.get("architecture"),
        }
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    ]


def instructions() -> dict[str, str]:
    """Return the environment variables that choose the processor's instructions."""
    return {name: os.environ[name] for name in _INSTRUCTIONS if name in os.environ}


def recorded_machine(value: object) -> dict[str, Any]:
    """Return those facts of a recorded machine that can be true of one.

    Parameters
    ----------
    value : object
        The entry ``machine`` of a ``run.json``, which anybody may have edited.

    Returns
    -------
    dict
        The facts of `machine` whose type and range fit; others are left out.
    """
    if not isinstance(value, dict):
        return {}
    words = {n: value.get(n) for n in ("system", "architecture", "processor")}
    counts = {n: value.get(n) for n in ("cores", "memory_bytes")}
    return {n: word for n, word in words.items() if isinstance(word, str) and word} | {
        n: count
        for n, count in counts.items()
        if type(count) is int and 0 < count < _MOST
    }


def recorded_run(file: Path) -> dict[str, Any]:
    """Return the content of a ``run.json``, which anybody may have edited.

    Parameters
    ----------
    file : Path
        The file.

    Returns
    -------
    dict
        Empty if the file is missing, is not a JSON object or is nested deeper than
        `MAX_DEPTH`, so that it can always be written again.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) and not is_deep(content) else {}


def is_deep(value: object, levels: int = MAX_DEPTH) -> bool:
    """Say whether lists and objects are nested deeper than `levels`."""
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(is_deep(each, levels - 1) for each in inside)


def cores() -> int:
    """Return the number of cores that this process may use, also in a container.

    Raises
    ------
    UsageError
        If LOKY_MAX_CPU_COUNT is not a number.
    """
    from joblib import cpu_count

    try:
        counted = int(cpu_count())
    except ValueError:
        value = os.environ.get("LOKY_MAX_CPU_COUNT", "")
        msg = f"LOKY_MAX_CPU_COUNT: got {value!r}, wanted a whole number, or none"
        raise UsageError(msg) from None
    return max(1, min([counted, *_quotas()]))


def _quotas() -> Iterator[int]:
    """Yield the cores that the quotas of this process's control groups allow.

    joblib knows those of the outermost group alone.
    """
    for folder in groups_of("cpu"):
        with contextlib.suppress(OSError, ValueError):
            quota, period = _quota(folder)
            if quota > 0 < period:
                yield math.ceil(quota / period)


def _quota(folder: Path) -> tuple[int, int]:
    """Return the microseconds of a control group, and those of its period."""
    if (folder / "cpu.max").exists():
        quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        return int(quota), int(period)
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    quota, period = ((folder / name).read_text(encoding="ascii") for name in names)
    return int(quota), int(period)


def memory_bytes() -> int:
    """Return the memory that this process may use, also in a container."""
    import psutil

    return min([psutil.virtual_memory().total, *_container_limits()])


def _container_limits() -> Iterator[int]:
    """Yield the memory limits of this process's control groups and those above."""
    for folder in groups_of("memory"):
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            with contextlib.suppress(OSError, ValueError):
                yield int((folder / name).read_text(encoding="ascii"))


def groups_of(controller: str) -> Iterator[Path]:
    """Yield the folders of the control groups that bound this process.

    Of both versions of control groups, and with the groups above.

    Parameters
    ----------
    controller : str
        The resource: ``memory`` or ``cpu``.
    """
    try:
        lines = _OWN_GROUPS.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = _CONTROL_GROUPS / (controller if controllers else "")
        here = root / path.lstrip("/")
        # In a container, the path may be that of the host, and its root is ours.
        for folder in (root, here, *here.parents):
            if not folder.is_relative_to(root):
                break
            yield folder


def git_state(folder: Path) -> dict[str, Any] | None:
    """Return the commit of the work tree around a folder, and whether it is dirty.

    Parameters
    ----------
    folder : Path
        Any folder.

    Returns
    -------
    dict or None
        ``commit`` and ``dirty``; None outside a work tree or without git.
    """
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        dirty = bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "dirty": dirty}


def command() -> list[str]:
    """Return the command line of this process, without the program's folder."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return ["python", "-m", program.parent.name, *sys.argv[1:]]
    return [program.name, *sys.argv[1:]]


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        # A reader must not leave a lock in the user's repository when it is ended.
        ["git", "--no-optional-locks", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return done.stdout.strip()


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open() as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()
