"""One call in a process of its own, which is limited, read-only and may be ended.

Reads a request from stdin, one line of JSON, and writes an answer to stdout:
``{"result": ...}`` or ``{"error": "one line"}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from odbench.errors import OdbenchError
from odbench.mcp.advice import for_client
from odbench.mcp.folder import Folder
from odbench.text import printable

# Bytes of an answer.
MOST_BYTES = 1 << 20
# Threads and compiled code need memory besides the data.
_SLACK = 1 << 30


def main() -> None:
    """Answer one request."""
    from odbench.sweep.orphans import end_with

    # Detectors may print; the answer goes where they cannot.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    end_with(request["server"])
    answers.write(_answer(request))
    answers.close()


def _answer(request: dict[str, Any]) -> bytes:
    closed = _confine(Path(request["scratch"]), request["memory"])
    folder = Folder(
        Path(request["folder"]), most_bytes=request["most_bytes"], closed=closed
    )
    told = json.dumps(_attempt(folder, request), ensure_ascii=False, default=str)
    answer = told.encode("utf-8", "backslashreplace")
    if len(answer) > MOST_BYTES:
        msg = f"the answer has more than {MOST_BYTES >> 10} KiB; ask for fewer rows"
        return json.dumps({"error": msg}).encode()
    return answer


def _attempt(folder: Folder, request: dict[str, Any]) -> dict[str, Any]:
    from odbench.mcp.tasks import answer

    try:
        return {"result": answer(folder, request["task"], request["arguments"])}
    except Exception as error:
        return {"error": _line(folder, _spell(error, request["memory"]))}


def _spell(error: Exception, memory: int) -> str:
    """Say what went wrong; the traceback of a bug goes to the server's log."""
    causes = (error, error.__cause__, error.__context__)
    if any(isinstance(each, MemoryError) for each in causes):
        gib = memory / (1 << 30)
        return f"needs more than {gib:g} GiB; start the server with more --memory-limit"
    if isinstance(error, OdbenchError):
        return for_client(str(error))
    traceback.print_exception(error)
    what = type(error).__name__
    return f"failed with {what}; the server's log has the traceback"


def _line(folder: Folder, message: str) -> str:
    return printable(" ".join(folder.spell(message).split()))


def _confine(scratch: Path, memory: int) -> list[Path]:
    """Restrict this process for good; return the folders with labels."""
    from odbench.api.cache import cache_roots
    from odbench.sweep.confine import confine
    from odbench.sweep.hidden import local_paths, mirror_paths
    from odbench.sweep.places import HOME, kernels_of

    labels = [*mirror_paths(None), *local_paths(scratch / "no run")]
    kernels = kernels_of(HOME)
    with contextlib.suppress(OSError):
        kernels.mkdir(parents=True, exist_ok=True)
    _limit(memory + _SLACK)
    confine(hidden=labels, writable=[scratch, kernels], ports=())
    return [*labels, *cache_roots()]


def _limit(size: int) -> None:
    """Limit the memory that this process may write to, and the size of its files."""
    try:
        import resource
    except ImportError:
        return
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_FSIZE):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (size, resource.getrlimit(kind)[1]))


if __name__ == "__main__":
    main()
