"""`odbench cache`: show the cache folder, list its contents, remove them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from odbench.cli.options import format_option
from odbench.cli.rows import print_rows
from odbench.cli.selection import suite_names
from odbench.errors import UsageError
from odbench.text import show_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from odbench.api.cache import Entry


@click.group()
def cache() -> None:
    """Show, list and clean the cache of data sets."""


@cache.command("dir")
def folder() -> None:
    """Print the cache folder: $ODBENCH_CACHE, or the platform's own."""
    from odbench.data.store import default_cache

    click.echo(default_cache())


@cache.command("list")
@format_option()
def list_(*, form: str) -> None:
    """List the contents of the cache by kind, with sizes.

    `other` was not written by odbench, and `clean` does not remove it.
    """
    from odbench.api.cache import list_cache

    entries = list_cache()
    print_rows([_row(e, form) for e in entries], _columns(form), form)
    if form == "table":
        click.echo(f"{show_bytes(sum(e.bytes for e in entries))} in total")


@cache.command()
@click.argument("kinds", metavar="[KIND]...", nargs=-1)
@click.option("--suite", help="Only the data sets of these comma-separated suites.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
@click.option("--dry-run", is_flag=True, help="Show the entries without removing them.")
def clean(
    *, kinds: tuple[str, ...], suite: str | None, yes: bool, dry_run: bool
) -> None:
    """Remove all of the cache, or only some kinds: `odbench cache list` shows them.

    Data sets and weights are downloaded again when they are needed. Nothing is removed
    while a run uses the cache, and nothing outside its folder but compiled code, which
    all caches of a user share.
    """
    from odbench.api.cache import clean_cache, select_entries

    # An empty name, as of a variable that is not set, must not mean all suites.
    suites = [] if suite is None else suite_names(suite)
    entries = select_entries(kinds, suites)
    total = show_bytes(sum(entry.bytes for entry in entries))
    if not entries or dry_run:
        _show(entries)
        click.echo(f"{total} would be removed" if entries else "nothing to remove")
        return
    if not yes:
        _show(entries)
        if not sys.stdin.isatty():
            msg = "cache clean: there is no terminal to ask in; add --yes to remove"
            raise UsageError(msg)
        if not click.confirm(f"Remove {total}?"):
            click.echo("nothing removed")
            return
    clean_cache(entries)
    click.echo(f"{total} removed")


def _show(entries: Sequence[Entry]) -> None:
    if entries:
        rows = [_row(entry, "table") for entry in entries]
        print_rows(rows, _columns("table"), "table")


def _columns(form: str) -> tuple[str, ...]:
    return ("kind", "name", "files", "size" if form == "table" else "bytes", "path")


def _row(entry: Entry, form: str) -> dict[str, Any]:
    row = {"kind": entry.kind, "name": entry.name, "files": entry.files}
    paths = entry.paths[:1] if form == "table" else entry.paths
    size = {"size": show_bytes(entry.bytes), "bytes": entry.bytes}
    return row | size | {"path": " ".join(map(str, paths))}
