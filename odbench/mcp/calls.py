"""Start a process for each call, and end it when its time is over."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import ByteReceiveStream

from odbench.errors import RunBrokenError, UsageError
from odbench.mcp.child import MOST_BYTES
from odbench.mcp.ending import end_group


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of every call.

    Attributes
    ----------
    folder : Path
        The folder whose files a client may read.
    seconds : float
        Time of one call.
    memory : int
        Bytes of memory of one call.
    most_bytes : int
        Bytes of the largest file that is read.
    scratch : Path or None
        The folder for temporary files; None for that of the system.
    """

    folder: Path
    seconds: float = 120.0
    memory: int = 4 << 30
    most_bytes: int = 256 << 20
    scratch: Path | None = None


async def call(task: str, arguments: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Do a task in a new process.

    Parameters
    ----------
    task : str
        A name in `odbench.mcp.tasks.TASKS`.
    arguments : dict
        Its keyword arguments.
    limits : Limits

    Returns
    -------
    dict
        The answer of the task.

    Raises
    ------
    UsageError
        If the call is wrong; one line.
    RunBrokenError
        If it takes too long, or its process ends early.
    """
    with tempfile.TemporaryDirectory(prefix="call-", dir=limits.scratch) as scratch:
        request = {
            "task": task,
            "arguments": arguments,
            "folder": str(limits.folder),
            "most_bytes": limits.most_bytes,
            "memory": limits.memory,
            "scratch": scratch,
            "server": os.getpid(),
        }
        try:
            with anyio.fail_after(limits.seconds):
                answer, code = await _exchange(request, Path(scratch))
        except TimeoutError:
            msg = (
                f"took more than {limits.seconds:g} seconds; try a smaller table or a "
                f"faster detector, or start the server with more --timeout"
            )
            raise RunBrokenError(msg) from None
    if not answer:
        msg = f"its process ended early (exit status {code}); try a smaller table"
        raise RunBrokenError(msg)
    told: dict[str, Any] = json.loads(answer)
    if "error" in told:
        raise UsageError(str(told["error"]))
    return dict(told["result"])


async def _exchange(request: dict[str, Any], scratch: Path) -> tuple[bytes, int]:
    """Send a request to a new process; return its answer and its exit status."""
    process = await anyio.open_process(
        [sys.executable, "-P", "-m", "odbench.mcp.child"],
        cwd=scratch,
        env=_environment(scratch),
        stderr=None,
        start_new_session=True,
    )
    try:
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018
        with contextlib.suppress(anyio.BrokenResourceError):
            await process.stdin.send(json.dumps(request).encode() + b"\n")
        answer = await _read(process.stdout)
        return answer, await process.wait()
    finally:
        end_group(process.pid)
        with anyio.CancelScope(shield=True):
            await process.aclose()


async def _read(stream: ByteReceiveStream) -> bytes:
    answer = b""
    async for part in stream:
        answer += part
        if len(answer) > MOST_BYTES:
            return b""
    return answer


def _environment(scratch: Path) -> dict[str, str]:
    """Return the variables of a call: temporary files in its own folder, no network."""
    from odbench.sweep.places import HOME, kernels_of

    own = {
        "TMPDIR": str(scratch),
        "NUMBA_CACHE_DIR": str(kernels_of(HOME)),
        "MPLBACKEND": "Agg",
        "HF_HUB_OFFLINE": "1",
        # Its semaphores lie in a folder that the call cannot reach.
        "JOBLIB_MULTIPROCESSING": "0",
    }
    return {**os.environ, **own}
