"""``odbench suites``: what there is to run on."""

from __future__ import annotations

import click

from odbench.cli.rows import format_option, print_rows


@click.command("suites", short_help="List the suites.")
@format_option
def suites(form: str) -> None:
    """List the suites: what they hold, where they come from.

    `published` is how many data sets the authors name, `public` and `private` how many
    rows the manifest has.
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
