"""``odbench suites``: list the suites."""

from __future__ import annotations

import click

from odbench.cli.options import format_option
from odbench.cli.rows import print_rows


@click.command("suites", short_help="List the suites.")
@format_option()
def suites(form: str) -> None:
    """List the suites with their sizes and sources.

    `published` is the number of data sets that the authors name; `public` and
    `private` are the numbers of rows in the manifest.
    """
    from odbench.data.subsets import rows_of
    from odbench.suites import load_suites

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
                "subsets": [f"{suite.name}-{name}" for name in suite.subsets],
            }
        )
    short = ("suite", "published", "public", "private", "transport", "title")
    print_rows(rows, short if form == "table" else tuple(rows[0]), form)
