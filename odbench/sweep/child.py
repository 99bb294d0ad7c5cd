"""The detector's process: it gets features and returns scores, and sees no labels.

Started as ``python -m odbench.sweep.child FD``, where FD is one end of a socket pair.
Each request and each answer is one line of JSON. Tables and scores are raw float64
values behind descriptors, so that the worker never unpickles anything from here.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.sweep.confine import die_with_parent, hide
from odbench.sweep.processes import adopt_descendants

if TYPE_CHECKING:
    from odbench.arrays import FloatArray
    from odbench.plugins.find import Configuration
    from odbench.sweep.workspace import SharedWork

_REASON_LENGTH = 500
_WARM_UP_ROWS = 64
_NARROW, _WIDE = 4, 32
# Programs that a detector starts must not inherit the memory for scores.
_CLOSED_BY_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class _State:
    """The state of the process between requests."""

    def __init__(self) -> None:
        self._configurations: dict[str, Configuration] = {}
        self._warm: set[tuple[str, int]] = set()
        self._train: FloatArray | None = None
        self._test: FloatArray | None = None
        self._work: SharedWork | None = None
        self._scores = -1

    def hello(self, request: dict[str, Any]) -> dict[str, Any]:
        """Restrict this process, before it runs any code of a detector."""
        # Appended, because a user's file must not replace a module of a library.
        sys.path += [entry for entry in request["sys_path"] if entry not in sys.path]
        enforced = hide(Path(path) for path in request["hidden"])
        # Crashes are expected here, so no core file is written.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if request["address_space"]:
            hard = resource.getrlimit(resource.RLIMIT_AS)[1]
            resource.setrlimit(resource.RLIMIT_AS, (request["address_space"], hard))
        if request["file_size"]:
            # Limits memory behind a descriptor, and files that would fill the disk.
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_size"], hard))
        return {"enforced": enforced}

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take the tables of one data set and drop the previous ones."""
        from odbench.sweep.handover import map_tables
        from odbench.sweep.workspace import SharedWork

        self._train = self._test = self._work = None
        if self._scores >= 0:
            os.close(self._scores)
        tables, self._scores = request["descriptors"]
        self._train, self._test = map_tables(request, tables)
        self._work = SharedWork((self._train, self._test))
        for spec in request["specs"]:
            # A detector that cannot be built fails in its own trial.
            with contextlib.suppress(Exception):
                detector = self._configuration(spec).build(0)
                if hasattr(detector, "shared_needs"):
                    self._work.announce(detector.shared_needs())
        return {}

    def trial(self, request: dict[str, Any]) -> dict[str, Any]:
        """Fit and score one configuration with one seed."""
        import numpy as np

        from odbench.sweep.handover import write_scores

        assert self._train is not None and self._test is not None and self._work  # noqa: PT018
        configuration = self._configuration(request["spec"])
        warm_up = self._warm_up(configuration, request["random_state"])
        detector = configuration.build(request["random_state"])
        train, test = self._train, self._test
        self._work.start_trial()
        if hasattr(detector, "use_workspace"):
            detector.use_workspace(self._work)
        else:
            # A detector may write into its tables; the next one must not see that.
            train, test = train.copy(), test.copy()
        # Detectors without a random_state still draw from the global generators.
        random.seed(request["random_state"])
        np.random.seed(request["random_state"])  # noqa: NPY002
        before = _reset_peak_memory()
        started = time.perf_counter()
        detector.fit(train)
        fitted = time.perf_counter()
        fit_reused = self._work.reused_seconds
        scores = detector.decision_function(test)
        done = time.perf_counter()
        peak = max(0, _peak_memory() - before)
        reused = self._work.reused_seconds
        shape = np.shape(scores)
        if shape == (len(test),):
            write_scores(scores, self._scores)
        return {
            "shape": list(shape),
            "fit_seconds": fitted - started + fit_reused,
            "score_seconds": done - fitted + reused - fit_reused,
            "shared_seconds": reused,
            "warmup_seconds": warm_up,
            "peak_memory_bytes": peak,
        }

    def _configuration(self, spec: str) -> Configuration:
        from odbench.plugins.find import restore_detector

        if spec not in self._configurations:
            self._configurations[spec] = restore_detector(spec)
        return self._configurations[spec]

    def _warm_up(self, configuration: Configuration, seed: int) -> float:
        """Import and compile on made-up rows, so that this is not in a trial's time."""
        import numpy as np

        assert self._train is not None
        # Some detectors choose their code by the number of columns.
        columns = _WIDE if self._train.shape[1] >= _WIDE else _NARROW
        if (configuration.id, columns) in self._warm:
            return 0.0
        self._warm.add((configuration.id, columns))
        started = time.perf_counter()
        rows = np.random.default_rng(0).normal(size=(_WARM_UP_ROWS, columns))
        # A detector that fails on made-up rows may still succeed on real ones.
        with contextlib.suppress(Exception):
            detector = configuration.build(seed)
            detector.fit(rows)
            detector.decision_function(rows[:8])
        return time.perf_counter() - started


@contextlib.contextmanager
def _undisturbed(request: dict[str, Any]) -> Iterator[None]:
    """Run a request in its folder, and restore folder and environment after it."""
    environment = dict(os.environ)
    folder = request["folder"]
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(folder)
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)


def _reset_peak_memory() -> int:
    """Reset the peak of resident memory and return the bytes resident now."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status_bytes("VmRSS")


def _peak_memory() -> int:
    return _status_bytes("VmHWM") or (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )


def _status_bytes(field: str) -> int:
    try:
        with open("/proc/self/status", encoding="ascii") as lines:  # noqa: PTH123
            for line in lines:
                if line.startswith(field):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _failure(error: BaseException) -> dict[str, Any]:
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({Path(last[0].filename).name}:{last[0].lineno})" if last else ""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    status = "memory" if isinstance(error, MemoryError) else "failed"
    return {"status": status, "reason": text[:_REASON_LENGTH] + where}


def _requests(channel: socket.socket) -> Iterator[dict[str, Any]]:
    """Yield each request with the descriptors that came with it."""
    line, descriptors = bytearray(), list[int]()
    while True:
        data, came, _, _ = socket.recv_fds(channel, 1 << 16, 2, _CLOSED_BY_EXEC)
        if not data:
            return
        line += data
        descriptors += came
        if line.endswith(b"\n"):
            yield json.loads(line) | {"descriptors": descriptors}
            line, descriptors = bytearray(), []


def main() -> None:
    """Answer requests until the worker closes the socket."""
    die_with_parent()
    channel = socket.socket(fileno=int(sys.argv[1]))
    # Processes that a detector starts must not inherit the socket to the worker.
    channel.set_inheritable(False)
    adopt_descendants(close_in_parent=channel)
    die_with_parent()
    state = _State()
    for request in _requests(channel):
        try:
            with _undisturbed(request):
                answer = getattr(state, request["do"])(request)
        except BaseException as error:
            # A detector may raise anything, also SystemExit.
            answer = _failure(error)
        answer["id"] = request["id"]
        channel.sendall(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
