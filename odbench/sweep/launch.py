"""Start a detector's process: an empty folder, no secrets, one socket to the worker."""

from __future__ import annotations

import os
import site
import socket
import subprocess
import sys
from pathlib import Path

from odbench.sweep.channel import Channel, PipeChannel, SocketChannel
from odbench.sweep.handover import can_pass_descriptors
from odbench.sweep.processes import MARK

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
    # joblib takes it for the number of cores, and so does n_jobs=-1.
    "LOKY_MAX_CPU_COUNT",
)
# Variables that a detector's process gets; others may hold secrets. A name that ends in
# an underscore stands for all names that begin with it.
_PASSED_ON = (
    "PATH",
    "LANG",
    "LANGUAGE",
    "LC_",
    "TZ",
    "TERM",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONHASHSEED",
    "PYTHONUTF8",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CUDA_",
    "NVIDIA_",
    "ROCM_",
    "HIP_",
    "OMP_",
    "OPENBLAS_",
    "MKL_",
    "ATEN_",
    "NPY_",
    "KMP_",
    "NUMBA_",
    "CUPY_",
    "PYTORCH_",
    "TORCH_HOME",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_",
    "REQUESTS_CA_BUNDLE",
    "MPLBACKEND",
    "SYSTEMROOT",
    "COVERAGE_",
)
# The folder in which a detector may keep files, such as weights, between runs.
PLACE = "ODBENCH_DETECTOR_CACHE"


def launch(
    folder: Path, place: Path, kernels: Path, *, mark: str, threads: int
) -> tuple[subprocess.Popen[bytes], Channel, int]:
    """Start a process that answers requests.

    Parameters
    ----------
    folder : Path
        Its working folder, also for temporary files.
    place : Path
        The folder in which it may keep files between runs.
    kernels : Path
        The folder in which numba keeps compiled code.
    mark : str
        Value of an environment variable by which it and its descendants are found.
    threads : int
        BLAS, OpenMP and numba threads.

    Returns
    -------
    tuple of (Popen, channel, int)
        The process, the channel that leads to it, and a descriptor to keep open: the
        process ends when it is closed, also by the end of this process. It is -1 where
        the channel itself serves for that.
    """
    environment = _environment(folder, place, kernels, mark, threads)
    command = [sys.executable, "-P", "-m", "odbench.sweep.child"]
    if not can_pass_descriptors():
        process = subprocess.Popen(
            [*command, "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        return process, PipeChannel(process), -1
    ours, theirs = socket.socketpair()
    watched, lifeline = os.pipe()
    try:
        process = subprocess.Popen(
            [*command, str(theirs.fileno()), str(watched)],
            stdin=subprocess.DEVNULL,
            # Discard anything the detector prints.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment,
            pass_fds=(theirs.fileno(), watched),
            # In a separate group it can be killed whole, and Ctrl-C does not reach it.
            start_new_session=True,
        )
    except BaseException:
        ours.close()
        os.close(lifeline)
        raise
    finally:
        theirs.close()
        os.close(watched)
    return process, SocketChannel(ours), lifeline


def has_cuda() -> bool:
    """Check for CUDA, which reserves far more address space than it uses."""
    return Path("/dev/nvidiactl").exists()


def _environment(
    folder: Path, place: Path, kernels: Path, mark: str, threads: int
) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if any(
            name.upper() == known or (known[-1] == "_" and name.startswith(known))
            for known in _PASSED_ON
        )
    }
    kept.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    kept.update(
        {
            MARK: mark,
            PLACE: str(place),
            "TMPDIR": str(folder),
            # Libraries write to the home folder, where labels may be hidden.
            "HOME": str(place),
            "XDG_CACHE_HOME": str(place / ".cache"),
            "NUMBA_CACHE_DIR": str(kernels),
            "PYTHONUSERBASE": site.getuserbase(),
            # The user's own holds data sets with labels.
            "HF_HUB_CACHE": str(place / "hub"),
        }
    )
    # Passed on: the user decides whether a detector may download weights.
    kept.setdefault("HF_HUB_OFFLINE", "0")
    kept.setdefault("MPLBACKEND", "Agg")
    return kept
