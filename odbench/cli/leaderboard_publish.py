"""`odbench leaderboard publish`: upload a leaderboard to a hub data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from odbench.leaderboard.publish import Plan


@click.command(short_help="Upload a leaderboard to a hub data set.")
@click.argument(
    "folder",
    type=click.Path(path_type=Path),
    default=Path("leaderboard"),
    required=False,
)
@click.option(
    "--repo",
    required=True,
    metavar="OWNER/NAME",
    help="Data set repository on the hub.",
)
@click.option("--dry-run", is_flag=True, help="Show the changes without uploading.")
@click.option(
    "--create", is_flag=True, help="Create the repository if it does not exist."
)
@click.option(
    "--prune", is_flag=True, help="Delete remote files that are not in FOLDER."
)
@click.option(
    "--message",
    default="Update the leaderboard",
    show_default=True,
    help="Message of the commit.",
)
def publish(
    folder: Path, *, repo: str, dry_run: bool, create: bool, prune: bool, message: str
) -> None:
    """Upload FOLDER (default: leaderboard) in one commit, or none if nothing changed.

    The token is taken from HF_TOKEN or from the hub client's own login.
    """
    from odbench.leaderboard import publish as publishing

    if dry_run:
        _show(publishing.plan(folder, repo, prune=prune), "to send")
        return
    plan, commit = publishing.publish(
        folder, repo, message=message, create=create, prune=prune
    )
    _show(plan, "sent")
    click.echo(f"{repo} is at {commit}")


def _show(plan: Plan, done: str) -> None:
    for sign, names in (("+", plan.added), ("~", plan.changed), ("-", plan.deleted)):
        for name in names:
            click.echo(f"{sign} {name}")
    if plan.head is None:
        click.echo(f"{plan.repo} does not exist yet (--create makes it)", err=True)
    click.echo(
        f"{len(plan.added)} added, {len(plan.changed)} changed, "
        f"{len(plan.deleted)} deleted, {len(plan.unchanged)} unchanged, "
        f"{plan.n_bytes} bytes {done}"
    )
