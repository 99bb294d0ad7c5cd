"""The options that several commands share, each declared and worded once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

PARTITIONS = click.Choice(("public", "private"))
FOLDER = click.Path(path_type=Path, file_okay=False)
PATH = click.Path(path_type=Path)

suite_option = click.option(
    "--suite", "-s", help="Comma-separated suites.  [default: all]"
)
partition_option = click.option(
    "--partition",
    type=PARTITIONS,
    default="public",
    show_default=True,
    help="Partition of the suite.",
)
glob_option = click.option(
    "--datasets",
    "pattern",
    metavar="GLOB",
    help="Only data sets whose names match GLOB.",
)
limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Maximum number of data sets per suite.",
)
mirror_option = click.option(
    "--mirror",
    type=FOLDER,
    metavar="DIR",
    help="Read data from DIR, a folder laid out like the hub.  "
    "[default: $ODBENCH_MIRROR, else the hub]",
)
listing_mirror_option = click.option(
    "--mirror",
    type=FOLDER,
    metavar="DIR",
    help="List the data sets in DIR, a folder laid out like the hub, instead of those "
    "in the manifests.",
)


def jobs_option(default: int) -> Callable[[Command], Command]:
    """Return the option for the number of workers of a command."""
    return click.option(
        "--jobs",
        "-j",
        type=click.IntRange(min=1),
        default=default,
        show_default=True,
        help="Number of workers.",
    )


def format_option(*forms: str, name: str = "form") -> Callable[[Command], Command]:
    """Return the option for the output format; the first one is the default."""
    choices = forms or ("table", "json", "csv")
    return click.option(
        "--format",
        name,
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help="Output format.",
    )


def settings_options(command: Command) -> Command:
    """Add the options that decide how a leaderboard is computed."""
    for option in (
        click.option(
            "--seed",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            help="Seed of all resampling.",
        ),
        click.option(
            "--cluster",
            type=click.Choice(["dataset", "family"]),
            default="dataset",
            show_default=True,
            help="Unit that the bootstrap draws.",
        ),
        click.option(
            "--resamples",
            type=click.IntRange(0, 100_000),
            default=200,
            show_default=True,
            help="Number of bootstrap samples per interval; 0 for no intervals.",
        ),
    ):
        command = option(command)
    return command
