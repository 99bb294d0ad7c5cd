"""Check the machine before the first trial, and take a fall-back where there is one."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from odbench import provenance
from odbench.errors import RunBrokenError, StoreError, UsageError
from odbench.files import is_full, limit_cure, lost_working_folder
from odbench.results import RESULTS
from odbench.sweep.context import RunContext
from odbench.sweep.journal import journals
from odbench.sweep.limits import (
    MORE_MEMORY,
    largest_file,
    most_memory,
    most_processor_seconds,
)
from odbench.sweep.outcome import is_enforced
from odbench.sweep.places import HOME
from odbench.sweep.request import RunRequest
from odbench.sweep.room import LEAST_MEMORY, memory_of_each, workers
from odbench.sweep.sandboxes import Sandboxes
from odbench.text import counted, show_bytes
from odbench.threads import MORE_PROCESSES, refuse, startable

# Files that a worker and its detectors have open at once.
_FILES, _FILES_PER_JOB = 128, 64
# Processes and threads that are alive at once; libraries start one for each core.
_PROCESSES, _PROCESSES_PER_JOB = 8, 12
_GIB = 1 << 30
# Options of numba under which its code is not compiled, or not for speed.
_SLOW = (
    "NUMBA_DISABLE_JIT",
    "NUMBA_OPT",
    "NUMBA_BOUNDSCHECK",
    "NUMBA_DEBUGINFO",
    "NUMBA_ENABLE_PROFILING",
)
_FAST = ("", "0", "3", "max")
# Processor time that a driver or a trial may well need.
_LONG_SECONDS = 3_600
# Large enough for the tables and results of a suite.
_LONG_FILE = 1 << 30


@dataclass
class Machine:
    """The abilities of a machine that a run relies on.

    Attributes
    ----------
    backend : str
        The backend to use; not the one that was asked for if that cannot work here.
    layers : tuple of str
        The layers of the sandbox.
    remarks : list of str
        Remarks for the user, one line each.
    """

    backend: str
    layers: tuple[str, ...] = ()
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Share:
    """The workers that a machine has room for, and the memory of each.

    Attributes
    ----------
    jobs : int
        The number of workers.
    memory_bytes : int
        The memory limit of a trial.
    remarks : tuple of str
        Remarks for the user, one line each.
    """

    jobs: int
    memory_bytes: int
    remarks: tuple[str, ...]


def divide_machine(request: RunRequest) -> Share:
    """Choose the number of workers, and the memory of each, by the room that there is.

    Parameters
    ----------
    request : RunRequest
        Its `jobs` and `memory_limit` hold where they are given and possible.

    Raises
    ------
    NoProcessesError
        If not even one worker could start its processes.
    """
    remarks = []
    jobs = request.jobs or workers()
    if not request.jobs and jobs < provenance.cores():
        remarks.append(
            f"{_workers(jobs)} instead of {provenance.cores()}: this machine has "
            f"{provenance.memory_bytes() / _GIB:.1f} GiB of memory; --jobs N overrides"
        )
    if request.backend in {"loky", "threading"}:
        fitting = _with_processes(jobs)
        if fitting < jobs:
            remarks.append(
                f"{_workers(fitting)} instead of {jobs}: no more processes may be "
                f"started here; {MORE_PROCESSES}"
            )
            jobs = fitting
    if request.memory_limit is None:
        # A limit of the shell is one for each process, not for all together.
        memory = int(min(memory_of_each(jobs), most_memory()))
    else:
        memory = int(request.memory_limit * _GIB)
        if jobs * memory > provenance.memory_bytes():
            remarks.append(
                f"--memory-limit: {_workers(jobs)} with {memory / _GIB:g} GiB are more "
                f"than this machine has ({provenance.memory_bytes() / _GIB:.1f} GiB); "
                f"a trial that the system ends for that is not ranked"
            )
        if memory > most_memory():
            remarks.append(
                f"--memory-limit: {memory / _GIB:g} GiB are more than a process may "
                f"have here ({most_memory() / _GIB:.1f} GiB); a trial that fails for "
                f"that is not ranked; {MORE_MEMORY}"
            )
    if memory < LEAST_MEMORY:
        remarks.append(
            f"{show_bytes(memory)} of memory for a trial: Python and the libraries "
            f"alone may need {LEAST_MEMORY / _GIB:g} GiB; a trial that ends for that "
            f"is not ranked; use fewer --jobs or more --memory-limit"
        )
    return Share(jobs, memory, tuple(remarks))


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


def _with_processes(jobs: int) -> int:
    """Return how many workers can start their processes and threads."""
    fixed = _PROCESSES + provenance.cores()
    room = startable(fixed + _PROCESSES_PER_JOB * jobs)
    fitting = (room - fixed) // _PROCESSES_PER_JOB
    if fitting < 1:
        wanted = fixed + _PROCESSES_PER_JOB
        refuse(f"only {room} more may be started here, wanted {wanted} for one worker")
    return min(jobs, fitting)


def inspect_machine(request: RunRequest, context: RunContext, *, jobs: int) -> Machine:
    """Check the machine that runs the trials.

    Parameters
    ----------
    request : RunRequest
        The request.
    context : RunContext
        The settings of the run.
    jobs : int
        Number of workers.

    Returns
    -------
    Machine

    Raises
    ------
    RunBrokenError
        If no detector could run here.
    UsageError
        If a sandbox is required and there is none.
    """
    machine = Machine(request.backend)
    machine.remarks += [*_open_files(jobs), *_low_limits(), *_slow_seconds(jobs)]
    # One worker is this process, which shares no locks. To try one starts a process.
    if request.backend == "loky" and jobs > 1:
        reason = _no_locks()
        if reason:
            machine.backend = "threading"
            machine.remarks.append(
                f"no shared memory for worker processes ({reason}); "
                f"workers are threads instead, as with --backend threading"
            )
    _check_temporary_files()
    if request.backend not in {"dask", "ray"}:
        machine.layers = _layers(context)
        machine.remarks += _judge(machine.layers, require=request.require_sandbox)
    elif request.require_sandbox:
        # The machines of a cluster are checked by their own workers.
        machine.remarks.append("--require-sandbox: each worker checks its own machine")
    return machine


def _open_files(jobs: int) -> Iterator[str]:
    """Raise the number of files that may be open, or say that it is too low."""
    with contextlib.suppress(ImportError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _FILES + _FILES_PER_JOB * jobs
        if hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
        if soft < wanted:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        if wanted < _FILES:
            yield (
                f"only {wanted} files may be open at once, which may not be enough; "
                f"`ulimit -n {_FILES + _FILES_PER_JOB * jobs}` raises the limit"
            )


def _low_limits() -> Iterator[str]:
    """Say that a process may be ended, or a file be too large, before the run ends."""
    if most_processor_seconds() < _LONG_SECONDS:
        yield (
            f"a process is ended after {most_processor_seconds():.0f} s of processor "
            f"time here; if the run stops, raise `ulimit -t` and give the same command "
            f"again: finished trials are kept"
        )
    if largest_file() < _LONG_FILE:
        yield (
            f"no file may be larger than {largest_file() / (1 << 20):,.2f} MiB here, "
            f"which tables and results may exceed; raise the limit with `ulimit -f`"
        )


def _slow_seconds(jobs: int) -> Iterator[str]:
    """Say that this run's seconds are longer than those of others."""
    if jobs > provenance.cores():
        yield (
            f"{_workers(jobs)} on {counted(provenance.cores(), 'core')}: trials wait "
            f"for each other, and their seconds are longer than with fewer --jobs"
        )
    given = {name: os.environ.get(name, "") for name in _SLOW}
    slow = [f"{name}={value}" for name, value in given.items() if value not in _FAST]
    if slow:
        yield (
            f"{', '.join(slow)}: compiled detectors are slowed down, and their seconds "
            f"compare with no other run's; unset it for a run to publish"
        )


def _no_locks() -> str:
    """Return the reason why processes cannot share locks, empty if they can."""
    try:
        from joblib.externals.loky.backend.synchronize import Lock

        with _terminal_may_close():
            # It starts the process that removes the locks of those that were killed.
            lock = Lock()
        del lock
    except (ImportError, OSError) as error:
        return str(getattr(error, "strerror", None) or error)
    return ""


@contextlib.contextmanager
def _terminal_may_close() -> Iterator[None]:
    """Let a process that is started here outlive the terminal, as it does Ctrl-C.

    Its successor would complain of each lock that it does not know.
    """
    if not hasattr(signal, "SIGHUP"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _check_temporary_files() -> None:
    try:
        folder = Path(tempfile.gettempdir())
    except OSError as error:
        msg = (
            "temporary files: no folder for them can be written; make room in /tmp, or "
            "set TMPDIR to another folder"
        )
        raise RunBrokenError(msg) from error
    try:
        with tempfile.TemporaryFile() as probe:
            probe.write(bytes(1 << 16))
            probe.flush()
    except OSError as error:
        other = "make room there" if is_full(error) else "set TMPDIR to another folder"
        cure = limit_cure(error) or other
        msg = (
            f"temporary files: {str(folder)!r} cannot be written "
            f"({error.strerror or error}); {cure}"
        )
        raise RunBrokenError(msg) from error


def _layers(context: RunContext) -> tuple[str, ...]:
    """Start a detector's process once, and return the layers that hold there."""
    sandboxes = Sandboxes(context)
    try:
        return sandboxes.layers(HOME)
    except StoreError as error:
        msg = (
            f"detectors: no process can run them here: {error}; "
            f"`odbench detectors check ecod` tries one without a sandbox"
        )
        raise RunBrokenError(msg) from error
    finally:
        sandboxes.close()


def _judge(layers: tuple[str, ...], *, require: bool) -> Iterator[str]:
    if is_enforced(layers):
        return
    has = " and ".join(layers) or "nothing"
    if require:
        msg = (
            f"--require-sandbox: this system has no Landlock (only: {has}); run on "
            f"Linux 5.13 or newer with Landlock enabled, or trust the detectors"
        )
        raise UsageError(msg)
    yield (
        f"no sandbox on this system (only: {has}): a detector with native code could "
        f"read labels; run detectors that you trust, or use --require-sandbox"
    )


def is_inside(error: OSError, folder: Path) -> bool:
    """Check whether an error is about a file of a folder, or about none by name.

    A folder above it that could not be made counts as well.
    """
    if error.filename is None:
        return True
    named = Path(os.path.abspath(os.fsdecode(error.filename)))  # noqa: PTH100
    whole = folder.absolute()
    above = whole.is_relative_to(named) and not named.is_dir()
    # Workers name files without symbolic links.
    real = os.path.realpath(folder)
    return above or named.is_relative_to(whole) or named.is_relative_to(real)


def explain_os_error(error: OSError, folder: Path) -> str:
    """Return one line that names what failed, and the cure.

    Parameters
    ----------
    error : OSError
        Raised during a run.
    folder : Path
        The run's folder.
    """
    reason = error.strerror or str(error)
    named = str(error.filename) if error.filename is not None else ""
    if limit_cure(error):
        return (
            f"run {str(folder)!r}: {reason}; {limit_cure(error)} and give the same "
            f"command again: finished trials are kept"
        )
    if lost_working_folder(error):
        kept = "finished trials are" if folder.is_absolute() else "no trial is"
        return (
            f"run {str(folder)!r}: the working folder was deleted during the run, and "
            f"{kept} kept; change to another one with `cd` and give the same command "
            f"again"
        )
    if not is_inside(error, folder):
        return (
            f"run {str(folder)!r}: {named}: {reason}; finished trials are kept: mend "
            f"that and give the same command again"
        )
    if error.errno == errno.ENOENT:
        return _explain_removal(named, folder)
    cure = "make room" if is_full(error) or error.errno is None else "mend that"
    return (
        f"run {str(folder)!r}: cannot write results ({reason}); "
        f"finished trials are kept: {cure} and give the same command again"
    )


def _explain_removal(named: str, folder: Path) -> str:
    if (folder / RESULTS).exists() or journals(folder):
        return (
            f"run {str(folder)!r}: {named or 'a file'} was removed during the run; the "
            f"same command runs the trials whose results are missing"
        )
    return (
        f"run {str(folder)!r}: the folder was removed during the run, and no result is "
        f"kept; the same command runs all trials again"
    )
