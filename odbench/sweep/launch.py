"""Start a detector's process: an empty folder, no secrets, one line to the worker."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from odbench.sweep.processes import MARK

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
# Where data, labels and secrets are; a detector has no business to know.
_SECRET_PREFIXES = ("ODBENCH_", "HF_", "HUGGING_FACE", "AWS_", "SSH_")
_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "API_KEY")


def launch(
    folder: Path, *, mark: str, threads: int
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a process that answers requests.

    Parameters
    ----------
    folder : Path
        Where it works and puts its temporary files.
    mark : str
        What it and everything that it starts carry, so that all can be found.
    threads : int
        BLAS, OpenMP and numba threads.

    Returns
    -------
    tuple of (Popen, socket)
        The process and the line to it.
    """
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "odbench.sweep.child", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            # Whatever a detector prints, a gigabyte of it too, is nobody's output.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=_environment(folder, mark, threads),
            pass_fds=(theirs.fileno(),),
            # A group of its own: it can be killed whole, and Ctrl-C passes it by.
            start_new_session=True,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours


def has_cuda() -> bool:
    """Say whether there is CUDA: it reserves address space far beyond what it uses."""
    return Path("/dev/nvidiactl").exists()


def _environment(folder: Path, mark: str, threads: int) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_SECRET_PREFIXES)
        and not any(word in name.upper() for word in _SECRET_WORDS)
    }
    kept.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    kept.update({MARK: mark, "TMPDIR": str(folder)})
    # Weights are loaded by the user beforehand; a trial is no place to download.
    kept["HF_HUB_OFFLINE"] = os.environ.get("HF_HUB_OFFLINE", "0")
    kept.setdefault("MPLBACKEND", "Agg")
    return kept
