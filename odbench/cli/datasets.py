"""``odbench datasets``: list, show, pull, verify and audit data sets."""

from __future__ import annotations

from pathlib import Path

import click

from odbench.cli.choices import (
    as_row,
    as_text,
    glob_option,
    jobs_option,
    limit_option,
    mirror_option,
    partition_option,
    selected,
    settled_records,
    suite_names,
    suite_option,
)
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
@format_option
def list_(
    suite: str | None,
    partition: str,
    pattern: str | None,
    limit: int | None,
    form: str,
) -> None:
    """List the data sets of the manifests."""
    records = selected(
        suite, partition=partition, pattern=pattern, limit=limit, offline=True
    )
    rows = [as_row(record) for record in records]
    columns = _LIST if form == "table" or not rows else tuple(rows[0])
    print_rows(rows, columns, form)


@datasets.command("show")
@click.argument("name")
@suite_option
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

    record = identify(name, suite)
    if plot is not None:
        file = draw(record, None if plot == _NAMED else Path(plot), mirror=mirror)
        click.echo(f"{record.id}: drawn into {file}")
        return
    if row is None:
        facts, columns = describe(record, mirror=mirror)
    else:
        from odbench.explain import explain_dataset_row

        facts, columns = explain_dataset_row(
            record.id, row, detector=detector, mirror=mirror
        )
    if form == "table":
        width = max(len(key) for key in facts)
        for key, value in facts.items():
            click.echo(f"{key.ljust(width)}  {as_text(value)}".rstrip())
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
    for name in suite_names(suite):
        records += settled_records(name, partition, pattern, limit, mirror)
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
    for name in suite_names(suite):
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
