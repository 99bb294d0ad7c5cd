"""Check a detector in a process of its own, which it may crash or hang."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from odbench.plugins.check.contract import PROBES, Finding, check_detector
from odbench.plugins.configuration import Configuration
from odbench.plugins.find import restore_detector
from odbench.plugins.loaders import search_last
from odbench.text import counted

# Time for a process that closed its output to end.
_END_SECONDS = 5.0
# Interval at which the end of a process is noticed if others hold its output open.
_POLL_SECONDS = 0.1
# Longer times overflow the clock that ends a probe.
_LONGEST_SECONDS = 1e9


def check_apart(
    configuration: Configuration, *, seconds: float = 300.0
) -> Iterator[Finding]:
    """Run every probe as `check_detector` does, in another process.

    Parameters
    ----------
    configuration : Configuration
        The detector, as `odbench.plugins.find.find_detector` returns it.
    seconds : float
        Time limit of each probe, and of importing the detector.

    Yields
    ------
    Finding
        As of `check_detector`. A probe that ends the process or takes too long has
        failed, and those after it are not run; stderr names the line of code.
    """
    done, is_complete = 0, False
    with _started(configuration, seconds) as process:
        since = time.monotonic()
        for answer in _answers(process):
            if "probe" in answer:
                done += 1
                yield Finding(**answer)
            is_complete = "end" in answer
            since = time.monotonic()
        if not is_complete:
            took = time.monotonic() - since
            message = _message(_exit_code(process), took, seconds)
            left = len(PROBES) - done - 1
            if left:
                message += f"; not run after it: {counted(left, 'probe')}"
            yield Finding(PROBES[done], "fail", message)


@contextlib.contextmanager
def _started(
    configuration: Configuration, seconds: float
) -> Iterator[subprocess.Popen[str]]:
    order = {
        "spec": configuration.spec,
        "seconds": seconds,
        "path": list(dict.fromkeys([str(Path.cwd()), *filter(None, sys.path)])),
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "odbench.plugins.apart"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        # As in a run, where a detector gets no processes from joblib.
        env={**os.environ, "JOBLIB_MULTIPROCESSING": "0"},
        start_new_session=True,
    )
    assert process.stdin is not None
    try:
        with contextlib.suppress(BrokenPipeError), process.stdin as sink:
            sink.write(json.dumps(order))
        yield process
    finally:
        if hasattr(os, "killpg"):
            # Processes that a detector has forked end as well.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()


def _answers(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """Yield the answers of a process until its last one, or until it ends.

    Processes that a detector has forked may keep its output open, and answer as well.
    """
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    first, has_ended = None, False
    while True:
        try:
            line = lines.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            # All that it wrote before its end has been read by the second time.
            if has_ended:
                return
            has_ended = process.poll() is not None
            continue
        if line is None:
            return
        answer = json.loads(line)
        by = answer.pop("by")
        first = first or by
        if by == first:
            yield answer
            if "end" in answer:
                return


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    with process.stdout as source:
        for line in source:
            lines.put(line)
    lines.put(None)


def _exit_code(process: subprocess.Popen[str]) -> int | None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(_END_SECONDS)
    return None


def _message(code: int | None, took: float, seconds: float) -> str:
    if took >= seconds:
        return (
            f"did not end within {seconds:g} s; stderr names the line that it was at, "
            f"and --timeout gives it more time"
        )
    if code is not None and code < 0:
        hint = "; out of memory?" if code == -signal.SIGKILL else ""
        with contextlib.suppress(ValueError):
            return f"killed its process by {signal.Signals(-code).name}{hint}"
    return f"ended its process with exit code {code}"


def main() -> None:
    """Answer the one order on standard input by a line for each finding."""
    # The prints of a detector, in C as well, must not come between the findings.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as sink:
        os.dup2(2, 1)
        # The command that started this process says that it was interrupted.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        faulthandler.enable()
        order = json.load(sys.stdin)
        seconds = min(order["seconds"], _LONGEST_SECONDS)

        def tell(answer: dict[str, Any]) -> None:
            # It ends the process even if the detector's code never returns to Python.
            faulthandler.dump_traceback_later(seconds, exit=True)
            sink.write(json.dumps({**answer, "by": os.getpid()}) + "\n")
            sink.flush()

        tell({"start": True})
        search_last(order["path"])
        configuration = restore_detector(order["spec"])
        tell({"found": True})
        for finding in check_detector(configuration):
            tell(vars(finding))
        tell({"end": True})
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
