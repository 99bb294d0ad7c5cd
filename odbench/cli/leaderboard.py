"""`odbench leaderboard`: the group, and its commands build, compare and diff."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import click

from odbench.cli.leaderboard_export import export
from odbench.cli.leaderboard_publish import eval_results, publish
from odbench.cli.leaderboard_show import show
from odbench.cli.options import FOLDER, PATH, format_option, settings_options
from odbench.cli.rows import emit, terminal_width
from odbench.cli.warned import warnings_as_lines
from odbench.errors import UsageError


@click.group()
def leaderboard() -> None:
    """Build, show, compare, export and publish leaderboards."""


for command in (show, export, publish, eval_results):
    leaderboard.add_command(command)


@leaderboard.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=PATH)
@click.option(
    "--out",
    required=True,
    type=FOLDER,
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
    from odbench.results import RESULTS

    if (out / RESULTS).is_file():
        msg = f"--out {str(out)!r}: is the folder of a run; name another folder"
        raise UsageError(msg)
    settings = Settings(permutations=permutations, cluster=cluster, seed=seed)
    with warnings_as_lines():
        evaluated = read_evaluated(out)
        built = build_files(runs, settings=settings, evaluated=evaluated)
    if not check:
        write_files(built.files, out)
        click.echo(render_table(built.tables, width=terminal_width()))
        for remark in built.remarks:
            click.echo(
                "\n" + textwrap.fill(remark, min(terminal_width() or WIDTH, WIDTH))
            )
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

    from odbench.leaderboard.load import of_suite, read_present
    from odbench.leaderboard.pair_text import render_pairs
    from odbench.leaderboard.pairs import compare_methods, runs_below
    from odbench.leaderboard.tables import Settings

    if not permutations:
        msg = (
            "compare --permutations 0: the tests are made of sign flips; wanted 1 or "
            "more, or leave it out for 10,000"
        )
        raise UsageError(msg)
    settings = Settings(permutations=permutations, cluster=cluster, seed=seed)
    with warnings_as_lines():
        frames = [read_present(run) for run in runs_below(source)]
    results = of_suite(pd.concat(frames, ignore_index=True), suite)
    first, second = _as_recorded(first), _as_recorded(second)
    table = compare_methods(results, first, second, settings=settings)
    if form == "table":
        click.echo(render_pairs(table, width=terminal_width()))
    else:
        emit(table, form)


def _as_recorded(text: str) -> str:
    """Return a configuration as results name it: without its default parameters."""
    from odbench.errors import OdbenchError
    from odbench.plugins.find import find_detector

    if ":" not in text and "[" not in text:
        return text
    try:
        found = find_detector(text)
    except (OdbenchError, ImportError):
        # The detector of a result may not be installed here.
        return text
    return (
        found.info.name if not found.overrides else f"{found.info.name}:{found.label}"
    )


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
        click.echo(render_diff(changes, terminal_width()))
    else:
        emit(changes, form)
