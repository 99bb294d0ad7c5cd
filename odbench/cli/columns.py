"""``odbench datasets columns``: which columns carry structure, noise or a leak."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from odbench.cli.options import (
    PARTITIONS,
    format_option,
    mirror_option,
    suite_option,
)
from odbench.cli.rows import print_rows
from odbench.text import printable

if TYPE_CHECKING:
    from odbench.data.dataset import Dataset


@click.command("columns", short_help="Rank the columns of a table or a data set.")
@click.argument("table", metavar="TABLE|SET")
@click.option(
    "--label",
    default="",
    metavar="C",
    help="Column of labels: warn of columns that give it away.",
)
@suite_option(default="a TABLE, or the suite before the slash")
@click.option(
    "--partition",
    type=PARTITIONS,
    help="Partition of the SET.  [default: the one that holds it]",
)
@mirror_option
@format_option()
def columns(
    *,
    table: str,
    label: str,
    suite: str | None,
    partition: str | None,
    mirror: Path | None,
    form: str,
) -> None:
    """Rank the columns of a table from structure to noise, with warnings.

    TABLE is a file as for `odbench score`, or - for stdin; SET is a data set such as
    oddbench/ALLPatientData, or ALLPatientData with --suite, whose labels are used if
    they are public.

    structure is the mean share of a column's information that another column has,
    beyond the share that shuffled values would seem to have.
    """
    from odbench.api.columns import ranking_of
    from odbench.tables.column_screen import ranking_lines

    named = suite is not None or partition is not None
    source = _dataset(table, suite, partition, mirror) if named else table
    ranking = ranking_of(source, label=label, mirror=mirror)
    rows: list[dict[str, Any]] = [asdict(one) for one in ranking.columns]
    if form == "table":
        for line in ranking_lines(ranking):
            click.echo(line)
    elif form == "json":
        told = {**asdict(ranking), "to_ignore": ranking.to_ignore}
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        for note in ranking.notes:
            click.echo(f"odbench: {printable(note)}", err=True)
        for row in rows:
            row["warnings"] = "; ".join(row["warnings"])
        print_rows(rows, list(rows[0]), "csv")


def _dataset(
    name: str, suite: str | None, partition: str | None, mirror: Path | None
) -> Dataset:
    """Return the data set of --suite and --partition, fetching it if necessary."""
    from odbench.data.catalog import load_dataset
    from odbench.data.show import identify

    record = identify(name, suite, partition=partition, mirror=mirror)
    return load_dataset(record.id, mirror=mirror, partition=record.partition)
