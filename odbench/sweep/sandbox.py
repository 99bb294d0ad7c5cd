"""Run trials in a process that may hang, crash or use too much memory."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odbench.arrays import FloatArray
from odbench.sweep.handover import Handover
from odbench.sweep.launch import has_cuda, launch
from odbench.sweep.outcome import Outcome, broken, from_answer, from_exit
from odbench.sweep.processes import kill_tree, remove_tree, resident_tree

# Interval at which the memory of a running trial is measured.
_POLL_SECONDS = 0.05
# Time limit for starting the process, which does not count against a trial.
_START_SECONDS = 120.0
# Address space that libraries and thread stacks reserve and never use.
_ADDRESS_SLACK = 8 << 30
# Correct answers are shorter, because scores are not sent over the socket.
_ANSWER_LIMIT = 1 << 16
# Between data sets, a process that uses more memory than this is replaced.
_REPLACE_BYTES = 2 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one trial.

    Attributes
    ----------
    seconds : float
        Wall-clock limit for warm-up, fit and score together.
    memory_bytes : int
        Resident limit of the detector's process and its children, 0 for none.
    threads : int
        BLAS, OpenMP and numba threads of the process.
    """

    seconds: float = 3600.0
    memory_bytes: int = 0
    threads: int = 1


class _SandboxEndedError(Exception):
    """The process has ended; the outcome says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class Sandbox:
    """One detector process, replaced when it dies or is killed.

    Parameters
    ----------
    limits : Limits
        The limits of every trial.
    hidden : tuple of Path
        Paths that the process must not read, labels above all.
    sys_path : tuple of str
        Where the process finds a user's own modules.
    mark : str
        Start of the mark that every process started here carries.
    orphan_exits : bool
        Also end this process when its parent is gone: right for a worker that
        serves one driver, wrong for the driver itself.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        hidden: tuple[Path, ...] = (),
        sys_path: tuple[str, ...] = (),
        mark: str = "",
        orphan_exits: bool = False,
    ) -> None:
        self._limits = limits
        self._hidden = hidden
        self._sys_path = sys_path
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._folder: Path | None = None
        self._run_mark = mark
        self._mark = ""
        self._parent = os.getppid() if orphan_exits else 0
        self._specs: list[str] = []
        self._handover: Handover | None = None

    def load(self, train: FloatArray, test: FloatArray, *, specs: list[str]) -> None:
        """Load the data set of the next trials.

        Parameters
        ----------
        train, test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
            The tables as a detector sees them.
        specs : list of str
            All configurations that will be tried, so that they can share work.

        Raises
        ------
        StoreError
            If there is not enough memory for the tables.
        """
        if self._process and resident_tree(self._process.pid) > _REPLACE_BYTES:
            self.close()
        self._drop_tables()
        self._specs, self._handover = specs, Handover(train, test)
        if self._process:
            try:
                self._send_load()
            except _SandboxEndedError:
                # An earlier trial broke the process; the next one starts another.
                self.close()

    def trial(self, spec: str, random_state: int) -> Outcome:
        """Fit and score one configuration on the loaded data set.

        Parameters
        ----------
        spec : str
            A spec for `odbench.plugins.find.find_detector`.
        random_state : int
            Seed of a stochastic detector.

        Returns
        -------
        Outcome
            Errors of the detector are returned, not raised.
        """
        try:
            if self._process is None:
                self._start()
                self._send_load()
            assert self._handover is not None
            self._handover.blank()
            answer = self._ask(
                {"do": "trial", "spec": spec, "random_state": random_state},
                self._limits.seconds,
            )
            outcome = self._outcome(answer)
            if outcome.status in {"memory", "killed"}:
                # Its heap can no longer be trusted; start a fresh process.
                self.close()
            return outcome
        except _SandboxEndedError as ended:
            self.close()
            return ended.outcome

    def close(self) -> None:
        """Kill the process and its descendants, and remove its folder.

        The tables stay, so that the next trial can start another process.
        """
        if self._process:
            kill_tree(self._process, self._mark)
            self._process = None
        if self._channel:
            self._channel.close()
            self._channel = None
        if self._folder:
            remove_tree(self._folder)
            self._folder = None

    def end(self) -> None:
        """Kill the process and free the tables."""
        self.close()
        self._drop_tables()

    def _drop_tables(self) -> None:
        if self._handover is not None:
            self._handover.close()
            self._handover = None

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="odbench-"))
        self._mark = f"{self._run_mark}-{secrets.token_hex(8)}"
        self._process, self._channel = launch(
            self._folder, mark=self._mark, threads=self._limits.threads
        )
        self._ask(
            {
                "do": "hello",
                "sys_path": list(self._sys_path),
                "hidden": [str(path) for path in self._hidden],
                "address_space": (
                    self._limits.memory_bytes + _ADDRESS_SLACK
                    if self._limits.memory_bytes and not has_cuda()
                    else 0
                ),
                "file_size": self._limits.memory_bytes,
            },
            _START_SECONDS,
        )

    def _send_load(self) -> None:
        assert self._handover is not None
        answer = self._ask(
            {"do": "load", "specs": self._specs, **self._handover.describe()},
            _START_SECONDS + self._limits.seconds,
            self._handover.descriptors,
        )
        if "status" in answer:
            raise _SandboxEndedError(self._outcome(answer))

    def _outcome(self, answer: dict[str, Any]) -> Outcome:
        assert self._handover is not None
        return from_answer(answer, self._handover.scores, n_test=self._handover.n_test)

    def _ask(
        self,
        request: dict[str, Any],
        seconds: float,
        descriptors: Sequence[int] = (),
    ) -> dict[str, Any]:
        """Send a request and wait for its answer within the limits.

        Raises
        ------
        _SandboxEndedError
            If the process died or exceeded a limit.
        """
        assert self._channel is not None and self._process is not None  # noqa: PT018
        request |= {"folder": str(self._folder), "id": secrets.token_hex(8)}
        started = time.monotonic()
        data = json.dumps(request).encode() + b"\n"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if descriptors:
                sent = socket.send_fds(self._channel, [data], list(descriptors))
                data = data[sent:]
            self._channel.sendall(data)
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            while not received.endswith(b"\n"):
                self._check(started, seconds)
                if not selector.select(_POLL_SECONDS):
                    continue
                try:
                    data = self._channel.recv(_ANSWER_LIMIT)
                except ConnectionResetError:
                    data = b""
                if not data:
                    raise _SandboxEndedError(from_exit(self._process))
                received += data
                if len(received) > _ANSWER_LIMIT:
                    raise _SandboxEndedError(broken("an answer of over 64 KiB"))
        try:
            answer = json.loads(received)
        except (ValueError, RecursionError):
            raise _SandboxEndedError(broken("an answer that is not JSON")) from None
        if not isinstance(answer, dict):
            raise _SandboxEndedError(broken("an answer that is not an object"))
        if answer.get("id") != request["id"]:
            raise _SandboxEndedError(broken("an answer to no request"))
        return answer

    def _check(self, started: float, seconds: float) -> None:
        assert self._process is not None
        if self._parent and os.getppid() != self._parent:
            # The driver is gone; nobody will read the answer.
            self.close()
            os._exit(1)
        spent = time.monotonic() - started
        if spent > seconds:
            reason = f"over the limit of {seconds:g} s"
            raise _SandboxEndedError(
                Outcome("timeout", reason, None, {"fit_seconds": spent})
            )
        limit = self._limits.memory_bytes
        if limit:
            resident = resident_tree(self._process.pid)
            if resident > limit:
                reason = (
                    f"{resident / 2**30:.2f} GiB resident, "
                    f"over the limit of {limit / 2**30:.2f} GiB"
                )
                raise _SandboxEndedError(Outcome("memory", reason, None, {}))
