"""``odbench datasets``: list, show, pull, verify and audit data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from odbench.cli.choices import (
    as_row,
    as_text,
    glob_option,
    jobs_option,
    limit_option,
    listed,
    listed_records,
    listing_mirror_option,
    mirror_of,
    mirror_option,
    of_each_suite,
    partition_option,
    suite_option,
)
from odbench.cli.rows import format_option, print_rows
from odbench.errors import TransportError

_LIST = (
    "id",
    "n_train",
    "n_test",
    "n_columns",
    "n_anomalies",
    "domain",
    "label_conflict",
    "family",
)

# What --plot alone stands for: a file with the data set's name.
_NAMED = ""


@click.group("datasets", short_help="List, show, pull, verify and audit data sets.")
def datasets() -> None:
    """List, show, pull, verify and audit data sets."""


@datasets.command("list")
@suite_option
@partition_option
@glob_option
@limit_option
@listing_mirror_option
@format_option
def list_(
    *,
    suite: str | None,
    partition: str,
    pattern: str | None,
    limit: int | None,
    mirror: Path | None,
    form: str,
) -> None:
    """List the data sets of the manifests, or those that a mirror has.

    A set of the mirror that no manifest describes has no sizes until it was pulled.
    """
    records = listed(suite, partition, pattern, limit, mirror)
    rows = [as_row(record) for record in records]
    columns = _LIST if form == "table" or not rows else tuple(rows[0])
    print_rows(rows, columns, form)


@datasets.command("show")
@click.argument("name")
@suite_option
@click.option(
    "--partition",
    type=click.Choice(("public", "private")),
    help="[default: the one that has it]",
)
@mirror_option
@click.option(
    "--explain",
    "row",
    type=click.IntRange(min=0),
    metavar="ROW",
    help="Explain the score of a test row, column by column, instead.",
)
@click.option(
    "--detector",
    default="ecod",
    show_default=True,
    help="What explains: any detector that can.",
)
@click.option(
    "--plot",
    is_flag=False,
    flag_value=_NAMED,
    metavar="[FILE]",
    help="Draw the test rows in the two most telling columns instead, into FILE "
    "or NAME.png.",
)
@format_option
def show(
    *,
    name: str,
    suite: str | None,
    partition: str | None,
    mirror: Path | None,
    row: int | None,
    detector: str,
    plot: str | None,
    form: str,
) -> None:
    """Show one data set: SUITE/NAME, or NAME with --suite.

    What the manifest says, and, where the set is in the store or can be fetched, its
    columns.
    """
    from odbench.data.show import describe, draw, identify

    record = identify(name, suite, partition=partition, mirror=mirror)
    if plot is not None:
        file = draw(record, None if plot == _NAMED else Path(plot), mirror=mirror)
        click.echo(f"{record.id}: drawn into {file}")
        return
    if row is None:
        facts, columns = describe(record, mirror=mirror)
    else:
        from odbench.plugins.explain import explain_dataset_row

        facts, columns = explain_dataset_row(
            record.id,
            row,
            detector=detector,
            mirror=mirror,
            partition=record.partition,
        )
    if form == "csv" and "unavailable" in facts:
        # The columns alone are printed, and there are none.
        raise TransportError(facts["unavailable"])
    if form == "table":
        width = max(len(key) for key in facts)
        for key, value in facts.items():
            click.echo(f"{key.ljust(width)}  {as_text(value)}".rstrip())
        if columns:
            click.echo()
            print_rows(columns, tuple(columns[0]), form)
    elif form == "json":
        import json

        whole = {**facts, "columns": columns}
        click.echo(json.dumps(whole, indent=1, ensure_ascii=False))
    else:
        print_rows(columns, tuple(columns[0]), form)


@datasets.command("pull")
@suite_option
@partition_option
@glob_option
@limit_option
@mirror_option
@jobs_option
@click.pass_context
def pull(
    context: click.Context,
    *,
    suite: str | None,
    partition: str,
    pattern: str | None,
    limit: int | None,
    mirror: Path | None,
    jobs: int,
) -> None:
    """Bring data sets into the store. Again does nothing.

    Without --suite: what the mirror has, or without a mirror everything. Exit code 3
    when some could not be had; the others are there.
    """
    from odbench.data.catalog import Sources
    from odbench.data.dataset import DatasetRecord
    from odbench.data.pull import ensure
    from odbench.data.store import StoredDataset

    sources = Sources(mirror)
    records: list[DatasetRecord] = of_each_suite(
        suite,
        mirror,
        lambda name: listed_records(name, partition, pattern, limit, sources),
        made=mirror_of(mirror) is None,
    )
    failures = []
    size = 0
    for record, outcome in ensure(records, sources=sources, jobs=jobs):
        if isinstance(outcome, StoredDataset):
            size += outcome.features_path.stat().st_size
        else:
            failures.append((record, outcome))
    for _, failure in failures:
        click.echo(f"odbench: {' '.join(str(failure).split())}", err=True)
    here = len(records) - len(failures)
    click.echo(f"{here} of {len(records)} data sets in the store, {size / 1e6:.1f} MB")
    context.exit(3 if failures else 0)


@datasets.command("verify")
@suite_option
@partition_option
@glob_option
@mirror_option
@jobs_option
@format_option
@click.pass_context
def verify(
    context: click.Context,
    *,
    suite: str | None,
    partition: str,
    pattern: str | None,
    mirror: Path | None,
    jobs: int,
    form: str,
) -> None:
    """Compare what is on disk, store and mirror, with the manifest.

    Prints the faults; exit code 3 when there are any.
    """
    from odbench.data.verify import FAULT, verify_all

    checks = of_each_suite(
        suite,
        mirror,
        lambda name: verify_all(
            name, partition=partition, pattern=pattern, mirror=mirror, jobs=jobs
        ),
    )
    faults = [vars(check) for check in checks if check.status == FAULT]
    if form != "table" or faults:
        print_rows(faults, ("id", "place", "status", "reason"), form)
    counts: dict[str, int] = {}
    for check in checks:
        counts[check.status] = counts.get(check.status, 0) + 1
    spelt = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    click.echo(f"verify: {spelt or 'nothing to compare'}", err=True)
    context.exit(3 if faults else 0)


@datasets.command("audit", short_help="Measure files anew; compare with the manifest.")
@suite_option
@click.option(
    "--partition", type=click.Choice(("public", "private")), help="[default: both]"
)
@mirror_option
@click.option("--from", "origin", metavar="hub|DIR", help="The hub, or a mirror.")
@click.option("--write", is_flag=True, help="Write the manifest.")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the manifests. [default: the installed one]",
)
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True)
@format_option
@click.pass_context
def audit(
    context: click.Context,
    *,
    suite: str | None,
    partition: str | None,
    mirror: Path | None,
    origin: str | None,
    write: bool,
    manifest: Path | None,
    jobs: int,
    form: str,
) -> None:
    """Measure every file anew and compare with the manifest; maintainers write it.

    Rows whose file is not there are kept. As JSON or CSV: every measured set with its
    sizes, content hash and audit fields. Exit code 3 when something differs or could
    not be measured, and was not written.
    """
    from odbench.data.rebuild import AUDITED, audit_suite

    place = None if origin == "hub" else origin or mirror_of(mirror)
    bad = False
    rows: list[dict[str, Any]] = []

    def one(name: str) -> list[Any]:
        return [
            audit_suite(
                name,
                "hub" if place is None else str(place),
                folder=manifest,
                write=write,
                jobs=jobs,
                partition=partition,
            )
        ]

    for found, file in of_each_suite(suite, place, one, made=suite is not None):
        rows += found.rows()
        for line in found.report() if form == "table" else ():
            click.echo(line)
        if write:
            click.echo(f"wrote {file}: {len(found.records)} rows", err=form != "table")
        bad |= bool(found.failed or (not write and (found.changed or found.new)))
    if form != "table":
        print_rows(rows, AUDITED, form)
    context.exit(3 if bad else 0)
