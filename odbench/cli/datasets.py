"""``odbench datasets``: list, show, pull, verify and audit data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from odbench.cli.rows import format_option, print_rows

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


@click.group("datasets", short_help="List, show, pull, verify and audit data sets.")
def datasets() -> None:
    """List, show, pull, verify and audit data sets."""


@datasets.command("list")
@suite_option
@partition_option
@glob_option
@limit_option
@format_option
def list_(
    suite: str | None,
    partition: str,
    pattern: str | None,
    limit: int | None,
    form: str,
) -> None:
    """List the data sets of the manifests."""
    records = _select(
        suite, partition=partition, pattern=pattern, limit=limit, offline=True
    )
    rows = [_row(record) for record in records]
    columns = _LIST if form == "table" or not rows else tuple(rows[0])
    print_rows(rows, columns, form)


@datasets.command("show")
@click.argument("name")
@suite_option
@mirror_option
@format_option
def show(name: str, suite: str | None, mirror: Path | None, form: str) -> None:
    """Show one data set: SUITE/NAME, or NAME with --suite.

    What the manifest says, and, where the set is in the store or can be fetched, its
    columns.
    """
    from odbench.data.show import describe, identify

    facts, columns = describe(identify(name, suite), mirror=mirror)
    if form == "table":
        width = max(len(key) for key in facts)
        for key, value in facts.items():
            click.echo(f"{key.ljust(width)}  {_text(value)}".rstrip())
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

    Exit code 3 when some could not be had; the others are there.
    """
    from odbench.data.dataset import DatasetRecord
    from odbench.data.pull import ensure
    from odbench.data.store import StoredDataset

    records: list[DatasetRecord] = []
    for name in _suites(suite):
        records += _settled(name, partition, pattern, limit, mirror)
    failures = []
    size = 0
    for record, outcome in ensure(records, mirror=mirror, jobs=jobs):
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

    checks = []
    for name in _suites(suite):
        checks += verify_all(
            name, partition=partition, pattern=pattern, mirror=mirror, jobs=jobs
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


@datasets.command("audit")
@click.option(
    "--from",
    "origin",
    required=True,
    metavar="hub|DIR",
    help="Where the files are: the hub, or a mirror's folder.",
)
@click.option("--suite", required=True, help="One suite.")
@click.option("--write", is_flag=True, help="Write the manifest.")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the manifests. [default: the installed one]",
)
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True)
@click.pass_context
def audit(
    context: click.Context,
    *,
    origin: str,
    suite: str,
    write: bool,
    manifest: Path | None,
    jobs: int,
) -> None:
    """Measure a suite's files anew and compare with the manifest; maintainers write it.

    Rows whose file is not there are kept. Exit code 3 when something differs or could
    not be measured, and was not written.
    """
    from odbench.data.rebuild import audit_suite

    found, file = audit_suite(suite, origin, folder=manifest, write=write, jobs=jobs)
    for line in found.report():
        click.echo(line)
    if write:
        click.echo(f"wrote {file}: {len(found.records)} rows")
    bad = found.failed or (not write and (found.changed or found.new))
    context.exit(3 if bad else 0)


def _suites(names: str | None) -> list[str]:
    """Return the suites that an option names, or all."""
    from odbench.data.suites import load_suites

    if names is None:
        return list(load_suites())
    return [name.strip() for name in names.split(",") if name.strip()]


def _select(suite: str | None, **options: Any) -> list[Any]:
    """Select from every named suite; one without a match is no fault beside others."""
    from odbench.data.catalog import select
    from odbench.errors import UnknownDatasetError

    names = _suites(suite)
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


def _settled(
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


def _row(record: Any) -> dict[str, Any]:
    """Return a record as a row."""
    from dataclasses import asdict

    row = asdict(record)
    return {"id": record.id, **row, "tags": list(record.tags)}


def _text(value: Any) -> str:
    """Return a value for a person."""
    if isinstance(value, (list, tuple)):
        return " ".join(str(item) for item in value)
    return "" if value is None else str(value)
