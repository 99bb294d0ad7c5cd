"""Use a CUDA device: find it, check its free memory, copy to and from it."""

from __future__ import annotations

import importlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from odbench.errors import DetectorError, MissingExtraError
from odbench_detectors.shared.columns import SortedColumns, ranges

# Size of a table, in values, from which "auto" uses the GPU: the copy costs more than
# it saves for smaller tables.
LARGE = 1 << 24
_MIB = 1 << 20


def choose(device: Literal["auto", "cpu", "cuda"], n_values: int) -> ModuleType | None:
    """Choose where to compute.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        The user's choice.
    n_values : int
        Rows times columns of the train table.

    Returns
    -------
    module or None
        CuPy, or None for the CPU.

    Raises
    ------
    MissingExtraError
        If "cuda" was asked for and CuPy is not installed.
    DetectorError
        If "cuda" was asked for and CuPy finds no device.
    """
    if device == "cpu" or (device == "auto" and n_values < LARGE):
        return None
    try:
        return find_cupy()
    except DetectorError:
        if device == "auto":
            return None
        raise


def find_cupy() -> ModuleType:
    """Import CuPy and check that it finds a device.

    Raises
    ------
    MissingExtraError
        If CuPy is not installed.
    DetectorError
        If CuPy finds no device.
    """
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        msg = (
            "device 'cuda' needs CuPy, which is not installed: "
            "pip install 'odbench[gpu]', or take device 'cpu'"
        )
        raise MissingExtraError(msg) from error
    try:
        found = int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError as error:
        found, reason = 0, str(error)
    else:
        reason = "0 devices"
    if not found:
        msg = f"device 'cuda': CuPy sees no GPU ({reason}): take device 'cpu'"
        raise DetectorError(msg)
    return cupy


def check_room(n_bytes: int, xp: ModuleType) -> None:
    """Check that the device has enough free memory.

    Raises
    ------
    DetectorError
        If it does not.
    """
    if xp is np:
        return
    free = xp.cuda.runtime.memGetInfo()[0] + xp.get_default_memory_pool().free_bytes()
    if n_bytes > free:
        msg = (
            f"device 'cuda': the sorted columns need {n_bytes // _MIB} MiB, "
            f"{free // _MIB} MiB are free: take device 'cpu', or blocks of columns "
            "(ECOD.tail_sums)"
        )
        raise DetectorError(msg)


def to_host(array: Any, xp: ModuleType) -> NDArray[Any]:
    """Return an array of the device as a NumPy array."""
    return np.asarray(array if xp is np else xp.asnumpy(array))


def columns_to_host(columns: SortedColumns, xp: ModuleType) -> SortedColumns:
    """Return sorted columns with their values as a NumPy array."""
    return replace(columns, values=to_host(columns.values, xp))


def upload_columns(
    X: NDArray[Any], out: Any, *, xp: ModuleType, budget: int, n_jobs: int = 1
) -> None:
    """Copy a table's columns into the rows of a device array.

    Parameters
    ----------
    X : NumPy array of shape (n_rows, n_columns)
        Any layout.
    out : device array of shape (n_columns, n_rows)
        Overwritten.
    xp : module
        CuPy, or NumPy.
    budget : int
        Bytes of device memory for the blocks in transfer.
    n_jobs : int
        Threads that copy into page-locked memory, which the device reads faster.
    """
    if X.flags.f_contiguous and not X.flags.c_contiguous:
        source, target = X.T, out
    else:
        source, target = X, out.T
    step = max(1, min(budget, 64 * _MIB) // max(1, source[:1].nbytes))
    if xp is np:
        for first in range(0, source.shape[0], step):
            target[first : first + step] = source[first : first + step]
        return
    _upload(np.ascontiguousarray(source), target, step, n_jobs, xp)


def _upload(
    source: NDArray[Any], target: Any, step: int, n_jobs: int, xp: ModuleType
) -> None:
    """Copy rows through two alternating page-locked buffers."""
    step = min(step, source.shape[0])
    nbytes = source[:step].nbytes
    locked = [xp.cuda.alloc_pinned_memory(nbytes) for _ in range(2)]
    buffers = [
        np.frombuffer(memory, source.dtype, source[:step].size).reshape(
            step, *source.shape[1:]
        )
        for memory in locked
    ]
    arrived = [xp.empty(buffers[0].shape, source.dtype) for _ in range(2)]
    events = [xp.cuda.Event() for _ in range(2)]
    stream = xp.cuda.get_current_stream()
    threads = n_jobs if n_jobs > 0 else os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        for turn, first in enumerate(range(0, source.shape[0], step)):
            k = turn % 2
            rows = source[first : first + step]
            events[k].synchronize()
            _copy(rows, buffers[k][: len(rows)], threads, pool)
            arrived[k][: len(rows)].set(buffers[k][: len(rows)], stream=stream)
            target[first : first + len(rows)] = arrived[k][: len(rows)]
            events[k].record(stream)
    stream.synchronize()


def _copy(
    rows: NDArray[Any], out: NDArray[Any], threads: int, pool: ThreadPoolExecutor
) -> None:
    """Copy in several threads; NumPy releases the interpreter's lock."""
    parts: list[Future[None]] = [
        pool.submit(np.copyto, out[a:b], rows[a:b])
        for a, b in ranges(len(rows), threads)
    ]
    for part in parts:
        part.result()
