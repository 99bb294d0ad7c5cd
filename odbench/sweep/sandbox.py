"""Run trials in a process that may hang, crash or use too much memory."""

from __future__ import annotations

import errno
import json
import math
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import StoreError
from odbench.files import limit_cure
from odbench.sweep.batch import batch_difference, rows_to_repeat
from odbench.sweep.channel import Channel
from odbench.sweep.costs import memory_of, seconds_of
from odbench.sweep.handover import Handover, Memory, ScoreMemory
from odbench.sweep.launch import has_cuda, launch
from odbench.sweep.limits import MORE_MEMORY, most_memory, most_processor_seconds
from odbench.sweep.outcome import (
    Outcome,
    broken,
    environment,
    from_answer,
    from_exit,
    is_enforced,
)
from odbench.sweep.pause import pause_descendants, resume
from odbench.sweep.places import WorkingFolder
from odbench.sweep.processes import (
    kill_tree,
    process_memory,
    processor_seconds,
    reset_peak_memory,
    resident_tree,
)
from odbench.sweep.room import LEAST_MEMORY, out_of_memory_kills
from odbench.sweep.warm_up import Sight
from odbench.sweep.watch import Watch, folder_bytes, has_room
from odbench.text import show_bytes
from odbench.threads import MORE_PROCESSES, is_lack_of_processes, startable

# Interval at which the memory of a running trial is measured.
_POLL_SECONDS = 0.05
# Interval at which its temporary files are measured, which takes longer.
_FOLDER_SECONDS = 1.0
# Time limit for starting the process, which does not count against a trial.
_START_SECONDS = 120.0
# Time for importing and compiling, in addition to the limit of a trial.
_COMPILE_SECONDS = 60.0
# Time for compiling all kernels of a detector before the first trial.
_WARM_UP_SECONDS = 600.0
# A trial in which numba compiled is repeated if it took less than this.
_REPEAT_SECONDS = 30.0
# errno values of a process whose disk is full, checked against the disk itself.
_FULL = (errno.ENOSPC, errno.EDQUOT)
# Address space that libraries and thread stacks reserve and never use.
_ADDRESS_SLACK = 8 << 30
# Correct answers are shorter, because scores are not sent over the socket.
_ANSWER_LIMIT = 1 << 16
# Between data sets, a process that uses more memory than this is replaced.
_REPLACE_BYTES = 2 << 30
# A process that the kernel ended for lack of memory counts as over its limit if it was
# near it: it may have grown since it was last measured.
_NEAR = 0.75
# With a small limit, a process that grew less in its trial is over it by its libraries.
_GROWN_BYTES = 1 << 25
# The system counts processor time in seconds.
_CPU_SECONDS = 2.0
# Threads that can be started where no other process takes all of them.
_SPARE = 16
_MORE_PROCESSES = (
    f"no more processes may be started here; {MORE_PROCESSES}, or use fewer --jobs"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one trial.

    Attributes
    ----------
    seconds : float
        Wall-clock limit for fit and score together. Importing and compiling have a
        minute more.
    memory_bytes : int
        Limit of the detector's process and its children, 0 for none: resident memory,
        memory behind descriptors and temporary files.
    threads : int
        BLAS, OpenMP and numba threads of the process.
    """

    seconds: float = 3600.0
    memory_bytes: int = 0
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """The paths and ports within reach of a detector's process.

    Attributes
    ----------
    hidden : tuple of Path
        Paths that it must not read, labels above all.
    place : Path
        The folder in which it may keep files between runs.
    kernels : Path
        The folder in which numba keeps compiled code.
    sys_path : tuple of str
        Where it finds a user's own modules.
    ports : tuple of int
        TCP ports to which it may connect, where the kernel can tell.
    is_required : bool
        Whether a process that the kernel does not restrict must not run.
    """

    hidden: tuple[Path, ...]
    place: Path
    kernels: Path
    sys_path: tuple[str, ...]
    ports: tuple[int, ...] = ()
    is_required: bool = False


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
    confinement : Confinement
        The paths and ports within reach of the process.
    is_trusted : bool
        True for odbench's own detectors, whose process tells the cost of shared work.
    mark : str
        Start of the mark that every process started here carries.

    Attributes
    ----------
    layers : tuple of str
        The layers of the sandbox that hold, once the process has started.
    """

    def __init__(
        self,
        limits: Limits,
        confinement: Confinement,
        *,
        is_trusted: bool = False,
        mark: str = "",
    ) -> None:
        self._limits = limits
        self._confinement = confinement
        self._is_trusted = is_trusted
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._lifeline = -1
        self._child = 0
        self._folder: WorkingFolder | None = None
        self._run_mark = mark
        self._mark = ""
        self._loaded: Handover | None = None
        self._paused: list[int] = []
        # Bytes held when the detector first saw rows, -1 before, and the most since.
        self._base, self._held = -1, 0
        self._kills, self._worked = 0, 0.0
        self.layers: tuple[str, ...] = ()

    def trial(
        self, spec: str, random_state: int, tables: Handover, *, specs: Sequence[str]
    ) -> Outcome:
        """Fit and score one configuration on one data set.

        Parameters
        ----------
        spec : str
            The spec of a configuration.
        random_state : int
            Seed of a stochastic detector.
        tables : Handover
            The tables of the data set.
        specs : sequence of str
            All configurations that this process will try on these tables, so that they
            can share work.

        Returns
        -------
        Outcome
            Errors of the detector are returned, not raised.
        """
        self._kills = out_of_memory_kills()
        outcome = self._trial(spec, random_state, tables, specs)
        if not self._is_trusted and self._process:
            # A stranger's processes must not cost other trials anything meanwhile.
            self._paused = pause_descendants(self._process.pid)
        return replace(outcome, layers=self.layers)

    def _trial(
        self, spec: str, random_state: int, tables: Handover, specs: Sequence[str]
    ) -> Outcome:
        try:
            self._load(tables, specs)
            started = time.monotonic()
            outcome, compiled = self._try(spec, random_state, tables)
            if compiled:
                # Its seconds and its memory are partly those of the compiler.
                first = time.monotonic() - started
                outcome, _ = self._try(spec, random_state, tables, again=True)
                outcome = outcome.with_warm_up(first)
            if outcome.status == "ok" and not tables.is_one_table:
                outcome = self._measure_batch(outcome, tables)
            if outcome.status in {"memory", "killed"}:
                # Its heap can no longer be trusted; start a fresh process.
                self.close()
            return outcome
        except _SandboxEndedError as ended:
            self.close()
            return ended.outcome
        except StoreError as error:
            return environment(str(error))

    def warm_up(self, spec: str, sight: Sight) -> bool:
        """Compile for made-up tables; return whether the process survived.

        Raises
        ------
        StoreError
            If no process can start.
        """
        self.start()
        request = {"do": "warm_up", "spec": spec, "sight": list(sight)}
        try:
            self._ask(request, _WARM_UP_SECONDS)
        except _SandboxEndedError:
            self.close()
            return False
        return True

    def close(self) -> None:
        """Kill the process and its descendants, and remove its folder."""
        self._loaded, self._paused = None, []
        self._base, self._held, self._worked = -1, 0, 0.0
        if self._process:
            kill_tree(self._process, self._mark)
            self._process = None
        if self._channel:
            self._channel.close()
            self._channel = None
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        if self._folder:
            self._folder.remove()
            self._folder = None

    def start(self) -> None:
        """Start the process, unless it runs; fails where no process can start.

        Raises
        ------
        StoreError
            Naming the reason.
        """
        try:
            self._start()
        except _SandboxEndedError as ended:
            self.close()
            raise StoreError(ended.outcome.reason) from ended

    def _start(self) -> None:
        if self._process is not None:
            return
        limits, confined = self._limits, self._confinement
        self._mark = f"{self._run_mark}-{secrets.token_hex(8)}"
        try:
            own = (confined.place, confined.kernels)
            for folder in own:
                folder.mkdir(parents=True, exist_ok=True)
            self._folder = WorkingFolder(self._run_mark)
            self._process, self._channel, self._lifeline = launch(
                self._folder.path, *own, mark=self._mark, threads=limits.threads
            )
        except OSError as error:
            msg = f"no process can be started: {error}"
            if error.errno == errno.EAGAIN:
                msg = f"no process can be started: {_MORE_PROCESSES}"
            if limit_cure(error):
                msg = (
                    f"no process can be started: {error.strerror}; {limit_cure(error)}"
                )
            raise _SandboxEndedError(environment(msg)) from error
        hello = {
            "do": "hello",
            "sys_path": list(confined.sys_path),
            "hidden": [str(path) for path in confined.hidden],
            "writable": [str(folder) for folder in (self._folder.path, *own)],
            "ports": list(confined.ports),
            "address_space": (
                limits.memory_bytes + _ADDRESS_SLACK
                if limits.memory_bytes and not has_cuda()
                else 0
            ),
            "file_size": limits.memory_bytes,
        }
        try:
            answer, _ = self._ask(hello, _START_SECONDS)
        except _SandboxEndedError as ended:
            # No code of a detector has run yet, so it is not the detector's fault.
            msg = f"its process cannot be started: {ended.outcome.reason}"
            if startable(_SPARE) < _SPARE:
                msg += f"; {_MORE_PROCESSES}"
            raise _SandboxEndedError(environment(msg)) from None
        if "status" in answer:
            raise _SandboxEndedError(environment(str(answer.get("reason"))))
        self.layers = tuple(map(str, answer["enforced"]))
        if confined.is_required and not is_enforced(self.layers):
            msg = "--require-sandbox: this machine has no Landlock"
            raise _SandboxEndedError(environment(msg))
        self._child = int(answer["pid"])

    def _load(self, tables: Handover, specs: Sequence[str]) -> None:
        if self._loaded is tables and self._process:
            return
        if self._process and resident_tree(self._process.pid) > _REPLACE_BYTES:
            self.close()
        is_fresh = self._process is None
        self._start()
        try:
            answer, _ = self._ask(
                {"do": "load", "specs": list(specs), **tables.describe()},
                _START_SECONDS + self._limits.seconds,
                tables,
            )
        except _SandboxEndedError:
            if is_fresh:
                raise
            # An earlier trial broke the process; start another.
            self.close()
            self._load(tables, specs)
            return
        if "status" in answer:
            raise _SandboxEndedError(self._failed(answer, tables))
        self._loaded = tables

    def _try(
        self, spec: str, random_state: int, tables: Handover, *, again: bool = False
    ) -> tuple[Outcome, bool]:
        """Run a trial; return its outcome, and whether numba compiled meanwhile."""
        limit = self._limits.seconds
        self._base, self._held = -1, 0
        ready, prepared = self._ask(
            {
                "do": "prepare",
                "spec": spec,
                "random_state": random_state,
                "again": again,
            },
            limit + _COMPILE_SECONDS,
        )
        if "status" in ready:
            outcome = self._failed(ready, tables)
            if ready.get("is_missing") is True:
                # The driver of the run could import it, so this machine differs.
                outcome = environment(outcome.reason)
            return outcome, False
        assert self._process is not None
        if 0 < self._limits.memory_bytes < LEAST_MEMORY:
            self._base = resident_tree(self._process.pid)
        reset_peak_memory(self._child)
        before, _ = process_memory(self._child)
        fitted, fit = self._ask({"do": "fit"}, limit)
        if "status" in fitted:
            return self._failed(fitted, tables), False
        assert self._folder is not None
        with ScoreMemory(tables.n_test, self._folder.path) as memory:
            request = {"do": "score", "rows": tables.n_test}
            scored, score = self._ask(request, max(0.0, limit - fit), memory)
            peak = max(0, process_memory(self._child)[1] - before)
            fit_costs = seconds_of(fit, fitted, is_trusted=self._is_trusted)
            score_costs = seconds_of(score, scored, is_trusted=self._is_trusted)
            costs = {
                "fit_seconds": fit_costs.seconds,
                "score_seconds": score_costs.seconds,
                "shared_seconds": fit_costs.shared + score_costs.shared,
                "warmup_seconds": prepared,
                "peak_memory_bytes": memory_of(
                    peak, scored, is_trusted=self._is_trusted
                ),
            }
            if "status" in scored:
                return self._failed(scored, tables), False
            outcome = from_answer(
                scored,
                tables.n_test,
                scores=memory.read,
                costs=costs,
                version=ready.get("version"),
            )
        compiled = fit_costs.compiled + score_costs.compiled
        is_short = fit + score < _REPEAT_SECONDS
        return outcome, compiled > 0 and is_short

    def _measure_batch(self, outcome: Outcome, tables: Handover) -> Outcome:
        """Add the difference that the batch makes to the scores of a few rows."""
        rows = rows_to_repeat(tables.n_test)
        if not rows or outcome.scores is None:
            return outcome
        try:
            alone = self._score_some(rows)
            difference = batch_difference(alone, outcome.scores)
            if difference > 0 and alone is not None:
                # Scores that are drawn at random differ without another batch, too.
                again = self._score_some(rows)
                difference = batch_difference(alone, outcome.scores, again=again)
        except (_SandboxEndedError, StoreError):
            self.close()
            difference = batch_difference(None, outcome.scores)
        return replace(outcome, batch_difference=difference)

    def _score_some(self, rows: int) -> FloatArray | None:
        """Return the scores of the first rows alone; None if there are none."""
        assert self._folder is not None
        limit = max(_REPEAT_SECONDS, self._limits.seconds)
        with ScoreMemory(rows, self._folder.path) as memory:
            answer, _ = self._ask({"do": "score_some", "rows": rows}, limit, memory)
            scores = memory.read()
        if answer.get("shape") != [rows] or not np.isfinite(scores).all():
            return None
        return scores

    def _failed(self, answer: dict[str, Any], tables: Handover) -> Outcome:
        """Return the outcome of a failure; what the machine lacks is not its fault."""
        outcome = from_answer(answer, tables.n_test)
        folder = self._folder
        if answer.get("errno") in _FULL and folder and not has_room(folder.path):
            return environment(outcome.reason)
        if outcome.status == "memory" and most_memory() < self._limits.memory_bytes:
            # It met a limit of the shell before its own.
            return environment(f"{outcome.reason}; {MORE_MEMORY}")
        lacks = answer.get("errno") == errno.EAGAIN or is_lack_of_processes(
            outcome.reason
        )
        if lacks:
            # Without its own processes, there is room if it took it itself.
            self.close()
            if startable(_SPARE) < _SPARE:
                return environment(f"{outcome.reason}; {_MORE_PROCESSES}")
        return outcome

    def _died(self, process: subprocess.Popen[bytes]) -> Outcome:
        """Return the outcome of a process that ended; what the machine lacks counts."""
        outcome = from_exit(process)
        if self._worked > most_processor_seconds() - _CPU_SECONDS:
            reason = (
                "the processor time of a process is limited here; raise `ulimit -t`"
            )
            return environment(f"{outcome.reason}: {reason}")
        is_kill = process.returncode == -getattr(signal, "SIGKILL", 0)
        if not is_kill or out_of_memory_kills() == self._kills:
            return outcome
        held, limit = self._held, self._limits.memory_bytes
        is_near = held > limit * _NEAR
        told = (
            f"the machine ran out of memory: {show_bytes(held)} resident when last "
            f"measured, {'near' if is_near else 'below'} the limit of "
            f"{show_bytes(limit)}"
        )
        if is_near:
            return Outcome("memory", told, None, {})
        cure = "use fewer --jobs or less --memory-limit, or free memory"
        return environment(f"{told}; {cure}")

    def _ask(
        self,
        request: dict[str, Any],
        seconds: float,
        memory: Memory | None = None,
    ) -> tuple[dict[str, Any], float]:
        """Send a request and wait for its answer within the limits.

        Raises
        ------
        _SandboxEndedError
            If the process died or exceeded a limit.
        """
        assert self._channel is not None and self._process is not None  # noqa: PT018
        assert self._folder is not None
        resume(self._paused)
        self._paused = []
        request |= {"folder": str(self._folder.path), "id": secrets.token_hex(8)}
        watch = Watch(self._child, _POLL_SECONDS)
        self._channel.send(request, memory)
        received = bytearray()
        while not received.endswith(b"\n"):
            data = self._channel.receive(_POLL_SECONDS)
            if data is None:
                self._check(watch, seconds)
                continue
            if not data:
                raise _SandboxEndedError(self._died(self._process))
            received += data
            if len(received) > _ANSWER_LIMIT:
                raise _SandboxEndedError(broken("an answer of over 64 KiB"))
            watch.tick()
        spent = watch.end()
        return self._parsed(bytes(received), str(request["id"])), spent

    @staticmethod
    def _parsed(received: bytes, wanted: str) -> dict[str, Any]:
        try:
            answer = json.loads(received)
        except (ValueError, RecursionError):
            raise _SandboxEndedError(broken("an answer that is not JSON")) from None
        if not isinstance(answer, dict):
            raise _SandboxEndedError(broken("an answer that is not an object"))
        if answer.get("id") != wanted:
            raise _SandboxEndedError(broken("an answer to no request"))
        return answer

    def _check(self, watch: Watch, seconds: float) -> None:
        assert self._process is not None and self._folder is not None  # noqa: PT018
        watch.tick()
        if most_processor_seconds() < math.inf:
            self._worked = processor_seconds(self._child)
        if watch.running > seconds:
            reason = f"over the limit of {self._limits.seconds:g} s"
            raise _SandboxEndedError(
                Outcome("timeout", reason, None, {"fit_seconds": watch.running})
            )
        limit = self._limits.memory_bytes
        if not limit:
            return
        held = resident_tree(self._process.pid)
        self._held = max(self._held, held)
        if watch.is_due(_FOLDER_SECONDS):
            watch.folder_bytes = folder_bytes(self._folder.path)
        for amount, what in (
            (held, "resident"),
            (watch.folder_bytes, "of temporary files"),
        ):
            if amount > limit:
                reason = (
                    f"{show_bytes(amount)} {what}, over the limit of "
                    f"{show_bytes(limit)}"
                )
                grown = amount - self._base if self._base >= 0 else 0
                if limit < LEAST_MEMORY and grown < _GROWN_BYTES:
                    # Python and the libraries need that much, and not the detector.
                    reason += "; use fewer --jobs or more --memory-limit"
                    raise _SandboxEndedError(environment(reason))
                raise _SandboxEndedError(Outcome("memory", reason, None, {}))
