"""``odbench recommend``: which detector did best on tables like this one."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from odbench.cli.options import PATH, format_option
from odbench.cli.rows import print_rows
from odbench.errors import UsageError


@click.command("recommend", short_help="Recommend a detector for a table.")
@click.argument("table", type=PATH)
@click.option(
    "--reference",
    "-r",
    type=PATH,
    metavar="TABLE",
    help="Rows known to be normal, as for `odbench score`.",
)
@click.option(
    "--max-seconds",
    type=float,
    metavar="S",
    help="Time limit to fit and score the table.",
)
@click.option(
    "--max-memory", type=float, metavar="GIB", help="Memory limit beyond the data."
)
@click.option(
    "--explainable",
    is_flag=True,
    help="Only detectors that explain their own scores.",
)
@format_option()
def recommend(**options: Any) -> int:
    """Say which detectors did best on data sets similar to TABLE.

    Similar in rows, columns, duplicates, whole numbers, categories and dependence. The
    answer comes from published results; nothing is fitted, and nothing leaves this
    machine.
    """
    from odbench.tables.recommend import Limits, recommend_detector
    from odbench.tables.recommend_screen import advice_lines
    from odbench.text import printable

    table, reference = options["table"], options["reference"]
    if str(table) == str(reference) == "-":
        msg = "--reference -: TABLE is stdin already; name a file for one of them"
        raise UsageError(msg)
    advice = recommend_detector(
        str(table),
        None if reference is None else str(reference),
        Limits(options["max_seconds"], options["max_memory"], options["explainable"]),
    )
    for note in advice.notes:
        click.echo(f"odbench: {printable(note)}", err=True)
    if options["form"] == "json":
        click.echo(json.dumps(asdict(advice), indent=1, ensure_ascii=False))
    elif options["form"] == "csv":
        print_rows(advice.rows, list(advice.rows[0]), "csv")
    else:
        for line in advice_lines(advice):
            click.echo(line)
    return 0
