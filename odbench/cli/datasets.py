"""``odbench datasets``: list, show, pull, verify and audit data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from odbench.cli import complete
from odbench.cli.columns import columns
from odbench.cli.croissant import croissant
from odbench.cli.options import (
    FOLDER,
    PARTITIONS,
    format_option,
    glob_option,
    jobs_option,
    limit_option,
    listing_mirror_option,
    mirror_option,
    partition_option,
    suite_option,
)
from odbench.cli.rows import print_facts, print_rows
from odbench.cli.selection import (
    as_row,
    as_text,
    listed,
    listed_records,
    mirror_of,
    of_each_suite,
    once,
)
from odbench.errors import TransportError, UsageError
from odbench.text import counted

_LIST = (
    "id",
    "n_train",
    "n_test",
    "n_columns",
    "n_anomalies",
    "domain",
    "n_distinct_anomalies",
    "label_conflict",
    "ceiling_auroc",
    "trivial_share",
    "family",
)

# The value of --plot without FILE: the file is named after the data set.
_NAMED = ""


@click.group("datasets", short_help="List, show, pull, verify and audit data sets.")
def datasets() -> None:
    """List, show, pull, verify and audit data sets; rank columns; describe a suite."""


datasets.add_command(columns)
datasets.add_command(croissant)


@datasets.command("list")
@suite_option()
@partition_option
@glob_option
@limit_option
@listing_mirror_option
@format_option()
def list_(
    *,
    suite: str | None,
    partition: str,
    pattern: str | None,
    limit: int | None,
    mirror: Path | None,
    form: str,
) -> None:
    """List the data sets in the manifests, or those in a mirror.

    A data set of the mirror that is not in a manifest has no sizes until it is pulled.
    """
    records = listed(suite, partition, pattern, limit, mirror)
    rows = [as_row(record) for record in records]
    columns = _LIST if form == "table" or not rows else tuple(rows[0])
    print_rows(rows, columns, form)


@datasets.command("show")
@click.argument("name", shell_complete=complete.dataset_ids)
@suite_option()
@click.option(
    "--partition",
    type=PARTITIONS,
    help="Partition of the suite.  [default: the one that holds the data set]",
)
@mirror_option
@click.option(
    "--explain",
    "row",
    type=click.IntRange(min=0),
    metavar="ROW",
    help="Explain the score of test row ROW, column by column.",
)
@click.option(
    "--detector",
    shell_complete=complete.detector,
    default="ecod",
    show_default=True,
    help="Detector for --explain; it must support explanations.",
)
@click.option(
    "--plot",
    is_flag=False,
    flag_value=_NAMED,
    metavar="[FILE]",
    help="Plot the test rows in the two most informative columns, into FILE or "
    "NAME.png.",
)
@format_option()
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

    Prints the facts of the manifest, those of the audit among them, and, if the data
    set is stored or can be downloaded, its columns.
    """
    from odbench.data.show import describe, draw, identify

    if plot is not None and row is not None:
        msg = (
            "--plot and --explain: got both, wanted one of the two; call once for each"
        )
        raise UsageError(msg)
    record = identify(name, suite, partition=partition, mirror=mirror)
    if plot is not None:
        file = draw(record, None if plot == _NAMED else Path(plot), mirror=mirror)
        click.echo(f"{record.id}: drawn into {file}")
        return
    if row is None:
        facts, columns = describe(record, mirror=mirror)
    else:
        from odbench.plugins.explain import explain

        facts, columns = explain(
            record.id,
            row,
            detector=detector,
            mirror=mirror,
            partition=record.partition,
        )
    if form == "csv" and "unavailable" in facts:
        # CSV has only the columns, and they are not available.
        raise TransportError(facts["unavailable"])
    if form == "table":
        print_facts({key: as_text(value) for key, value in facts.items()})
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
@suite_option()
@partition_option
@glob_option
@limit_option
@mirror_option
@jobs_option(4)
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
    """Download data sets. Sets already stored are skipped.

    Without --suite: every data set of the mirror, or of all suites if there is no
    mirror. Exit code 3 if some data sets could not be loaded; the others are stored.
    """
    from odbench.data.catalog import Sources
    from odbench.data.dataset import DatasetRecord
    from odbench.data.pull import ensure
    from odbench.data.store import StoredDataset

    sources = Sources(mirror)
    selected: list[DatasetRecord] = of_each_suite(
        suite,
        mirror,
        lambda name: listed_records(name, partition, pattern, limit, sources),
        made=mirror_of(mirror) is None or partition != "public",
    )
    records = once(selected)
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
    sets = counted(len(records), "data set")
    click.echo(f"{here} of {sets} in the store, {size / 1e6:.1f} MB")
    context.exit(3 if failures else 0)


@datasets.command("verify", short_help="Compare stored files with the manifest.")
@suite_option()
@partition_option
@glob_option
@mirror_option
@jobs_option(4)
@format_option()
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
    """Compare the files in the store and in the mirror with the manifest.

    Prints the faults; exit code 3 if there are any.
    """
    from odbench.data.verify import FAULT, verify_all

    checks = once(
        of_each_suite(
            suite,
            mirror,
            lambda name: verify_all(
                name, partition=partition, pattern=pattern, mirror=mirror, jobs=jobs
            ),
        )
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


@datasets.command(
    "audit", short_help="Measure files again and compare with the manifest."
)
@suite_option()
@click.option(
    "--partition", type=PARTITIONS, help="Partition of the suite.  [default: both]"
)
@mirror_option
@click.option(
    "--from",
    "origin",
    metavar="hub|DIR",
    help="Source of the files: the hub, or a mirror's folder.",
)
@click.option("--write", is_flag=True, help="Write the manifest.")
@click.option(
    "--manifest",
    type=FOLDER,
    metavar="DIR",
    help="Folder of the manifests.  [default: the installed one]",
)
@jobs_option(2)
@format_option()
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
    """Measure every file again and compare with the manifest (maintainers: --write).

    Rows whose file is missing are kept. JSON and CSV list every measured data set with
    its sizes, content hash and audit fields. Exit code 3 if something differs or could
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
