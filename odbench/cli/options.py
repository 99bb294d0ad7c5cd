"""The options that several commands share, each declared and worded once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from odbench.cli import complete

Command = TypeVar("Command", bound=Callable[..., Any])

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
PARTITIONS = click.Choice(("public", "private"))


class _Path(click.Path):
    """A path that is not empty, which would mean the current folder."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value == "":
            self.fail("the name is empty; wanted a path, such as . or run", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = _Path(path_type=Path, file_okay=False)
PATH = _Path(path_type=Path)


class Count(click.ParamType[int]):
    """A whole number of 1 or more."""

    name = "N"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Return the number, or fail with what was wanted."""
        try:
            number = int(value)
        except ValueError:
            number = 0
        if number < 1:
            self.fail(f"got {value!r}, wanted 1 or more", param, ctx)
        return number


class _Seconds(click.ParamType[float]):
    """A time: seconds, or with s, m or h behind the number."""

    name = "TIME"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return seconds, or fail with what was wanted."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", str(value).strip())
        if not found:
            self.fail(f"got {value!r}, wanted seconds, or 30m, or 1.5h", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


SECONDS = _Seconds()


def suite_option(
    *, required: bool = False, default: str = "all"
) -> Callable[[Command], Command]:
    """Return the option for suites; `default` describes a call without it."""
    text = "Comma-separated suites: names, or folders with a suite.toml."
    text += "" if required else f"  [default: {default}]"
    return click.option(
        "--suite", "-s", required=required, help=text, shell_complete=complete.suites
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
    shell_complete=complete.datasets,
)
limit_option = click.option(
    "--limit",
    type=Count(),
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


def jobs_option(default: int | None) -> Callable[[Command], Command]:
    """Return the option for the number of workers; None means one per core."""
    return click.option(
        "--jobs",
        "-j",
        type=Count(),
        default=default,
        show_default="one per core" if default is None else True,
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
            help="Seed of all sign flips.",
        ),
        click.option(
            "--cluster",
            type=click.Choice(["family", "dataset"]),
            default="family",
            show_default=True,
            help="Independent evidence: families of data sets, or every data set.",
        ),
        click.option(
            "--permutations",
            type=click.IntRange(0, 1_000_000),
            default=10_000,
            show_default=True,
            help="Number of random sign flips behind the intervals of places; 0 for "
            "none.",
        ),
    ):
        command = option(command)
    return command
