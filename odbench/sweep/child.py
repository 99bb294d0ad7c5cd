"""The detector's process: it gets features and returns scores, and sees no labels.

Started as ``python -m odbench.sweep.child FD FD``: one end of a socket pair, and a pipe
that closes when the worker ends; or with ``-``, for standard input and output. Each
request and each answer is one line of JSON. Tables and scores are raw float64 values
behind descriptors, so that the worker never unpickles anything from here. The worker
measures seconds and memory from outside.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.errors import MissingExtraError, UnknownDetectorError
from odbench.plugins.loaders import search_last
from odbench.sweep.compiling import CompileClock
from odbench.sweep.confine import confine
from odbench.sweep.imports import import_by_name
from odbench.sweep.limits import end_first, limit_process
from odbench.sweep.places import remove_tree
from odbench.sweep.processes import (
    own_memory,
    return_free_memory,
    serve_under_a_reaper,
)

if TYPE_CHECKING:
    from odbench.arrays import FloatArray
    from odbench.plugins.adapter import AdaptedDetector
    from odbench.plugins.find import Configuration
    from odbench.sweep.workspace import SharedWork

_REASON_LENGTH = 500
# Programs that a detector starts must not inherit the memory for scores.
_CLOSED_BY_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
# Bound before a detector is imported, because a detector may replace `time`'s clock.
_clock = time.perf_counter
# Raised where a module is missing that the driver of the run has found.
_MISSING = (ModuleNotFoundError, MissingExtraError, UnknownDetectorError)


class _State:
    """The state of the process between requests."""

    def __init__(self) -> None:
        self._configurations: dict[str, Configuration] = {}
        self._warm: set[tuple[str, int]] = set()
        self._train: FloatArray | None = None
        # None if the training rows themselves are scored.
        self._test: FloatArray | None = None
        self._work: SharedWork | None = None
        self._detector: AdaptedDetector | None = None
        self._tables: tuple[FloatArray, FloatArray | None] | None = None
        self._own_scores: FloatArray | None = None
        self._as_batch = False
        self._compiling = CompileClock()
        self._writable: list[str] = []

    def hello(self, request: dict[str, Any]) -> dict[str, Any]:
        """Restrict this process, before it runs any code of a detector."""
        # Appended, because a user's file must not replace a module of a library.
        search_last(request["sys_path"])
        self._writable = request["writable"]
        end_first()
        limit_process(
            address_space=request["address_space"], file_size=request["file_size"]
        )
        enforced = confine(
            hidden=[Path(path) for path in request["hidden"]],
            writable=[Path(path) for path in request["writable"]],
            ports=request["ports"],
        )
        import_by_name()
        return {"enforced": enforced, "pid": os.getpid()}

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take the tables of one data set and drop the previous ones."""
        from odbench.sweep.handover import map_tables
        from odbench.sweep.warm_up import needs_of
        from odbench.sweep.workspace import SharedWork

        self._detector = self._tables = self._own_scores = None
        self._train = self._test = self._work = None
        (descriptor,) = request["descriptors"]
        tables = map_tables(request["shapes"], descriptor)
        self._as_batch = request["as_batch"]
        self._train = tables[0]
        self._test = tables[1] if len(tables) > 1 else None
        self._work = SharedWork(tuple(tables), own_memory)
        for spec in request["specs"]:
            # A detector that cannot be built fails in its own trial.
            with contextlib.suppress(Exception):
                detector = self._configuration(spec).build(0)
                self._work.announce(needs_of(detector))
        return {}

    def prepare(self, request: dict[str, Any]) -> dict[str, Any]:
        """Compile, and build the detector of a trial; not part of its seconds."""
        import numpy as np

        from odbench.sweep.warm_up import needs_of

        assert self._train is not None and self._work is not None  # noqa: PT018
        self._detector = self._tables = self._own_scores = None
        configuration = self._configuration(request["spec"])
        self._warm_up(configuration, request["random_state"])
        detector = configuration.build(request["random_state"])
        self._tables = self._train, self._test
        needs = needs_of(detector)
        if hasattr(detector, "use_workspace"):
            detector.use_workspace(self._work)
        else:
            # A detector may write into its tables; the next one must not see that.
            test = self._train if self._test is None else self._test
            self._tables = self._train.copy(), test.copy()
        self._work.start_trial(needs, again=request["again"])
        self._detector = detector
        # Detectors without a random_state still draw from the global generators.
        random.seed(request["random_state"])
        np.random.seed(request["random_state"])  # noqa: NPY002
        # The worker measures how far this process grows from here on.
        return_free_memory()
        return {"version": configuration.version}

    def fit(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Fit the detector that was prepared, and score its own rows if asked to."""
        assert self._detector is not None and self._tables is not None  # noqa: PT018
        train, test = self._tables
        with self._timed() as costs:
            if self._test is None:
                self._own_scores = self._detector.fit_score(train, test)
            else:
                self._detector.fit(train)
        return costs

    def score(self, request: dict[str, Any]) -> dict[str, Any]:
        """Score the rows, and write the scores to the memory that came along."""
        assert self._detector is not None and self._tables is not None and self._work  # noqa: PT018
        test = self._tables[1]
        with self._writing(request) as answer, self._timed() as costs:
            scores = self._own_scores
            if self._test is not None and test is not None:
                scores = self._scores(self._detector, test)
            answer["scores"] = scores
        return {
            **answer,
            **costs,
            "grown": self._work.grown,
            "charged_bytes": self._work.charged_bytes,
        }

    def score_some(self, request: dict[str, Any]) -> dict[str, Any]:
        """Score the first rows of the test table alone, as `score` scored all."""
        assert self._detector is not None and self._tables is not None  # noqa: PT018
        assert self._test is not None
        rows = self._test[: request["rows"]]
        if self._tables[1] is not self._test:
            # The detector may have written into its own table when it scored all rows.
            rows = rows.copy()
        with self._writing(request) as answer:
            answer["scores"] = self._scores(self._detector, rows)
        return answer

    def _scores(self, detector: AdaptedDetector, rows: FloatArray) -> FloatArray:
        score = detector.score_batch if self._as_batch else detector.decision_function
        return score(rows)

    @contextlib.contextmanager
    def _writing(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Write the scores put into a dictionary, and leave their shape there."""
        import numpy as np

        from odbench.sweep.handover import write_scores

        (memory,) = request["descriptors"]
        answer: dict[str, Any] = {}
        try:
            yield answer
            scores = answer.pop("scores")
            answer["shape"] = list(np.shape(scores))
            if answer["shape"] == [request["rows"]]:
                write_scores(scores, memory)
        finally:
            os.close(memory)

    @contextlib.contextmanager
    def _timed(self) -> Iterator[dict[str, Any]]:
        """Measure a phase, with the part of it that is compiling or shared work."""
        assert self._work is not None
        work, costs = self._work, dict[str, Any]()
        self._compiling.listen()
        compiled = self._compiling.seconds
        work.start_phase()
        started = _clock()
        yield costs
        costs["seconds"] = _clock() - started
        costs["compiled"] = self._compiling.seconds - compiled
        costs |= {
            "spent": work.spent,
            "charged": work.charged,
            "reused": work.reused,
        }

    def _configuration(self, spec: str) -> Configuration:
        from odbench.plugins.find import restore_detector

        if spec not in self._configurations:
            self._configurations[spec] = restore_detector(spec)
        return self._configurations[spec]

    def _warm_up(self, configuration: Configuration, seed: int) -> None:
        """Import and compile for tables like those that are loaded, once."""
        from odbench.sweep.warm_up import Sight, is_wide, warm_up

        assert self._train is not None
        compiles = configuration.info.compiles
        wide = is_wide(self._train.shape[1], compiles=compiles)
        if (configuration.id, wide) not in self._warm:
            self._warm.add((configuration.id, wide))
            sight = Sight(wide, self._test is None, self._as_batch)
            warm_up(configuration, seed, sight)

    def warm_up(self, request: dict[str, Any]) -> dict[str, Any]:
        """Compile for made-up tables, without any table of a data set."""
        from odbench.sweep.warm_up import Sight, warm_up

        sight = Sight(*request["sight"])
        warm_up(self._configuration(request["spec"]), 0, sight)
        return {}

    def failure(self, error: BaseException) -> dict[str, Any]:
        """Describe an error of a detector in one line."""
        frames = traceback.extract_tb(error.__traceback__)
        last = frames[-1:]
        where = f" ({Path(last[0].filename).name}:{last[0].lineno})" if last else ""
        told = f"{type(error).__name__}: {_told(error)}"
        text = " ".join(told.split()).removesuffix(":")
        status = "memory" if isinstance(error, MemoryError) else "failed"
        if isinstance(error, PermissionError) and self._writable:
            where += f"; {_permitted(error, frames)}"
        return {
            "status": status,
            "reason": text[:_REASON_LENGTH] + where,
            "errno": error.errno if isinstance(error, OSError) else None,
            "is_missing": isinstance(error, _MISSING),
        }


def _permitted(error: PermissionError, frames: Iterable[traceback.FrameSummary]) -> str:
    """Say what the sandbox allows instead of that which an error tells of."""
    if error.filename is not None:
        return "the sandbox lets it write to TMPDIR and ODBENCH_DETECTOR_CACHE"
    if any(Path(frame.filename).parent.name == "multiprocessing" for frame in frames):
        return "the sandbox has no locks or pools of multiprocessing; use threads"
    return "the sandbox does not allow it"


def _told(error: BaseException) -> str:
    """Return what an error of a detector says, which may itself be code that fails."""
    try:
        return str(error)
    except Exception as another:
        return f"its message cannot be made ({type(another).__name__})"


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


class _Socket:
    """Requests and answers over a socket; memory comes along as descriptors."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def requests(self) -> Iterator[dict[str, Any]]:
        """Yield each request with the descriptors that came with it."""
        line, descriptors = bytearray(), list[int]()
        while True:
            data, came, _, _ = socket.recv_fds(self._end, 1 << 16, 2, _CLOSED_BY_EXEC)
            if not data:
                return
            line += data
            descriptors += came
            if line.endswith(b"\n"):
                yield json.loads(line) | {"descriptors": descriptors}
                line, descriptors = bytearray(), []

    def answer(self, answer: dict[str, Any]) -> None:
        """Send an answer."""
        self._end.sendall(json.dumps(answer).encode() + b"\n")


class _Pipes:
    """Requests and answers over standard input and output; memory comes by its path."""

    def __init__(self) -> None:
        self._in = os.fdopen(os.dup(0), "rb")
        self._out = os.fdopen(os.dup(1), "wb")
        # A detector that reads or prints must not touch the requests.
        with open(os.devnull, "r+b") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), 0)
            os.dup2(nothing.fileno(), 1)

    def requests(self) -> Iterator[dict[str, Any]]:
        """Yield each request with a descriptor of the memory that it names."""
        for line in self._in:
            request = json.loads(line)
            path = request.pop("path", None)
            mode = os.O_RDONLY if request["do"] == "load" else os.O_RDWR
            flags = mode | getattr(os, "O_BINARY", 0)
            opened = [] if path is None else [os.open(path, flags)]
            yield request | {"descriptors": opened}

    def answer(self, answer: dict[str, Any]) -> None:
        """Send an answer."""
        self._out.write(json.dumps(answer).encode() + b"\n")
        self._out.flush()


def _channel() -> _Socket | _Pipes:
    if sys.argv[1] == "-":
        return _Pipes()
    end = socket.socket(fileno=int(sys.argv[1]))
    # Processes that a detector starts must not inherit the socket to the worker.
    end.set_inheritable(False)
    # The working folder; a detector may change to another.
    folder = Path.cwd()
    serve_under_a_reaper(end, worker=int(sys.argv[2]), tidy=lambda: remove_tree(folder))
    return _Socket(end)


def main() -> None:
    """Answer requests until the worker closes the channel."""
    channel, state = _channel(), _State()
    process = os.getpid()
    for request in channel.requests():
        try:
            with _undisturbed(request):
                answer = getattr(state, request["do"])(request)
        except BaseException as error:
            # A detector may raise anything, also SystemExit.
            answer = state.failure(error)
        if os.getpid() != process:
            # A detector's code forked, and only one of the two may answer.
            os._exit(0)
        answer["id"] = request["id"]
        channel.answer(answer)


if __name__ == "__main__":
    main()
