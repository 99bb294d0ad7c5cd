"""``odbench datasets columns``: which columns carry structure, noise or a leak."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from odbench.cli.options import format_option, mirror_option
from odbench.cli.rows import print_rows
from odbench.text import printable


@click.command("columns", short_help="Rank the columns of a table or a data set.")
@click.argument("table", metavar="TABLE|SET")
@click.option(
    "--label",
    default="",
    metavar="C",
    help="Column of labels: warn of columns that give it away.",
)
@mirror_option
@format_option()
def columns(*, table: str, label: str, mirror: Path | None, form: str) -> None:
    """Rank the columns of a table from structure to noise, with warnings.

    TABLE is a file as for `odbench score`, or - for stdin; SET is a data set such as
    oddbench/ALLPatientData, whose labels are used if they are public.

    structure is the mean share of a column's information that another column has,
    beyond the share that shuffled values would seem to have.
    """
    from odbench.api.columns import ranking_of
    from odbench.tables.column_screen import ranking_lines

    ranking = ranking_of(table, label=label, mirror=mirror)
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
