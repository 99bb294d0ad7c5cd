"""Which data sets a command means: its options, and what they select."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

suite_option = click.option(
    "--suite", help="One suite, or several with commas. [default: all]"
)
partition_option = click.option(
    "--partition",
    type=click.Choice(("public", "private")),
    default="public",
    show_default=True,
)
glob_option = click.option(
    "--datasets", "pattern", metavar="GLOB", help="Only names that match."
)
mirror_option = click.option(
    "--mirror",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder laid out like the hub. [default: $ODBENCH_MIRROR, else the hub]",
)
limit_option = click.option(
    "--limit", type=click.IntRange(min=1), help="At most so many of each suite."
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), default=4, show_default=True
)


def suite_names(names: str | None) -> list[str]:
    """Return the suites that an option names, or all."""
    from odbench.data.suites import load_suites

    if names is None:
        return list(load_suites())
    return [name.strip() for name in names.split(",") if name.strip()]


def selected(suite: str | None, **options: Any) -> list[Any]:
    """Select from every named suite; one without a match is no fault beside others."""
    from odbench.data.catalog import select
    from odbench.errors import UnknownDatasetError

    names = suite_names(suite)
    records = []
    failure = None
    for name in names:
        try:
            records += select(name, **options)
        except UnknownDatasetError as error:
            failure = error
    if not records and failure is not None:
        raise failure
    return records


def settled_records(
    suite: str,
    partition: str,
    pattern: str | None,
    limit: int | None,
    mirror: Path | None,
) -> list[Any]:
    """Select after asking the source, and say what it lacks or adds."""
    from odbench.data.catalog import Settled, open_source, resolve, select, settle

    described, subset = resolve(suite)
    source = open_source(described, mirror=mirror)
    found: Settled = settle(described, source, partition=partition)
    if subset is None and pattern is None:
        if found.missing:
            click.echo(
                f"{suite}: {len(found.missing)} manifest rows are not in "
                f"{source.label} and are skipped: {_some(found.missing)}",
                err=True,
            )
        if found.added:
            click.echo(
                f"{suite}: {len(found.added)} files in {source.label} have no "
                f"manifest row and are measured: {_some(found.added)}",
                err=True,
            )
    return select(
        suite, partition=partition, pattern=pattern, limit=limit, source=source
    )


def _some(records: Any, count: int = 3) -> str:
    """Name the first few."""
    names = ", ".join(record.name for record in records[:count])
    return names + (", ..." if len(records) > count else "")


def as_row(record: Any) -> dict[str, Any]:
    """Return a record as a row."""
    from dataclasses import asdict

    row = asdict(record)
    return {"id": record.id, **row, "tags": list(record.tags)}


def as_text(value: Any) -> str:
    """Return a value for a person."""
    if isinstance(value, (list, tuple)):
        return " ".join(str(item) for item in value)
    return "" if value is None else str(value)
