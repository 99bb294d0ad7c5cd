"""Run trials in a process that may hang, crash or eat memory, and say how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.sweep.processes import MARK, kill_tree, resident_tree

_CHILD = "odbench.sweep.child"
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
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
# Where data, labels and secrets are; a detector has no business to know.
_SECRET_PREFIXES = ("ODBENCH_", "HF_", "HUGGING_FACE", "AWS_", "SSH_")
_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "API_KEY")


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


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a trial ended.

    Attributes
    ----------
    status : str
        One of `odbench.results.STATUSES`.
    reason : str
        Empty when the status is "ok".
    scores : float64 array of shape (n_test,) or None
        In the order in which the rows were shown; None unless "ok".
    costs : mapping
        Seconds and bytes as columns of the results.
    """

    status: str
    reason: str
    scores: FloatArray | None
    costs: Mapping[str, Any]


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
        self._loaded: dict[str, Any] | None = None
        self._rows: IntArray | None = None

    def load(
        self,
        features: Path,
        *,
        rows: IntArray,
        n_train: int,
        n_moved: int,
        specs: list[str],
    ) -> None:
        """Say which data set the next trials are about.

        Parameters
        ----------
        features : Path
            The store's file of features.
        rows : int64 array
            First the rows of train that are learnt from, then `n_moved` rows of
            test that are learnt from too, then the rows of test to be scored, in
            the order in which they are shown.
        n_train : int
            How many of `rows` are learnt from, moved ones included.
        n_moved : int
            How many of them stand in test.
        specs : list of str
            Every configuration that will be tried, so that work can be shared.
        """
        if self._process and resident_tree(self._process.pid) > _TIRED_BYTES:
            self.close()
        self._rows = rows
        self._loaded = {
            "do": "load",
            "features": str(features),
            "n_train": n_train,
            "n_moved": n_moved,
            "specs": specs,
        }
        if self._process:
            self._send_load()

    def trial(self, spec: str, random_state: int) -> Outcome:
        """Fit and score one configuration on the loaded data set.

        Parameters
        ----------
        spec : str
            As `odbench.plugins.find_detector` reads it.
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
            assert self._folder is not None
            scores = self._folder / "scores"
            answer = self._ask(
                {
                    "do": "trial",
                    "spec": spec,
                    "random_state": random_state,
                    "scores": str(scores),
                },
                self._limits.seconds,
            )
            return self._judge(answer, scores)
        except _SandboxEndedError as ended:
            self.close()
            return ended.outcome

    def close(self) -> None:
        """Kill the process, whatever it has started, and its folder."""
        if self._process:
            kill_tree(self._process, self._mark)
            self._process = None
        if self._channel:
            self._channel.close()
            self._channel = None
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="odbench-"))
        self._mark = f"{self._run_mark}-{secrets.token_hex(8)}"
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "odbench.sweep.child",
                    str(theirs.fileno()),
                ],
                stdin=subprocess.DEVNULL,
                # Whatever a detector prints, a gigabyte of it too, is nobody's output.
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env=self._environment(),
                pass_fds=(theirs.fileno(),),
                # A group of its own: it can be killed whole, and Ctrl-C passes it by.
                start_new_session=True,
            )
        finally:
            theirs.close()
        self._channel = ours
        self._ask(
            {
                "do": "hello",
                "sys_path": list(self._sys_path),
                "hidden": [str(path) for path in self._hidden],
                "address_space": (
                    self._limits.memory_bytes + _ADDRESS_SLACK
                    if self._limits.memory_bytes and not _has_cuda()
                    else 0
                ),
            },
            _START_SECONDS,
        )

    def _send_load(self) -> None:
        assert self._folder is not None and self._loaded is not None  # noqa: PT018
        assert self._rows is not None
        rows = self._folder / "rows.npy"
        np.save(rows, self._rows)
        request = {**self._loaded, "rows": str(rows)}
        try:
            answer = self._ask(request, _START_SECONDS + self._limits.seconds)
        finally:
            rows.unlink(missing_ok=True)
        if "status" in answer:
            raise _SandboxEndedError(
                Outcome(answer["status"], answer["reason"], None, {})
            )

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_SECRET_PREFIXES)
            and not any(word in name.upper() for word in _SECRET_WORDS)
        }
        kept.update(dict.fromkeys(_THREAD_VARIABLES, str(self._limits.threads)))
        kept.update({MARK: self._mark, "TMPDIR": str(self._folder)})
        # Weights are loaded by the user beforehand; a trial is no place to download.
        kept["HF_HUB_OFFLINE"] = os.environ.get("HF_HUB_OFFLINE", "0")
        kept.setdefault("MPLBACKEND", "Agg")
        return kept

    def _ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send a request and wait for its answer within the limits.

        Raises
        ------
        _SandboxEndedError
            If the process died, or had to be told off by a limit.
        """
        assert self._channel is not None and self._process is not None  # noqa: PT018
        request["folder"] = str(self._folder)
        started = time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            self._channel.sendall(json.dumps(request).encode() + b"\n")
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
                    raise _SandboxEndedError(self._obituary())
                received += data
                if len(received) > _ANSWER_LIMIT:
                    raise _SandboxEndedError(_broken("an answer of over 64 KiB"))
        try:
            answer = json.loads(received)
        except ValueError:
            raise _SandboxEndedError(_broken("an answer that is not JSON")) from None
        if not isinstance(answer, dict):
            raise _SandboxEndedError(_broken("an answer that is no object"))
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

    def _obituary(self) -> Outcome:
        assert self._process is not None
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return _broken("its line to the driver closed")
        if code < 0:
            name = signal.Signals(-code).name
            hint = "; out of memory?" if code == -signal.SIGKILL else ""
            return Outcome("killed", f"killed by {name}{hint}", None, {})
        return Outcome("killed", f"its process exited with code {code}", None, {})

    def _judge(self, answer: dict[str, Any], scores: Path) -> Outcome:
        assert self._rows is not None and self._loaded is not None  # noqa: PT018
        if "status" in answer:
            outcome = Outcome(str(answer["status"]), str(answer["reason"]), None, {})
            if outcome.status == "memory":
                # What is left of its heap is nobody's guess.
                raise _SandboxEndedError(outcome)
            return outcome
        n_test = len(self._rows) - self._loaded["n_train"]
        costs = {
            name: answer[name]
            for name in (
                "fit_seconds",
                "score_seconds",
                "shared_seconds",
                "warmup_seconds",
                "peak_memory_bytes",
            )
            if isinstance(answer.get(name), (int, float))
        }
        if answer.get("shape") != [n_test]:
            reason = f"scores of shape {answer.get('shape')}, wanted [{n_test}]"
            return Outcome("shape", reason, None, costs)
        try:
            values = np.fromfile(scores, dtype="<f8", count=n_test + 1)
            scores.unlink()
        except OSError as error:
            return Outcome("failed", f"its scores cannot be read: {error}", None, costs)
        if len(values) != n_test:
            return Outcome(
                "shape", f"{len(values)} scores, wanted {n_test}", None, costs
            )
        bad = int(np.count_nonzero(~np.isfinite(values)))
        if bad:
            reason = f"{bad} of {n_test} scores are not finite"
            return Outcome("nonfinite", reason, None, costs)
        return Outcome("ok", "", values, costs)


def _broken(what: str) -> Outcome:
    return Outcome("killed", f"its process broke the protocol: {what}", None, {})


def _has_cuda() -> bool:
    # CUDA reserves address space far beyond what it uses.
    return Path("/dev/nvidiactl").exists()
