"""`odbench leaderboard export`: tables, figures and references for a paper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from odbench.cli.options import FOLDER, PATH, settings_options
from odbench.cli.warned import warnings_as_lines


@click.command(short_help="Write tables, figures and references for a paper.")
@click.argument("run", metavar="RUN", type=PATH)
@click.option("--out", required=True, type=FOLDER, metavar="DIR", help="Folder.")
@click.option(
    "--format",
    "text",
    default="all",
    show_default=True,
    metavar="FORMAT",
    help="Comma-separated: latex, markdown, csv, svg, pdf, bibtex, or all.",
)
@click.option("--suite", help="Export only this suite.")
@click.option(
    "--with-published",
    is_flag=True,
    help="Add the published results, on the data sets that both have.",
)
@settings_options
def export(
    *,
    run: Path,
    out: Path,
    text: str,
    suite: str | None,
    with_published: bool,
    permutations: int,
    cluster: Any,
    seed: int,
) -> None:
    """Write RUN for a paper: tables, figures, the protocol in words, BibTeX.

    Each suite and setting has files of its own. latex: a table, a paragraph, and
    document.tex to try them; svg and pdf: critical differences, time against quality,
    slices, which need `pip install odbench[plot]`.
    """
    from odbench.files import whole_files
    from odbench.leaderboard.export.bundle import Facts, export_files, parse_formats
    from odbench.leaderboard.inputs import source_of
    from odbench.leaderboard.load import of_suite, read_present
    from odbench.leaderboard.published import join_published, read_published
    from odbench.leaderboard.tables import Settings

    formats = parse_formats(text)
    settings = Settings(permutations=permutations, cluster=cluster, seed=seed)
    with warnings_as_lines():
        results = read_present(run)
        facts = Facts(settings=settings, run=source_of(run, results).run)
        results = of_suite(results, suite)
        if with_published:
            published = read_published()
            joined = join_published(results, published)
            facts = replace(facts, own=joined.own, published=published.note)
            results = joined.results
            click.echo("\n".join(joined.lines), err=True)
        made = export_files(results, formats, facts)
    out.mkdir(parents=True, exist_ok=True)
    with whole_files({out / name: content for name, content in made.items()}):
        pass
    for name in sorted(made):
        click.echo(out / name)
