"""`odbench leaderboard publish` and `eval-results`: leaderboards where people look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from odbench.cli.options import PATH
from odbench.cli.warned import warnings_as_lines
from odbench.errors import UsageError

if TYPE_CHECKING:
    from odbench.leaderboard.publish import Plan


@click.command(short_help="Upload a leaderboard, or write it as a static site.")
@click.argument("sources", metavar="[FOLDER|RUN...]", nargs=-1, type=PATH)
@click.option(
    "--repo",
    metavar="OWNER/NAME",
    help="Upload to this data set repository on the hub.",
)
@click.option(
    "--to",
    "site",
    type=PATH,
    metavar="DIR",
    help="Write a static site to DIR, for a static Space or for Pages.",
)
@click.option("--dry-run", is_flag=True, help="Show the changes without uploading.")
@click.option(
    "--create", is_flag=True, help="Create the repository if it does not exist."
)
@click.option(
    "--prune",
    is_flag=True,
    help="Delete files of the repository or of DIR that are not in FOLDER.",
)
@click.option(
    "--message",
    default="Update the leaderboard",
    show_default=True,
    help="Message of the commit.",
)
@click.option(
    "--title",
    default="Leaderboard of outlier detectors",
    show_default=True,
    help="Title of the static Space.",
)
def publish(
    sources: tuple[Path, ...],
    *,
    repo: str | None,
    site: Path | None,
    title: str,
    **options: Any,
) -> None:
    """Publish FOLDER (default: leaderboard), which `leaderboard build` wrote.

    With --repo, upload it in one commit, or none if nothing changed. The token is taken
    from HF_TOKEN or from the hub client's own login. With --to, write it as a folder
    that opens without a build step; RUN... are then built first.
    """
    sources = sources or (Path("leaderboard"),)
    if (repo is None) == (site is None):
        msg = "publish: wanted one of --repo OWNER/NAME and --to DIR"
        raise UsageError(msg)
    if site is not None:
        _write(sources, site, title=title, **options)
        return
    if len(sources) > 1:
        msg = (
            f"publish --repo: got {len(sources)} folders, wanted one; build the runs "
            f"first with `odbench leaderboard build RUN... --out DIR`"
        )
        raise UsageError(msg)
    _upload(sources[0], str(repo), **options)


def _upload(
    folder: Path,
    repo: str,
    *,
    dry_run: bool,
    create: bool,
    prune: bool,
    message: str,
) -> None:
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


def _write(
    sources: tuple[Path, ...], out: Path, *, dry_run: bool, title: str, **options: Any
) -> None:
    from odbench.leaderboard.site import PAGE, write_site

    if dry_run or options["create"]:
        name = "--dry-run" if dry_run else "--create"
        msg = f"publish --to: cannot go with {name}; that is for --repo"
        raise UsageError(msg)
    with warnings_as_lines():
        done = write_site(sources, out, title=title, prune=options["prune"])
    for name in done.removed:
        click.echo(f"- {name}")
    click.echo(
        f"{done.files} files, {done.changed} changed, {len(done.removed)} removed; "
        f"open {out / PAGE}"
    )


@click.command("eval-results", short_help="Put a method's results into its hub model.")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=PATH)
@click.option(
    "--method",
    required=True,
    metavar="METHOD",
    help="A configuration in the results, such as knn or knn:k=20.",
)
@click.option("--suite", help="Results on this suite only.")
@click.option(
    "--model",
    metavar="OWNER/NAME",
    help="Model repository on the hub.  [default: print the file]",
)
@click.option(
    "--benchmark",
    metavar="OWNER/NAME",
    help="Data set that hosts the benchmark.  [default: the suite's own]",
)
@click.option(
    "--source-url", metavar="URL", help="Address where the results can be looked up."
)
@click.option(
    "--pull-request",
    is_flag=True,
    help="Open a pull request, which needs no right to write.",
)
def eval_results(
    runs: tuple[Path, ...],
    *,
    method: str,
    suite: str | None,
    model: str | None,
    pull_request: bool,
    **options: Any,
) -> None:
    """Write a method's results, from RUN..., in the hub's format for such results.

    With --model, they become `.eval_results/odbench.yaml` of that repository, in one
    commit, or none if they are there already. Without it, the file is printed.
    """
    import pandas as pd

    from odbench.leaderboard import eval_results as evaluation
    from odbench.leaderboard.load import of_suite, read_present

    if pull_request and model is None:
        msg = "eval-results --pull-request: needs --model OWNER/NAME"
        raise UsageError(msg)
    with warnings_as_lines():
        frames = [read_present(run) for run in runs]
        results = of_suite(pd.concat(frames, ignore_index=True), suite)
        entries = evaluation.eval_results(results, method, **options)
    text = evaluation.eval_yaml(entries)
    if model is None:
        click.echo(text, nl=False)
        return
    sent = evaluation.send_eval_results(text, model, pull_request=pull_request)
    if not sent.changed:
        click.echo(f"{model} has these {len(entries)} results already")
    elif sent.pull_request:
        click.echo(f"{len(entries)} results proposed in {sent.pull_request}")
    else:
        click.echo(f"{len(entries)} results sent; {model} is at {sent.commit}")
