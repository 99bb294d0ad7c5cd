"""Run the trials that are left, and fold their results into the run's folder."""

from __future__ import annotations

import errno
import os
import secrets
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.errors import RunBrokenError, UsageError
from odbench.files import is_wrong_place, lost_working_folder
from odbench.results.schema import ENVIRONMENT
from odbench.sweep import journal
from odbench.sweep.finished import not_newest, read_frames, results_with
from odbench.sweep.fold import fold, is_folded, stored_generation
from odbench.sweep.folder import describes, locked, note_sandbox, write_run
from odbench.sweep.keys import Keys, key_texts
from odbench.sweep.prepare import Prepared, say, without_finished
from odbench.sweep.request import RunRequest
from odbench.text import counted

if TYPE_CHECKING:
    from odbench.sweep.context import RunContext
    from odbench.sweep.preflight import Machine
    from odbench.sweep.progress import Progress


@dataclass
class Summary:
    """How a run ended.

    Attributes
    ----------
    folder : Path
        The run's folder.
    asked, done_before : int
        Trials asked for, and those that had a result already.
    counts : Counter
        Trials finished by this run, by status.
    faults : list of str
        Data sets that could not be used, one line each; and one line if the machine
        did not allow trials that have earlier results.
    interrupted : bool
        True where the user stopped the run.
    """

    folder: Path
    asked: int = 0
    done_before: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    interrupted: bool = False


def execute(request: RunRequest, prepared: Prepared) -> Summary:
    """Run the trials that are left and fold the results.

    Parameters
    ----------
    request : RunRequest
        The request.
    prepared : Prepared
        From `odbench.sweep.prepare.prepare`.

    Returns
    -------
    Summary
        Also if the user interrupted the run: all finished trials are kept.

    Raises
    ------
    RunLockedError
        If another process writes to the same folder.
    UsageError
        If nothing can be written to the folder, the backend cannot be used, or a
        sandbox is required and there is none.
    NoProcessesError
        If a worker cannot start its processes or threads.
    RunBrokenError
        If no detector can run here, results cannot be written, or workers keep dying.
    """
    folder = request.folder
    summary = Summary(folder, prepared.plan.total, faults=list(prepared.faults))
    is_locked = False
    try:
        # A call that is refused changes nothing, so the machine is checked first.
        ready = _check(request, prepared) if prepared.batches else None
        (folder / journal.FOLDER).mkdir(parents=True, exist_ok=True)
        with locked(folder):
            is_locked = True
            _remove_leftovers(folder)
            # Only now can no other process run the same trials.
            prepared = without_finished(request, prepared)
            summary.done_before = prepared.plan.done
            has_work = bool(prepared.batches or prepared.oracle)
            if has_work or not describes(folder, prepared.configurations):
                write_run(request, prepared.configurations)
            if has_work:
                journal.begin_generation(folder, stored=stored_generation(folder))
            if ready is not None and prepared.batches:
                _sweep(request, prepared, ready, summary)
            if prepared.oracle:
                with journal.Journal(folder) as own:
                    for row in prepared.oracle:
                        own.append(row)
                summary.counts["ok"] += len(prepared.oracle)
            n_faults = summary.counts[ENVIRONMENT]
            reason = _common_reason(folder) if n_faults else ""
            if not is_folded(folder):
                fold(folder, each=prepared.times.learn_rows)
                prepared.times.save()
            summary.faults += _not_allowed(folder, n_faults, reason)
            _renew(folder, prepared)
    except OSError as error:
        from odbench.sweep.preflight import explain_os_error, is_inside

        # A file that is missing only now was there before: the place was right.
        is_removed = is_locked and error.errno == errno.ENOENT
        is_lost = is_removed or lost_working_folder(error)
        is_wrong = is_wrong_place(error) and not is_lost and not summary.counts
        if is_wrong and is_inside(error, folder):
            msg = (
                f"run {str(folder)!r}: the folder cannot be written "
                f"({error.strerror or error}); give another one with --out"
            )
            raise UsageError(msg) from error
        raise RunBrokenError(explain_os_error(error, folder)) from error
    return summary


def _remove_leftovers(folder: Path) -> None:
    """Remove the working folders of killed processes, whichever run they were of."""
    from odbench.sweep.places import remove_working_folders

    owner, token = folder / journal.FOLDER / journal.OWNER, ""
    with suppress(OSError, UnicodeError):
        token = owner.read_text(encoding="ascii")
    # Without a folder for temporary files, none was left.
    with suppress(OSError):
        remove_working_folders(token)
    owner.unlink(missing_ok=True)


def _common_reason(folder: Path) -> str:
    """Return the most common reason why the machine did not allow a trial."""
    generation = journal.last_generation(folder)
    reasons = Counter(
        row.get("reason")
        for row in journal.read_journals(folder, generation=generation)
        if row["status"] == ENVIRONMENT
    )
    return str(reasons.most_common(1)[0][0]) if reasons else ""


def _not_allowed(folder: Path, count: int, reason: str) -> Iterator[str]:
    """Say how many of the trials that the machine did not allow have earlier results.

    The row of such a trial is not kept, so no reader of the results would tell of it.
    """
    if count:
        generation = journal.last_generation(folder)
        for rows in read_frames(folder, ("status", "generation")):
            is_fault = rows["status"].eq(ENVIRONMENT)
            count -= int((is_fault & rows["generation"].eq(generation)).sum())
    if count > 0:
        yield (
            f"{counted(count, 'trial')} that this machine did not allow, mostly: "
            f"{reason}; the earlier results stay, and the same command runs what is "
            f"missing"
        )


def _renew(folder: Path, prepared: Prepared) -> None:
    """Make the asked trials the newest where another version is, or may be.

    An edit that is undone brings back trials that are done already, which do not run
    again. In files of older versions nothing tells which of two versions is newer.
    """
    others, asked = not_newest(folder), Keys()
    for record in prepared.records if len(others) else ():
        keys = prepared.plan.variants.keys(record)
        asked.add(key_texts(keys[others.contains(keys)]))
    if not len(asked):
        return
    journal.begin_generation(folder, stored=stored_generation(folder))
    with journal.Journal(folder) as own:
        for row in results_with(folder, asked):
            own.append(row)
    fold(folder)


@dataclass(frozen=True)
class _Ready:
    """A machine that can run the trials, and the settings for it."""

    machine: Machine
    context: RunContext
    jobs: int
    remarks: tuple[str, ...]


def _check(request: RunRequest, prepared: Prepared) -> _Ready:
    """Check the machine, or refuse the call."""
    from odbench.sweep.preflight import divide_machine, inspect_machine

    share = divide_machine(request)
    context = _context(request, prepared, share.memory_bytes)
    machine = inspect_machine(request, context, jobs=share.jobs)
    if machine.backend == "loky":
        context = replace(context, driver=os.getpid())
    return _Ready(machine, context, share.jobs, (*share.remarks, *machine.remarks))


def _sweep(
    request: RunRequest, prepared: Prepared, ready: _Ready, summary: Summary
) -> None:
    # Imported only here: a run that has finished needs none of them.
    from odbench.sweep.backends import run_batches
    from odbench.sweep.kernels import compile_kernels
    from odbench.sweep.places import remove_working_folders
    from odbench.sweep.processes import kill_marked
    from odbench.sweep.strikes import Strikes
    from odbench.threads import is_lack_of_processes, refuse

    folder = request.folder
    machine, context, jobs = ready.machine, ready.context, ready.jobs
    for remark in ready.remarks:
        say(remark)
    note_sandbox(folder, machine.layers)
    token = folder / journal.FOLDER / journal.OWNER
    stop = folder / journal.FOLDER / journal.STOP
    progress = _progress(request, prepared, jobs)
    token.write_text(context.token, encoding="ascii")
    stop.unlink(missing_ok=True)
    try:
        with (
            ExitStack() as stack,
            _interruptible(stop, summary),
            journal.Journal(folder) as own,
        ):
            if machine.backend in {"loky", "threading"}:
                compile_kernels(
                    prepared.batches,
                    context,
                    jobs=jobs,
                    show=request.show_progress,
                    stopped=lambda: summary.interrupted,
                )
            stack.enter_context(progress)
            strikes = Strikes(folder, progress, own)
            for report in run_batches(
                prepared.batches,
                context,
                backend=machine.backend,
                jobs=jobs,
                scheduler=request.scheduler,
                remaining=strikes.remaining,
                stopped=lambda: summary.interrupted,
            ):
                for row in report.rows:
                    own.append(row)
                own.check()
                if report.fault:
                    summary.faults.append(report.fault)
                if report.fatal is not None:
                    raise report.fatal
    except KeyboardInterrupt:
        summary.interrupted = True
    except (RuntimeError, OSError) as error:
        if not is_lack_of_processes(error):
            raise
        refuse(
            f"no more may be started for run {str(folder)!r}; finished trials are "
            f"kept, and the same command continues with fewer --jobs"
        )
    finally:
        kill_marked(context.token)
        remove_working_folders(context.token)
        stop.unlink(missing_ok=True)
        token.unlink(missing_ok=True)
        summary.counts = progress.counts


def _progress(request: RunRequest, prepared: Prepared, jobs: int) -> Progress:
    from odbench.sweep.progress import Progress

    return Progress(
        request.folder,
        sum(map(len, prepared.batches)),
        show=request.show_progress,
        time_left=prepared.time_left,
        jobs=jobs,
    )


def _context(request: RunRequest, prepared: Prepared, memory: int) -> RunContext:
    from odbench.sweep.context import RunContext
    from odbench.sweep.hidden import allowed_ports, mirror_paths
    from odbench.sweep.sandbox import Limits

    return RunContext(
        out=request.folder.resolve(),
        token=secrets.token_hex(8),
        protocol=prepared.plan.variants.protocol,
        limits=Limits(seconds=request.timeout, memory_bytes=memory),
        mirror=request.mirror,
        hidden=mirror_paths(request.mirror),
        # A user's own modules are found from the folder where the command is typed.
        sys_path=tuple(dict.fromkeys([str(Path.cwd()), *filter(None, sys.path)])),
        require_sandbox=request.require_sandbox,
        keep_scores=request.keeps_scores,
        ports=allowed_ports(),
        selects=request.grid,
        driver=0,
    )


@contextmanager
def _interruptible(stop: Path, summary: Summary) -> Iterator[None]:
    """Let the first Ctrl-C finish the running trials, and the second stop at once.

    SIGTERM stops at once too, because a cluster allows only seconds after it, and so
    does a terminal that closes, unless ``nohup`` lets the command outlive it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    stops_now = False

    def on_signal(number: int, frame: Any) -> None:  # noqa: ARG001
        nonlocal stops_now
        stops_now = summary.interrupted or number != signal.SIGINT
        # Python drops an exception that is raised while it finalizes an object; then
        # the run ends as after the first Ctrl-C.
        summary.interrupted = True
        stop.touch()
        if stops_now:
            raise KeyboardInterrupt
        sys.stderr.write(
            "\nodbench: finishing the running trials; Ctrl-C again to stop now\n"
        )

    numbers = [signal.SIGINT, signal.SIGTERM]
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        numbers.append(hang_up)
    before = [signal.signal(number, on_signal) for number in numbers]
    try:
        yield
    except Exception as error:
        # An error of joblib, interrupted while its threads start, is no fault.
        if stops_now:
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
