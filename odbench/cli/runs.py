"""`odbench runs`: list runs, show one, and remove results from it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from odbench.cli.options import PATH, format_option
from odbench.cli.rows import print_facts, print_rows

if TYPE_CHECKING:
    from odbench.sweep.inventory import Inventory

_VERSIONS = ("suite", "partition", "protocol", "detector", "config",
             "detector_version", "config_id", "trials", "failed", "generation",
             "state")  # fmt: skip
# A narrow terminal has room for the first of them.
_SHOWN = ("detector", "config", "state", "trials", "failed", "detector_version",
          "generation")  # fmt: skip


@click.group()
def runs() -> None:
    """List runs, show one, and remove results from it."""


@runs.command("list")
@click.argument("folder", metavar="[DIR]", type=PATH, default=Path("odbench-runs"))
@format_option()
def list_runs(*, folder: Path, form: str) -> int:
    """List the runs below DIR (default: odbench-runs).

    `versions` counts the versions of detectors; `earlier` the results of versions that
    newer ones replace, which no table ranks; `unfolded` the results in journals, of a
    run that goes on, or of an interrupted one that the same command takes over.
    """
    from odbench.sweep.inventory import find_runs, summary_rows

    rows, faults = summary_rows(find_runs(folder))
    columns = ("run", "suites", "trials", "failed", "versions", "earlier",
               "unfolded", "changed")  # fmt: skip
    print_rows(rows, columns, form)
    for fault in faults:
        click.echo(f"odbench: {fault}", err=True)
    return 3 if faults else 0


@runs.command(short_help="Show the request, results and versions of a run.")
@click.argument("run", type=PATH)
@format_option()
def show(*, run: Path, form: str) -> None:
    """Show the request of RUN, its results by status, and their versions."""
    from odbench.sweep.inventory import inventory

    found = inventory(run)
    rows = [
        {**version, "state": "present" if version["present"] else "earlier"}
        for version in found.versions
    ]
    if form == "csv":
        print_rows(rows, _VERSIONS, form)
    elif form == "json":
        _print_json(found, rows)
    else:
        _print_text(found, rows)


@runs.command(short_help="Remove results, with their kept scores, from a run.")
@click.argument("run", type=PATH)
@click.option("--detector", metavar="NAME", help="Only results of this detector.")
@click.option(
    "--dataset",
    metavar="GLOB",
    help="Only results on data sets whose names match GLOB.",
)
@click.option("--suite", metavar="NAME", help="Only results on this suite.")
@click.option(
    "--status", metavar="STATUS", help="Only results of this status, such as failed."
)
@click.option(
    "--old",
    is_flag=True,
    help="Only results of earlier versions of a detector, its parameters or a data "
    "set.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
def drop(*, run: Path, yes: bool, **options: Any) -> None:
    """Remove results that match all filters from RUN, with their kept scores.

    The same `odbench run` command measures them again. In a terminal, a question is
    asked first.
    """
    from odbench.api.runs import drop_from_run
    from odbench.sweep.drop import Filters, find_results
    from odbench.text import counted, printable

    filters = Filters(**options)
    found = find_results(run, filters)
    if found.total and not yes and sys.stdin.isatty():
        question = f"Remove {found.total} of {found.total + found.rest} results?"
        for line in found.lines():
            click.echo(printable(line))
        if not click.confirm(question):
            click.echo("nothing removed")
            return
    dropped = drop_from_run(run, filters)
    for line in dropped.lines():
        click.echo(printable(line))
    gone = counted(dropped.total, "result")
    files = counted(len(dropped.scores), "file")
    click.echo(
        f"{gone} and {files} of scores removed from {printable(str(run))}; "
        f"{counted(dropped.rest, 'result')} left"
    )


def _print_json(found: Inventory, rows: list[dict[str, Any]]) -> None:
    import json

    content = {
        "run": str(found.folder),
        "changed": found.changed,
        "command": found.command,
        "asked": found.asked,
        "trials": found.trials,
        "statuses": dict(found.statuses.most_common()),
        "earlier": found.earlier,
        "unfolded_journals": found.journals,
        "unfolded_results": found.journaled,
        "versions": [{name: row[name] for name in _VERSIONS} for row in rows],
    }
    click.echo(json.dumps(content, indent=1, ensure_ascii=False))


def _print_text(found: Inventory, rows: list[dict[str, Any]]) -> None:
    from odbench.text import printable

    counts = ", ".join(f"{n} {status}" for status, n in found.statuses.most_common())
    asked = ", ".join(f"{name}={_value(value)}" for name, value in found.asked.items())
    lines = {
        "run": str(found.folder),
        "changed": found.changed,
        "command": shlex.join(found.command),
        "asked": asked,
        "results": f"{found.trials} ({counts})" if counts else "0",
    }
    print_facts(lines)
    if rows:
        click.echo()
        print_rows(rows, _SHOWN, "table")
    click.echo()
    for line in _leftovers(found) or ["nothing is left over"]:
        click.echo(printable(line))


def _leftovers(found: Inventory) -> list[str]:
    from odbench.text import counted

    lines, run = [], shlex.quote(str(found.folder))
    if found.earlier:
        lines.append(
            f"{found.earlier} results are of earlier versions, which no table ranks; "
            f"`odbench runs drop {run} --old` removes them"
        )
    if found.writer:
        lines.append(
            f"process {found.writer} is running here; its journals hold "
            f"{counted(found.journaled, 'result')} so far"
        )
    elif found.journals:
        lines.append(
            f"an interrupted run left {counted(found.journaled, 'result')} in "
            f"journals; the same `odbench run` command takes them over"
        )
    return lines


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
