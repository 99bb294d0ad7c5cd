"""Run detectors on data sets from Python."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.errors import RunBrokenError
from odbench.text import counted, names_in

if TYPE_CHECKING:
    from odbench.api.frames import Results


def run(
    suite: str | Iterable[str],
    *,
    detectors: Sequence[Any] | str | None = None,
    out: str | Path | None = None,
    show_progress: bool = True,
    grid: bool = False,
    seeds: int | None = None,
    datasets: str | None = None,
    limit: int | None = None,
    partition: str = "public",
    protocol: str = "one-class",
    contamination: float = 0.0,
    jobs: int | None = None,
    backend: str = "loky",
    scheduler: str | None = None,
    timeout: float = 3600.0,
    memory_limit: float | None = None,
    mirror: str | Path | None = None,
    keep_scores: bool = False,
    require_sandbox: bool = False,
    retry_failed: bool = False,
) -> Results:
    """Run detectors on data sets.

    Parameters
    ----------
    suite : str or iterable of str
        Names of suites, such as "oddbench".
    detectors : sequence or str, optional
        Names, specs (``"knn:k=20"``), classes or objects with scikit-learn's shape.
        The core zoo in its reference configuration by default.
    out : str or Path, optional
        The folder of the run, which then holds ``run.json``, ``results.parquet`` and
        ``leaderboard.csv`` as after `odbench run`; finished trials found there are
        skipped. A temporary folder by default.
    show_progress : bool
        Write a progress bar to stderr.
    grid : bool
        Also run every configuration in each detector's grid.
    seeds : int, optional
        Repetitions of each stochastic detector; 5 by default.
    datasets : str, optional
        A glob on the names of data sets.
    limit : int, optional
        Maximum number of data sets per suite.
    partition : {"public", "private"}
    protocol : str
        "one-class", "transductive", "unsupervised" or "contaminated=SHARE".
    contamination : float
        The same as ``protocol="contaminated=SHARE"``.
    jobs : int, optional
        Number of workers; one per core by default.
    backend : {"loky", "threading", "dask", "ray"}
    scheduler : str, optional
        Address of a dask scheduler or a ray head.
    timeout : float
        Seconds per trial.
    memory_limit : float, optional
        GiB per trial; nine tenths of the machine's memory, divided by the workers, by
        default.
    mirror : str or Path, optional
        A folder laid out like the hub, to read data from.
    keep_scores : bool
        Keep the score of every test row in `out`.
    require_sandbox : bool
        Refuse to run where detectors cannot be kept from the labels.
    retry_failed : bool
        Run failed trials again.

    Returns
    -------
    Results
        A data frame, one row per trial, the columns of `odbench.results.COLUMNS`. Its
        ``attrs`` hold ``"faults"``, a list with one text for each data set that could
        not be used and one if the machine did not allow trials that have earlier
        results, and ``"summary"``: numbers of trials ``"asked"``,
        ``"done_before"`` and, by status, finished by this call (``"counts"``).

    Raises
    ------
    OdbenchError
        If the call or the input is wrong, or no data set could be loaded.
    KeyboardInterrupt
        If the user stopped the run. Finished trials are in `out`, and the same call
        continues; without `out` they are lost.

    Warns
    -----
    UserWarning
        Once for each fault of a data set, for each configuration with failed trials,
        and for each remark on the table.

    Examples
    --------
    >>> import odbench
    >>> results = odbench.run("synbench-mini", detectors=["ecod"], limit=2)
    ... # doctest: +SKIP
    """
    from odbench.api.asked import asked_of, failures_of
    from odbench.api.cache import cache_in_use
    from odbench.api.frames import Results
    from odbench.leaderboard.run_table import table_of_run
    from odbench.plugins.specs import parse_specs
    from odbench.results import read_results
    from odbench.sweep.places import WorkingFolder
    from odbench.sweep.prepare import prepare
    from odbench.sweep.request import RunRequest
    from odbench.sweep.run import execute

    with ExitStack() as stack:
        stack.enter_context(cache_in_use())
        keep = out is not None
        if out is None:
            # Locked, so that a later run removes it if this process is killed.
            own = WorkingFolder(secrets.token_hex(8))
            stack.callback(own.remove)
            out = own.path
        request = RunRequest.of(
            suites=_names(suite),
            detectors=parse_specs(detectors)
            if isinstance(detectors, str)
            else detectors,
            out=Path(out),
            show_progress=show_progress,
            grid=grid,
            seeds=seeds,
            datasets=datasets,
            limit=limit,
            partition=partition,
            protocol=protocol,
            contamination=contamination,
            jobs=jobs,
            backend=backend,
            scheduler=scheduler,
            timeout=timeout,
            memory_limit=memory_limit,
            mirror=mirror,
            keep_scores=keep_scores,
            require_sandbox=require_sandbox,
            retry_failed=retry_failed,
        )
        prepared = prepare(request)
        faults = list(dict.fromkeys(prepared.faults))
        if faults and not prepared.plan.total:
            more = (
                f"; and {counted(len(faults) - 1, 'fault')} more" if faults[1:] else ""
            )
            msg = f"no data set could be loaded: {faults[0]}{more}"
            raise RunBrokenError(msg)
        summary = execute(request, prepared)
        if summary.interrupted:
            raise KeyboardInterrupt(_interrupted(summary.folder, kept=keep))
        asked = asked_of(request, prepared)
        found = failures_of(summary.folder, asked, prepared)
        remarks = [f"not used: {fault}" for fault in summary.faults] + found.lines()
        if keep and found.trials:
            remarks += table_of_run(summary.folder, asked).remarks
        results = Results(read_results(summary.folder))
    # Only values that JSON has, because pandas writes them into Parquet files.
    results.attrs["faults"] = list(dict.fromkeys(summary.faults))
    results.attrs["summary"] = {
        "asked": summary.asked,
        "done_before": summary.done_before,
        "counts": dict(summary.counts),
    }
    for remark in dict.fromkeys(remarks):
        warnings.warn(remark, stacklevel=2)
    return results


def _names(suite: Any) -> tuple[Any, ...]:
    """Return the suites of an argument; the request checks each."""
    if isinstance(suite, str):
        return tuple(names_in(suite)) or (suite,)
    several = isinstance(suite, Iterable)
    return tuple(
        str(one) if isinstance(one, Path) else one
        for one in (suite if several else [suite])
    )


def _interrupted(folder: Path, *, kept: bool) -> str:
    if kept:
        return f"finished trials are in {folder}; the same call continues"
    return "finished trials are lost; name a folder with out= to keep them"
