"""`odbench leaderboard`: build, show and compare leaderboards."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from odbench.cli.leaderboard_publish import publish
from odbench.cli.options import PATH, format_option, settings_options
from odbench.cli.warned import warnings_as_lines
from odbench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

_POLICIES = ("main", "chance", "worst", "base-rate", "complete-case", "mean-of-others")


@click.group()
def leaderboard() -> None:
    """Build, show, compare and publish leaderboards."""


leaderboard.add_command(publish)


@leaderboard.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=PATH)
@click.option(
    "--out",
    required=True,
    type=PATH,
    metavar="DIR",
    help="Folder for the tables; created if it does not exist.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; exit with 3 and name the first file of --out that differs.",
)
@settings_options
def build(
    *,
    runs: tuple[Path, ...],
    out: Path,
    check: bool,
    permutations: int,
    cluster: Any,
    seed: int,
) -> None:
    """Write the leaderboards of all suites in the results of RUN...

    RUN is a results.parquet or the folder of a run. Tables of evaluated submissions in
    the folder of --out are shown on the page.
    """
    from odbench.leaderboard.build import build_files, first_difference, write_files
    from odbench.leaderboard.evaluated import read_evaluated
    from odbench.leaderboard.tables import Settings
    from odbench.leaderboard.terminal import WIDTH, render_table

    settings = Settings(permutations=permutations, cluster=cluster, seed=seed)
    with warnings_as_lines():
        evaluated = read_evaluated(out)
        built = build_files(runs, settings=settings, evaluated=evaluated)
    if not check:
        write_files(built.files, out)
        click.echo(render_table(built.tables))
        for remark in built.remarks:
            click.echo("\n" + textwrap.fill(remark, WIDTH))
        click.echo(f"{len(built.files)} files written to {out}", err=True)
        return
    different = first_difference(built.files, out)
    if different is not None:
        fault = (
            "differs from what the results give; build again without --check"
            if different in built.files
            else "does not come from these results; remove it"
        )
        click.echo(f"odbench: {out / different} {fault}", err=True)
        raise SystemExit(3)
    click.echo(f"{len(built.files)} files of {out} are what the results give", err=True)


@leaderboard.command()
@click.argument("source", metavar="DIR|RUN", type=PATH)
@click.option("--suite", help="Show only this suite.")
@click.option("--partition", help="Show only this partition.")
@click.option(
    "--slice",
    "part",
    metavar="NAME[=LEVEL]",
    help="Show part of the data sets: size, dimension, 'domain=Science', ...",
)
@click.option(
    "--policy",
    type=click.Choice(_POLICIES),
    default="main",
    show_default=True,
    help="Value of a failed trial.",
)
@click.option("--sort", default="place", show_default=True, help="Column to sort by.")
@format_option("table", "csv", "json")
@settings_options
def show(
    *,
    source: Path,
    suite: str | None,
    partition: str | None,
    part: str | None,
    policy: Any,
    sort: str,
    form: str,
    permutations: int,
    cluster: Any,
    seed: int,
) -> None:
    """Print a leaderboard from a built folder or from a run.

    Tables of evaluated submissions in a built folder are printed, too; in CSV and JSON,
    which hold one kind of table, only with --partition private.
    """
    from odbench.leaderboard.evaluated import render_evaluated
    from odbench.leaderboard.load import Part, is_built, load_leaderboard, load_slices
    from odbench.leaderboard.tables import Settings
    from odbench.leaderboard.terminal import render_table, sorted_by
    from odbench.text import printable

    settings = Settings(permutations=permutations, cluster=cluster, seed=seed)
    evaluated = [] if part else _submitted(source, suite, partition)
    with warnings_as_lines():
        if evaluated and not is_built(source):
            parts = []
        elif part:
            parts = load_slices(source, part, policy=policy, settings=settings)
        else:
            table = load_leaderboard(source, policy=policy, settings=settings)
            parts = [Part("", "", table)]
    parts = [p._replace(table=_selected(p.table, suite, partition)) for p in parts]
    parts = [p for p in parts if len(p.table)]
    if not parts and not evaluated:
        msg = (
            f"leaderboard {str(source)!r}: nothing for suite {suite or 'any'!r}, "
            f"partition {partition or 'any'!r}"
        )
        raise UsageError(msg)
    if form == "table":
        for i, p in enumerate(parts):
            heading = printable(f"{p.slice}: {p.level}") + "\n" if p.slice else ""
            text = render_table(p.table, sort=sort, policy=policy)
            click.echo(("\n" if i else "") + heading + text)
        for i, each in enumerate(evaluated, len(parts)):
            click.echo(("\n" if i else "") + render_evaluated(each))
        return
    import pandas as pd

    # Submissions have other columns, so they are printed only if nothing else is.
    tables = [sorted_by(p.table, sort) for p in parts]
    tables = tables or [pd.DataFrame(list(each.rows)) for each in evaluated]
    _emit(pd.concat(tables, ignore_index=True), form)


@leaderboard.command()
@click.argument("source", metavar="RUN", type=PATH)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--suite", help="Compare on this suite only.")
@format_option("table", "csv", "json")
@settings_options
def compare(
    *,
    source: Path,
    first: str,
    second: str,
    suite: str | None,
    form: str,
    permutations: int,
    cluster: Any,
    seed: int,
) -> None:
    """Compare two configurations, A and B, in the results of RUN.

    RUN is a results file, the folder of a run, a folder of runs, or a leaderboard's
    folder with its runs in runs/. A and B are detectors as for --detectors, such as
    knn or knn:k=20. Prints the paired difference in AUROC and AP with intervals, tests,
    wins, ties and losses, for all data sets and per slice.
    """
    import pandas as pd

    from odbench.leaderboard.load import read_present
    from odbench.leaderboard.pair_text import render_pairs
    from odbench.leaderboard.pairs import compare_methods, runs_below
    from odbench.leaderboard.tables import Settings

    settings = Settings(permutations=permutations, cluster=cluster, seed=seed)
    with warnings_as_lines():
        frames = [read_present(run) for run in runs_below(source)]
    results = pd.concat(frames, ignore_index=True)
    if suite is not None:
        results = results[results["suite"] == suite]
    table = compare_methods(results, first, second, settings=settings)
    if form == "table":
        click.echo(render_pairs(table))
    else:
        _emit(table, form)


@leaderboard.command()
@click.argument("before", metavar="A", type=PATH)
@click.argument("after", metavar="B", type=PATH)
@format_option("table", "csv", "json")
@settings_options
def diff(
    *, before: Path, after: Path, form: str, permutations: int, cluster: Any, seed: int
) -> None:
    """Show changes in rank between two leaderboards, A and B.

    A and B are built folders, runs, results files or leaderboard CSV files. A change is
    within the interval if each Elo rating lies in the other's 95 % interval.
    """
    from odbench.leaderboard.diff import compare, render_diff
    from odbench.leaderboard.load import load_leaderboard
    from odbench.leaderboard.tables import Settings

    settings = Settings(permutations=permutations, cluster=cluster, seed=seed)
    with warnings_as_lines():
        tables = [load_leaderboard(path, settings=settings) for path in (before, after)]
    changes = compare(*tables)
    if form == "table":
        click.echo(render_diff(changes))
    else:
        _emit(changes, form)


def _submitted(source: Path, suite: str | None, partition: str | None) -> list[Any]:
    """Return the tables of evaluated submissions of a built folder."""
    from odbench.leaderboard.evaluated import read_evaluated

    return [
        each
        for each in read_evaluated(source)
        if suite in (None, each.suite) and partition in (None, each.partition)
    ]


def _selected(
    table: pd.DataFrame, suite: str | None, partition: str | None
) -> pd.DataFrame:
    for column, wanted in (("suite", suite), ("partition", partition)):
        if wanted is not None:
            table = table[table[column] == wanted]
    return table


def _emit(table: pd.DataFrame, form: str) -> None:
    from odbench.leaderboard.formats import csv_bytes, rounded

    if form == "csv":
        click.echo(csv_bytes(table).decode(), nl=False)
    else:
        click.echo(rounded(table).to_json(orient="records", indent=2))
