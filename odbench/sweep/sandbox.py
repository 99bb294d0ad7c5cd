"""Run trials in a process that may hang, crash or eat memory, and say how it ended."""

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
from odbench.sweep.outcome import Outcome, broken, judge, obituary
from odbench.sweep.processes import kill_tree, remove_tree, resident_tree

# How often a running trial's memory is looked at.
_POLL_SECONDS = 0.05
# Importing the interpreter's libraries must not count against a trial.
_START_SECONDS = 120.0
# What libraries and thread stacks reserve without ever touching it.
_ADDRESS_SLACK = 8 << 30
# No honest answer is longer: scores do not travel on this line.
_ANSWER_LIMIT = 1 << 16
# A process that has grown this much between data sets is replaced.
_TIRED_BYTES = 2 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one trial may spend.

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
    """The process is gone; the outcome says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class Sandbox:
    """One detector process, replaced whenever it dies or must be killed.

    Parameters
    ----------
    limits : Limits
        For every trial.
    hidden : tuple of Path
        What the process must not read: labels above all.
    sys_path : tuple of str
        Where the process finds a user's own modules.
    mark : str
        Begins the mark that every process started here carries.
    orphan_exits : bool
        End this process too when its parent is gone: right for a worker that
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
        """Say which data set the next trials are about.

        Parameters
        ----------
        train, test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
            As a detector shall see them.
        specs : list of str
            Every configuration that will be tried, so that work can be shared.

        Raises
        ------
        StoreError
            If there is no memory for the tables.
        """
        if self._process and resident_tree(self._process.pid) > _TIRED_BYTES:
            self.close()
        self._drop_tables()
        self._specs, self._handover = specs, Handover(train, test)
        if self._process:
            try:
                self._send_load()
            except _SandboxEndedError:
                # Something that an earlier trial left behind; the next begins anew.
                self.close()

    def trial(self, spec: str, random_state: int) -> Outcome:
        """Fit and score one configuration on the loaded data set.

        Parameters
        ----------
        spec : str
            As `odbench.plugins.find.find_detector` reads it.
        random_state : int
            For stochastic detectors.

        Returns
        -------
        Outcome
            Never raises for what the detector does.
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
            outcome = judge(answer, self._handover.scores, n_test=self._handover.n_test)
            if outcome.status in {"memory", "killed"}:
                # What is left of its heap, or its manners, is nobody's guess.
                self.close()
            return outcome
        except _SandboxEndedError as ended:
            self.close()
            return ended.outcome

    def close(self) -> None:
        """Kill the process, whatever it has started, and its folder.

        The tables stay: the next trial starts another process on them.
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
        """Close, for good."""
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
            raise _SandboxEndedError(
                judge(answer, self._handover.scores, n_test=self._handover.n_test)
            )

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
            If the process died, or had to be told off by a limit.
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
                    raise _SandboxEndedError(obituary(self._process))
                received += data
                if len(received) > _ANSWER_LIMIT:
                    raise _SandboxEndedError(broken("an answer of over 64 KiB"))
        try:
            answer = json.loads(received)
        except (ValueError, RecursionError):
            raise _SandboxEndedError(broken("an answer that is not JSON")) from None
        if not isinstance(answer, dict):
            raise _SandboxEndedError(broken("an answer that is no object"))
        if answer.get("id") != request["id"]:
            raise _SandboxEndedError(broken("an answer that nobody asked for"))
        return answer

    def _check(self, started: float, seconds: float) -> None:
        assert self._process is not None
        if self._parent and os.getppid() != self._parent:
            # Whoever asked for this trial is gone, and so is its answer's reader.
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
