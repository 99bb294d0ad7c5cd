"""``odbench run``: detectors on data sets, and a leaderboard at the end."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import click

from odbench.cli import complete
from odbench.cli.options import (
    FOLDER,
    SECONDS,
    glob_option,
    jobs_option,
    limit_option,
    mirror_option,
    partition_option,
    suite_option,
)
from odbench.cli.rows import terminal_width
from odbench.errors import UsageError
from odbench.text import counted, names_in

if TYPE_CHECKING:
    from pathlib import Path

    from odbench.leaderboard.run_table import Asked
    from odbench.sweep.prepare import Prepared
    from odbench.sweep.request import RunRequest
    from odbench.sweep.run import Summary

_SIZES = {"": 1.0, "G": 1.0, "GIB": 1.0, "GB": 1.0, "M": 2**-10, "MIB": 2**-10}


class _Gibibytes(click.ParamType[float]):
    name = "GIB"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", str(value).strip())
        if not found or found[2].upper() not in _SIZES:
            self.fail(f"got {value!r}, wanted GiB such as 8, 8G or 500M", param, ctx)
        return float(found[1]) * _SIZES[found[2].upper()]


@click.command()
@suite_option(required=True)
@click.option(
    "--detectors",
    "-d",
    multiple=True,
    shell_complete=complete.detectors,
    help="Comma-separated detectors: knn, knn:k=20, package.module:Class, "
    "file.py:Class or file.py:pipeline.  [default: the core zoo]",
)
@click.option(
    "--grid",
    is_flag=True,
    help="Also run every configuration in each detector's grid.",
)
@click.option(
    "--seeds",
    type=int,
    help="Number of seeds per stochastic detector.  [default: 5]",
)
@glob_option
@limit_option
@partition_option
@jobs_option(None)
@click.option(
    "--backend",
    type=click.Choice(["loky", "threading", "dask", "ray"]),
    default="loky",
    show_default=True,
    help="How workers are started.",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Address of a dask scheduler or a ray head."
)
@click.option(
    "--timeout",
    type=SECONDS,
    default="1h",
    show_default=True,
    help="Time limit per trial.",
)
@click.option(
    "--memory-limit",
    type=_Gibibytes(),
    help="Memory limit per trial.  [default: nine tenths of the machine's memory, "
    "divided by the workers]",
)
@mirror_option
@click.option(
    "--out",
    "-o",
    type=FOLDER,
    metavar="DIR",
    help="Folder for the results; finished trials found there are skipped.  "
    "[default: odbench-runs/SUITE]",
)
@click.option("--keep-scores", is_flag=True, help="Keep the score of every test row.")
@click.option(
    "--protocol",
    default="one-class",
    show_default=True,
    metavar="SETTING",
    help="Rows that a detector sees: one-class, transductive, unsupervised or "
    "contaminated=SHARE.",
)
@click.option(
    "--contamination",
    type=float,
    default=0.0,
    metavar="SHARE",
    help="The same as --protocol contaminated=SHARE.",
)
@click.option(
    "--require-sandbox",
    is_flag=True,
    help="Refuse to run where the kernel cannot keep detectors from the labels.",
)
@click.option("--retry-failed", is_flag=True, help="Run failed trials again.")
@click.option("--dry-run", is_flag=True, help="Show the plan without running it.")
@click.option("--quiet", "-q", is_flag=True, help="Do not show progress.")
def run(**options: Any) -> int:
    """Run detectors on data sets and print a leaderboard.

    The same command resumes an interrupted run. Failed trials count as done;
    --retry-failed runs them again.
    """
    from odbench.api.cache import cache_in_use
    from odbench.sweep.prepare import prepare

    dry_run = options.pop("dry_run")
    request = _request(options)
    with cache_in_use():
        prepared = prepare(request, pull=not dry_run)
        if dry_run:
            return _tell_plan(request, prepared)
        return _run(request, prepared)


def _request(options: dict[str, Any]) -> RunRequest:
    from odbench.plugins.find import parse_specs
    from odbench.sweep.request import RunRequest

    suites = tuple(names_in(options.pop("suite")))
    if not suites:
        msg = "--suite: got no name; `odbench suites` lists the suites"
        raise UsageError(msg)
    named = options.pop("detectors")
    detectors = [spec for text in named for spec in parse_specs(text)] or None
    if named and detectors is None:
        msg = "--detectors: got no name; `odbench detectors list` lists the detectors"
        raise UsageError(msg)
    quiet, mirror = options.pop("quiet"), options.pop("mirror")
    options["datasets"] = options.pop("pattern")
    options["mirror"] = None if mirror is None else str(mirror)
    return RunRequest(
        suites=suites, detectors=detectors, show_progress=not quiet, **options
    )


def _run(request: RunRequest, prepared: Prepared) -> int:
    from odbench.api.asked import asked_of, failures_of
    from odbench.sweep.prepare import say
    from odbench.sweep.run import execute

    if prepared.faults and not prepared.plan.total:
        for fault in dict.fromkeys(prepared.faults):
            say(f"no data set could be loaded: {fault}")
        return 3
    summary = execute(request, prepared)
    if request.show_progress:
        say(_sentence(summary))
    asked = asked_of(request, prepared)
    found = failures_of(summary.folder, asked, prepared)
    if found.trials:
        _print_table(summary.folder, asked, keeps_scores=request.keeps_scores)
    # A hub that cannot be reached gives the same reason for each of its data sets.
    for fault in dict.fromkeys(summary.faults):
        say(f"not used: {fault}")
    for line in found.lines():
        say(line)
    if summary.interrupted:
        return 130
    return 3 if not found.trials or found.causes or summary.faults else 0


def _print_table(folder: Path, asked: Asked, *, keeps_scores: bool) -> None:
    from odbench.leaderboard.run_table import table_of_run
    from odbench.results import SCORES
    from odbench.sweep.prepare import say

    table = table_of_run(folder, asked, width=terminal_width())
    for remark in table.remarks:
        say(remark)
    if table.is_unlabelled and keeps_scores:
        say(
            f"no public labels, so no leaderboard; scores are in {folder / SCORES}; "
            f"next: `odbench submission pack {shlex.quote(str(folder))}`"
        )
    else:
        click.echo(table.text)


def _sentence(summary: Summary) -> str:
    now = summary.counts.total()
    if not now and summary.done_before == summary.asked:
        return f"nothing to do: all {summary.asked:,} trials are in {summary.folder}"
    parts = [f"{count:,} {status}" for status, count in summary.counts.most_common()]
    before = f", {summary.done_before:,} done before" if summary.done_before else ""
    return (
        f"{counted(now, 'trial')} ({', '.join(parts) or 'none'}){before}; "
        f"results in {summary.folder}"
    )


def _tell_plan(request: RunRequest, prepared: Prepared) -> int:
    from odbench.sweep.finished import dependencies
    from odbench.sweep.plan import why_pending

    plan, earlier = prepared.plan, dependencies(request.folder)
    left = plan.total - plan.done
    click.echo(f"{counted(plan.total, 'trial')}: {plan.done:,} done, {left:,} to do")
    for reason, count in why_pending(plan, earlier).most_common():
        click.echo(f"  {count:>7,} {reason}")
    if left:
        from odbench.sweep.room import workers as fitting

        jobs = request.jobs or fitting()
        hours = prepared.time_left.left() / jobs / 3600
        workers = counted(jobs, "worker")
        guessed = ""
        if prepared.never_timed < left:
            click.echo(f"about {_spell(hours)} on {workers}, from earlier timings")
            guessed = ", guessed by the size of the data"
        if prepared.never_timed:
            never = counted(prepared.never_timed, "trial")
            click.echo(f"  {never} of configurations never timed{guessed}")
        size = sum(
            8 * (batch.record.n_train + batch.record.n_test) * batch.record.n_columns
            for batch in plan.pending
        )
        sets = counted(len(plan.pending), "data set")
        click.echo(f"{sets}, {size / 2**20:,.0f} MiB as arrays")
    click.echo(f"results go to {request.folder}")
    return 0


def _spell(hours: float) -> str:
    if hours < 1 / 60:
        return f"{hours * 3600:.0f} s"
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:.1f} h"
