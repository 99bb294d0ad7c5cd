"""Run batches through joblib, here or on a cluster, and survive dying workers."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import re
import socket
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from odbench.errors import RunBrokenError, UsageError
from odbench.sweep.orphans import end_with

if TYPE_CHECKING:
    from odbench.sweep.context import RunContext
    from odbench.sweep.trials import Batch
    from odbench.sweep.worker import Report

CLUSTERS = ("dask", "ray")
BACKENDS = ("loky", "threading", *CLUSTERS)
# The run fails when the pool breaks this often in a row without a finished trial.
_FRUITLESS = 5
# Seconds in which a scheduler or a head must answer.
_ANSWER = 20.0
# Ray asks a head this often, 40 s each, if something else answers at its address; its
# own default is 20 times.
_ASKED = ("RAY_NUM_REDIS_GET_RETRIES", "3")
# The start of joblib's warning that tasks were cancelled, or done for nothing.
_ADVICE = r"\d+ tasks (which were still|have been successfully)"

_SAFE_PATH = "PYTHONSAFEPATH"
# The runs that use loky's pool now, and what they share.
_POOL = threading.Lock()
_pool_users, _has_workers = 0, False
_safe_path_before: str | None = None


def run_batches(
    batches: list[Batch],
    context: RunContext,
    *,
    backend: str,
    jobs: int,
    scheduler: str | None = None,
    remaining: Callable[[list[Batch]], list[list[Batch]]],
    stopped: Callable[[], bool],
) -> Iterator[Report]:
    """Run batches in parallel and yield their reports, in any order.

    When a worker process dies, a new pool continues with the trials that are left.

    Parameters
    ----------
    batches : list of Batch
        Longest first. The trials of each are made shortly before they start.
    context : RunContext
        The settings of the run.
    backend : str
        One of `BACKENDS`.
    jobs : int
        Number of workers on this machine; not used for an existing cluster.
    scheduler : str or None
        Address of a dask scheduler or a ray head; None for one on this machine.
    remaining : callable
        Reduces batches to the trials without a result, and returns them in rounds that
        must not run at the same time; called after the pool broke.
    stopped : callable
        Returns True once no further batch should start.

    Raises
    ------
    UsageError
        If the backend is unknown or not installed.
    RunBrokenError
        If the pool breaks 5 times in a row without a finished trial, or dask loses its
        scheduler.
    """
    rounds, fruitless, left = [batches], 0, _trials(batches)
    with _cluster(backend, jobs, scheduler) as (options, deaths):
        while rounds and not stopped():
            try:
                yield from _through_joblib(rounds[0], context, options, stopped)
            except deaths as error:
                rounds = remaining(list(itertools.chain(*rounds)))
                batches = list(itertools.chain(*rounds))
                fruitless = fruitless + 1 if _trials(batches) == left else 0
                left = _trials(batches)
                if fruitless >= _FRUITLESS:
                    msg = f"run: workers die before any trial ends ({error})"
                    raise RunBrokenError(msg) from error
            else:
                del rounds[0]


def _trials(batches: Iterable[Batch]) -> int:
    return sum(map(len, batches))


def _through_joblib(
    batches: list[Batch],
    context: RunContext,
    options: dict[str, Any],
    stopped: Callable[[], bool],
) -> Iterator[Report]:
    from joblib import Parallel, delayed, parallel_config

    # Imported only here: a run that has finished needs no worker.
    from odbench.sweep.worker import close_sandbox, run_batch

    def feed() -> Iterator[Any]:
        for batch in batches:
            if stopped():
                return
            yield delayed(run_batch)(batch.record, tuple(batch.trials()), context)

    ray = options["backend"] == "ray"
    try:
        with parallel_config(**options):
            reports = Parallel(
                # Ray's pool returns nothing before all batches are done; progress then
                # comes from the journals.
                return_as="list" if ray else "generator_unordered",
                # Batches are few and long, so each is sent alone.
                batch_size=1,
                pre_dispatch="n_jobs + 2",
            )(feed())
            try:
                # `yield from` would close the reports itself, with the warning.
                for report in reports:  # noqa: UP028
                    yield report
            finally:
                _close(reports)
    finally:
        # With the threading backend, this process may have a sandbox.
        close_sandbox()


def _close(reports: Iterable[Report]) -> None:
    """Stop the work on reports that nobody will read, such as after a full disk.

    joblib then advises to change the call, which says nothing to a user.
    """
    if isinstance(reports, Generator):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", _ADVICE, UserWarning)
            reports.close()


@contextlib.contextmanager
def _cluster(
    backend: str, jobs: int, scheduler: str | None
) -> Iterator[tuple[dict[str, Any], tuple[type[BaseException], ...]]]:
    """Give joblib's options for a backend, and the errors raised for a dead worker."""
    if backend == "loky":
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        with _pool(jobs):
            options = {
                "backend": "loky",
                "n_jobs": jobs,
                "initializer": end_with,
                "initargs": (os.getpid(),),
            }
            yield options, (TerminatedWorkerError,)
    elif backend == "threading":
        yield {"backend": "threading", "n_jobs": jobs}, ()
    elif backend == "dask":
        with _dask(jobs, scheduler) as client:
            from distributed import KilledWorker

            options = {"backend": "dask", "n_jobs": -1, "client": client}
            try:
                yield options, (KilledWorker,)
            except CancelledError as error:
                # Dask cancels all tasks when it loses the scheduler.
                msg = (
                    f"run: dask gave up the trials ({_first_line(error)}); finished "
                    f"ones are kept: check the scheduler, then repeat the command"
                )
                raise RunBrokenError(msg) from error
    elif backend == "ray":
        with _ray(jobs, scheduler) as deaths:
            yield {"backend": "ray", "n_jobs": -1}, deaths
    else:
        msg = f"backend {backend!r}: wanted one of {', '.join(BACKENDS)}"
        raise UsageError(msg)


@contextlib.contextmanager
def _pool(jobs: int) -> Iterator[None]:
    """Let the workers of loky start safely, and end them with the last run.

    A process has one pool and one environment, which runs in several threads share.
    """
    global _pool_users, _has_workers, _safe_path_before  # noqa: PLW0603
    with _POOL:
        if not _pool_users:
            # Workers start as `python -m`, which puts the working folder before the
            # libraries: a user's numbers.py would replace the standard one.
            _safe_path_before = os.environ.get(_SAFE_PATH)
            os.environ[_SAFE_PATH] = "1"
        _pool_users += 1
        # One job runs in this process. Asked for then, a pool would be made.
        _has_workers |= jobs > 1
    try:
        yield
    finally:
        with _POOL:
            _pool_users -= 1
            if not _pool_users:
                has_workers, _has_workers = _has_workers, False
                _end_pool(has_workers=has_workers)


def _end_pool(*, has_workers: bool) -> None:
    from joblib.externals.loky import get_reusable_executor

    if _safe_path_before is None:
        os.environ.pop(_SAFE_PATH, None)
    else:
        os.environ[_SAFE_PATH] = _safe_path_before
    if has_workers:
        get_reusable_executor().shutdown(wait=False, kill_workers=True)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or _first_line(error)


def check_cluster(backend: str, scheduler: str | None) -> None:
    """Refuse a cluster that cannot be used, before anything is written.

    Parameters
    ----------
    backend : str
        One of `BACKENDS`; those of this machine always pass.
    scheduler : str or None
        Address of a dask scheduler or a ray head; None for one on this machine.

    Raises
    ------
    UsageError
        If the backend is not installed, or no dask scheduler or ray head answers.
    """
    if backend == "dask":
        distributed = _distributed()
        if scheduler:
            _client(distributed, scheduler).close()
    elif backend == "ray":
        _check_ray(scheduler)


def _check_ray(scheduler: str | None) -> None:
    if scheduler is None:
        _ray_module()
        return
    with _started_ray(1, scheduler):
        # Connected, so it can be used.
        pass


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        msg = "backend 'dask': not installed: pip install 'odbench[dask]'"
        raise UsageError(msg) from None
    return distributed


def _client(distributed: Any, scheduler: str) -> Any:
    try:
        return distributed.Client(scheduler, timeout=_ANSWER)
    except (OSError, ValueError) as error:
        msg = (
            f"scheduler {scheduler!r}: no dask scheduler answers "
            f"({_reason(error)}); give the address that `dask scheduler` prints, "
            f"such as tcp://HOST:8786"
        )
        raise UsageError(msg) from error


@contextlib.contextmanager
def _dask(jobs: int, scheduler: str | None) -> Iterator[Any]:
    distributed = _distributed()
    if scheduler:
        with _client(distributed, scheduler) as client:
            yield client
        return
    with (
        distributed.LocalCluster(
            n_workers=jobs, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextlib.contextmanager
def _ray(jobs: int, scheduler: str | None) -> Iterator[tuple[type[BaseException], ...]]:
    with _started_ray(jobs, scheduler) as ray:
        from ray.util.joblib import register_ray

        register_ray()
        yield (ray.exceptions.RayError,)


@contextlib.contextmanager
def _started_ray(jobs: int, scheduler: str | None) -> Iterator[Any]:
    """Give ray, connected to a head or started here; a session of the caller stays."""
    if scheduler:
        os.environ.setdefault(*_ASKED)
    ray = _ray_module()
    if ray.is_initialized():
        yield ray
        return
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if scheduler is None:
        ray.init(num_cpus=jobs, include_dashboard=False, **quiet)
    else:
        try:
            _check_port(scheduler)
            ray.init(address=scheduler, **quiet)
        except (OSError, ValueError, RuntimeError) as error:
            msg = (
                f"scheduler {scheduler!r}: no ray head answers ({_reason(error)}); "
                f"give the address that `ray start --head` prints, such as HOST:6379"
            )
            raise UsageError(msg) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_port(address: str) -> None:
    """Raise an OSError if nothing listens there: ray itself would try for minutes."""
    found = re.fullmatch(r"(?:ray://)?\[?([^/@]+?)\]?:(\d{1,5})", address)
    if found:
        socket.create_connection((found[1], int(found[2])), _ANSWER).close()


def _ray_module() -> Any:
    try:
        import ray
    except ImportError:
        msg = "backend 'ray': not installed: pip install 'odbench[ray]'"
        raise UsageError(msg) from None
    return ray
