"""``odbench suites``: list the suites, and make one from tables of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from odbench.cli.options import FOLDER, format_option
from odbench.cli.rows import print_rows
from odbench.text import counted


@click.group(
    "suites", short_help="List the suites, or make one.", invoke_without_command=True
)
@format_option()
@click.pass_context
def suites(context: click.Context, form: str) -> None:
    """List the suites with their sizes and sources, or make one of your own."""
    if context.invoked_subcommand is None:
        _print_suites(form)


@suites.command("list")
@format_option()
def list_(form: str) -> None:
    """List the suites with their sizes and sources, those of plugins among them.

    `published` is the number of data sets that the authors name; `public` and
    `private` are the numbers of rows in the manifest.
    """
    _print_suites(form)


def _print_suites(form: str) -> None:
    from odbench.data.brought import plugin_suites
    from odbench.data.subsets import rows_of, subsets_of
    from odbench.suites import load_suites

    plugin_suites()
    rows = []
    for suite in load_suites().values():
        parts = [record.partition for record in rows_of(suite.name)]
        rows.append(
            {
                "suite": suite.name,
                "published": suite.published_size,
                "public": parts.count("public"),
                "private": parts.count("private"),
                "transport": suite.transport,
                "licence": suite.licence,
                "title": suite.title,
                "summary": " ".join(suite.summary.split()),
                "citation": " ".join(suite.citation.split()),
                "homepage": suite.homepage,
                "repository": suite.repository,
                "revision": suite.revision,
                "protocol": suite.protocol,
                "subsets": subsets_of(suite),
            }
        )
    short = ("suite", "published", "public", "private", "title", "transport")
    print_rows(rows, short if form == "table" else tuple(rows[0]), form)


@suites.command("new")
@click.argument("name")
@click.option(
    "--from",
    "tables",
    type=FOLDER,
    required=True,
    metavar="DIR",
    help="Folder of labelled tables: CSV, JSON, Parquet, Feather, npz.",
)
@click.option(
    "--label",
    default="",
    metavar="COLUMN",
    help="Column of the labels; npz files need none.",
)
@click.option(
    "--anomaly",
    default="",
    metavar="VALUE",
    help="Its value in the rows that are anomalies.",
)
@click.option("--out", type=FOLDER, metavar="DIR", help="Suite's folder.  [./NAME]")
@click.option("--title", default="", help="Title of the suite.")
@click.option("--licence", default="", help="Licence of the tables.")
@click.option("--citation", default="", help="Work to cite.")
@click.option("--update", is_flag=True, help="Make an existing suite's tables again.")
@click.pass_context
def new(
    context: click.Context,
    *,
    name: str,
    tables: Path,
    label: str,
    anomaly: str,
    out: Path | None,
    title: str,
    licence: str,
    citation: str,
    update: bool,
) -> None:
    """Make the suite NAME from a folder of labelled tables.

    Every table is encoded and split one-class, and measured. Exit code 3 if some tables
    could not be used; the others are in the suite.
    """
    from odbench.api.new_suite import new_suite

    made = new_suite(
        name,
        tables,
        label=label,
        anomaly=anomaly,
        out=out,
        about={"title": title, "licence": licence, "citation": citation},
        update=update,
    )
    for reason in made.failed:
        click.echo(f"odbench: {' '.join(reason.split())}", err=True)
    place = str(made.folder)
    place = place if made.folder.is_absolute() or "/" in place else f"./{place}"
    click.echo(f"{place}: {counted(len(made.records), 'data set')}")
    shown = shlex.quote(place)
    click.echo(f"next: odbench run --suite {shown} --detectors knn,ecod", err=True)
    context.exit(3 if made.failed else 0)
