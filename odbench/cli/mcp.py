"""``odbench mcp``: tools for agents over the Model Context Protocol."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from odbench.cli.options import Count
from odbench.errors import MissingExtraError, UsageError


@click.command("mcp", short_help="Serve tools for agents (MCP) on stdin and stdout.")
@click.option(
    "--folder",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The only folder whose files a client can read.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    metavar="S",
    help="Time limit per call.",
)
@click.option(
    "--memory-limit",
    type=click.FloatRange(min=0, min_open=True),
    default=4.0,
    show_default=True,
    metavar="GIB",
    help="Memory limit per call.",
)
@click.option(
    "--max-file",
    type=Count(),
    default=256,
    show_default=True,
    metavar="MIB",
    help="Size of the largest file that is read.",
)
def mcp(*, folder: Path, timeout: float, memory_limit: float, max_file: int) -> None:
    """Serve the Model Context Protocol on stdin and stdout, until stdin ends.

    An agent can list suites, detectors and results, score tables in DIR, explain rows
    and ask for recommendations. Nothing is written and nothing leaves this machine.
    Needs `pip install 'odbench[mcp]'`.
    """
    _check(folder)
    try:
        from odbench.mcp.calls import Limits
        from odbench.mcp.ending import ended_by_signals
        from odbench.mcp.server import build_server
    except ImportError as error:
        if (error.name or "").startswith("odbench"):
            raise
        msg = (
            f"odbench mcp: needs the MCP SDK (mcp 2.0.1 or newer), but {error.name} is "
            f"missing or older: pip install 'odbench[mcp]'"
        )
        raise MissingExtraError(msg) from error
    if sys.stderr.isatty():
        click.echo(f"serving {folder} on stdin and stdout; Ctrl-C ends it", err=True)
    with ended_by_signals() as scratch:
        limits = Limits(
            folder=folder.resolve(),
            seconds=timeout,
            memory=int(memory_limit * (1 << 30)),
            most_bytes=max_file << 20,
            scratch=scratch,
        )
        build_server(limits).run()


def _check(folder: Path) -> None:
    """Refuse a folder that does not exist, or that holds labels of data sets."""
    from odbench.api.cache import cache_roots

    if not folder.is_dir():
        msg = f"--folder {str(folder)!r}: is not a folder; name one with tables"
        raise UsageError(msg)
    real = folder.resolve()
    if any(real.is_relative_to(root.resolve()) for root in cache_roots()):
        msg = (
            f"--folder {str(folder)!r}: is odbench's cache, which holds labels; name "
            f"a folder of your own tables"
        )
        raise UsageError(msg)
