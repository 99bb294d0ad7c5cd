"""`odbench leaderboard show`: print a leaderboard, alone or among published results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from odbench.cli.options import PATH, format_option, settings_options
from odbench.cli.rows import emit, terminal_width
from odbench.cli.warned import warnings_as_lines
from odbench.errors import UsageError

if TYPE_CHECKING:
    from odbench.leaderboard.load import Part
    from odbench.leaderboard.tables import Settings
    from odbench.scoring.policy import Policy

_POLICIES = ("main", "chance", "worst", "base-rate", "complete-case", "mean-of-others")


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """The part of a leaderboard that is shown."""

    source: Path
    suite: str | None
    partition: str | None
    part: str | None
    policy: Policy
    sort: str
    settings: Settings


@click.command()
@click.argument("source", metavar="DIR|RUN", type=PATH)
@click.option("--suite", help="Show only this suite.")
@click.option("--partition", help="Show only this partition.")
@click.option(
    "--with-published",
    is_flag=True,
    help="Show RUN among the published results, on the data sets that both have.",
)
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
    form: str,
    with_published: bool,
    permutations: int,
    cluster: Any,
    seed: int,
    **options: Any,
) -> None:
    """Print a leaderboard from a built folder or from a run.

    Tables of evaluated submissions in a built folder are printed, too; in CSV and JSON,
    which hold one kind of table, only with --partition private.
    """
    from odbench.leaderboard.tables import Settings

    settings = Settings(permutations=permutations, cluster=cluster, seed=seed)
    wanted = _Wanted(settings=settings, **options)
    submitted = [] if wanted.part or with_published else _submitted(wanted)
    with warnings_as_lines():
        if with_published:
            parts = _parts_with_published(wanted)
        else:
            parts = _parts(wanted, has_submissions=bool(submitted))
    there = _places(parts)
    parts = [part for part in map(_selector(wanted), parts) if len(part.table)]
    if not parts and not submitted:
        msg = f"leaderboard {str(wanted.source)!r}: {_nothing(wanted, there)}"
        raise UsageError(msg)
    if form == "table":
        _print_blocks(parts, submitted, wanted)
    else:
        _print_data(parts, submitted, wanted, form)


def _nothing(wanted: _Wanted, there: Collection[str]) -> str:
    """Say that nothing is left of what was asked for, and what there is."""
    asked = {
        "suite": wanted.suite,
        "partition": wanted.partition,
        "policy": None if wanted.policy == "main" else wanted.policy,
    }
    given = [f"{name} {value!r}" for name, value in asked.items() if value is not None]
    has = f"it has {', '.join(there)}" if there else "it has no ranked results"
    if not there and wanted.policy != "main":
        has = "that policy leaves no data set; leave it out"
    return f"nothing for {', '.join(given)}; {has}" if given else has


def _submitted(wanted: _Wanted) -> list[Any]:
    """Return the tables of evaluated submissions of a built folder."""
    from odbench.leaderboard.evaluated import read_evaluated

    return [
        each
        for each in read_evaluated(wanted.source)
        if wanted.suite in (None, each.suite)
        and wanted.partition in (None, each.partition)
    ]


def _parts(wanted: _Wanted, *, has_submissions: bool) -> list[Part]:
    from odbench.leaderboard.load import Part, is_built, load_leaderboard, load_slices

    how: dict[str, Any] = {"policy": wanted.policy, "settings": wanted.settings}
    if has_submissions and not is_built(wanted.source):
        return []
    if wanted.part:
        return load_slices(wanted.source, wanted.part, **how)
    return [Part("", "", load_leaderboard(wanted.source, **how))]


def _parts_with_published(wanted: _Wanted) -> list[Part]:
    from odbench.leaderboard.load import Part, of_suite, read_present, slices_of
    from odbench.leaderboard.published import join_published, mark_own, read_published
    from odbench.leaderboard.tables import build_leaderboard

    results = of_suite(read_present(wanted.source), wanted.suite)
    joined = join_published(results, read_published())
    for line in joined.lines:
        click.echo(line, err=True)
    how: dict[str, Any] = {"policy": wanted.policy, "settings": wanted.settings}
    if wanted.part:
        parts = slices_of(joined.results, wanted.part, **how)
    else:
        parts = [Part("", "", build_leaderboard(joined.results, **how))]
    return [p._replace(table=mark_own(p.table, joined.own)) for p in parts]


def _selector(wanted: _Wanted) -> Any:
    """Return a function that leaves the wanted rows of a part."""

    def select(part: Part) -> Part:
        table = part.table
        for column in ("suite", "partition"):
            value = getattr(wanted, column)
            if value is not None:
                table = table[table[column] == value]
        return part._replace(table=table)

    return select


def _places(parts: Sequence[Part]) -> list[str]:
    """Return the suites and partitions of parts, such as ``oddbench/public``."""
    tables = [part.table for part in parts]
    names = [table["suite"] + "/" + table["partition"] for table in tables]
    return sorted({name for each in names for name in each})


def _print_blocks(
    parts: Sequence[Part], submitted: Sequence[Any], wanted: _Wanted
) -> None:
    from odbench.leaderboard.evaluated import render_evaluated
    from odbench.leaderboard.terminal import render_table
    from odbench.text import printable

    blocks = []
    for part in parts:
        text = render_table(
            part.table,
            sort=wanted.sort,
            policy=wanted.policy,
            width=terminal_width(),
        )
        heading = [printable(f"{part.slice}: {part.level}")] if part.slice else []
        blocks.append("\n".join([*heading, text]))
    blocks += [render_evaluated(each) for each in submitted]
    click.echo("\n\n".join(blocks))


def _print_data(
    parts: Sequence[Part], submitted: Sequence[Any], wanted: _Wanted, form: str
) -> None:
    import pandas as pd

    from odbench.leaderboard.terminal import sorted_by

    # Submissions have other columns, so they are printed only if nothing else is.
    tables = [sorted_by(part.table, wanted.sort) for part in parts]
    tables = tables or [pd.DataFrame(list(each.rows)) for each in submitted]
    emit(pd.concat(tables, ignore_index=True), form)
