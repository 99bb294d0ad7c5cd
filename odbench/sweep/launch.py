"""Start a detector's process: an empty folder, no secrets, one socket to the worker."""

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
# Variables that tell where data and labels are, or hold secrets, are removed.
_SECRET_PREFIXES = ("ODBENCH_", "HF_", "HUGGING_FACE", "AWS_", "SSH_")
_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "API_KEY")


def launch(
    folder: Path, *, mark: str, threads: int
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a process that answers requests.

    Parameters
    ----------
    folder : Path
        Its working folder, also for temporary files.
    mark : str
        Value of an environment variable by which it and its descendants are found.
    threads : int
        BLAS, OpenMP and numba threads.

    Returns
    -------
    tuple of (Popen, socket)
        The process and the socket that leads to it.
    """
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "odbench.sweep.child", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            # Discard anything the detector prints.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=_environment(folder, mark, threads),
            pass_fds=(theirs.fileno(),),
            # In a separate group it can be killed whole, and Ctrl-C does not reach it.
            start_new_session=True,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours


def has_cuda() -> bool:
    """Say whether CUDA is there; it reserves far more address space than it uses."""
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
    # Passed on: the user decides whether a detector may download weights.
    kept["HF_HUB_OFFLINE"] = os.environ.get("HF_HUB_OFFLINE", "0")
    kept.setdefault("MPLBACKEND", "Agg")
    return kept
