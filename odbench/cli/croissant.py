"""``odbench datasets croissant``: a suite as JSON-LD for search engines and loaders."""

from __future__ import annotations

from pathlib import Path

import click

from odbench.cli import complete


@click.command("croissant", short_help="Describe a suite in Croissant 1.1 (JSON-LD).")
@click.argument("suite", shell_complete=complete.suites)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write FILE instead of stdout. Keep it in the folder of the manifest.",
)
def croissant(*, suite: str, out: Path | None) -> None:
    """Describe SUITE in Croissant 1.1, the format of data set search engines.

    SUITE is a name, or the folder of a suite of your own.

    Its manifest becomes a record set with one record per data set. The answers of its
    datasheet become properties for responsible AI; those of a suite of your own are in
    the file `about.toml` in its folder.
    """
    from odbench.data.croissant import as_text, describe_suite
    from odbench.data.subsets import suite_of
    from odbench.files import at_home, write_text

    text = as_text(describe_suite(suite_of(suite)))
    if out is None:
        click.echo(text, nl=False)
    else:
        write_text(at_home(out), text)
