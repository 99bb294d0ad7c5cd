"""Submissions: packed and checked by their authors, evaluated by a maintainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

# The same lists as in odbench.submissions.statement, which is not loaded for --help;
# a test holds them together.
KINDS = ("classical", "deep", "foundation", "ensemble", "automl", "other")
CONFIGURATIONS = ("reference", "fixed", "public-tuned", "per-dataset")

_FILE = click.Path(path_type=Path)
_sets = click.option(
    "--sets",
    "sets_file",
    type=_FILE,
    help="Set list to hold the submission against. Default: the suite's manifest.",
)
_wanted_sets = click.option("--sets", "sets_file", type=_FILE, required=True)
_labels = click.option(
    "--labels", type=_FILE, required=True, help="Folder of the labels, one .npy a set."
)


@click.group()
def submission() -> None:
    """Pack, check and evaluate submissions.

    \b
    odbench run --suite synbench --partition private --mirror features \\
        --detectors me.py:Mine --keep-scores --out run
    odbench submission pack run --sets sets.json --method Mine \\
        --author "A. Person" --training-data none --out mine.zip
    odbench submission check mine.zip --sets sets.json
    """  # noqa: D301 - click's own mark for "do not wrap"


@submission.command()
@click.argument("run", type=_FILE)
@click.option(
    "--out",
    type=_FILE,
    default=Path("submission.zip"),
    show_default=True,
    help="The archive to write.",
)
@click.option("--method", default="", help="Name of the row. Default: the detector's.")
@click.option("--author", "authors", multiple=True, default=["unnamed"])
@click.option("--version", default="", help="Default: the detector's version.")
@click.option("--contact", default="", help="Where questions go.")
@click.option("--code-url", default="", help="Where the code is.")
@click.option("--kind", type=click.Choice(KINDS), default="other", show_default=True)
@click.option(
    "--configuration",
    type=click.Choice(CONFIGURATIONS),
    default="fixed",
    show_default=True,
    help="How the configuration was found.",
)
@click.option(
    "--training-data",
    default="not stated",
    show_default=True,
    help='What it was pretrained or tuned on, or "none".',
)
@click.option("--hardware", default="", help="Default: what the run recorded.")
@click.option("--config", help="Which one: knn, knn[k=20] or a config_id.")
@_sets
def pack(
    run: Path, out: Path, config: str | None, sets_file: Path | None, **facts: Any
) -> None:
    """Make one archive from a run with --keep-scores."""
    from odbench.api.dataset_lists import of_run
    from odbench.submissions.packing import pack as make

    sets = of_run(sets_file, run)
    made = make(run, out, sets=sets, facts=facts, config=config)
    covered = made.n_sets - len(made.missing)
    click.echo(f"{out}  {made.n_bytes} bytes  sha256 {made.sha256}")
    click.echo(
        f"{covered} of {made.n_sets} data sets of {sets.suite} ({sets.partition})"
    )
    if made.missing:
        shown = ", ".join(made.missing[:10]) + (", ..." if made.missing[10:] else "")
        click.echo(f"missing, will count as failures: {shown}", err=True)


@submission.command()
@click.argument("file", type=_FILE)
@_sets
@click.pass_context
def check(ctx: click.Context, file: Path, sets_file: Path | None) -> None:
    """Say what keeps an archive from being evaluated; exit 3 if anything does."""
    from odbench.api.dataset_lists import of_archive
    from odbench.submissions.checking import check as find_faults

    sets = of_archive(sets_file, file)
    faults = find_faults(file, sets)
    for fault in faults:
        click.echo(fault)
    if faults:
        ctx.exit(3)
    click.echo(f"{file}: can be evaluated on {sets.suite} ({sets.partition})")


@submission.command()
@click.argument("file", type=_FILE)
@_labels
@click.option("--leaderboard", type=_FILE, required=True, help="Folder of the tables.")
@click.option(
    "--submitter",
    default="unverified",
    show_default=True,
    help="Who submits, as you verified it. All the unverified are one submitter.",
)
@_sets
@click.option(
    "--tier",
    type=click.Choice(["re-scored", "re-run"]),
    default="re-scored",
    show_default=True,
    help="re-run: you ran the code yourself and packed that run.",
)
@click.option("--commitments", type=_FILE, help="Check labels against these first.")
@click.option("--salt-file", type=_FILE, help="The salt of the commitments.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
)
def evaluate(
    file: Path, labels: Path, leaderboard: Path, sets_file: Path | None, **options: Any
) -> None:
    """Score an archive against hidden labels (maintainers).

    Prints the method's row of the private table: rounded aggregates, and the old ones
    after a resubmission that is no real improvement.
    """
    from datetime import UTC, datetime

    from odbench.api.dataset_lists import of_archive, protocol_rows
    from odbench.submissions.evaluate import EvaluationRequest, Evaluator
    from odbench.submissions.labels import LabelFolder
    from odbench.submissions.rescoring import Rescorer

    request = EvaluationRequest(
        path=file,
        submitter=options["submitter"],
        now=datetime.now(UTC),
        tier=options["tier"],
    )
    sets = of_archive(sets_file, file)
    truth = LabelFolder(labels, sets)
    if options["commitments"] is not None:
        _check_commitments(truth, sets, options["commitments"], options["salt_file"])
    rescorer = Rescorer(sets=sets, labels=truth, choose_rows=protocol_rows(sets.suite))
    evaluator = Evaluator(rescorer=rescorer, leaderboard=leaderboard)
    click.echo(_shown(evaluator.evaluate(request), options["style"]))
    if (leaderboard / "index.html").is_file():
        click.echo(
            f"the page of {leaderboard} shows this after `odbench leaderboard build "
            f"RUN... --out {leaderboard}`",
            err=True,
        )


@submission.command("sets")
@click.option("--suite", required=True)
@click.option("--partition", default="private", show_default=True)
@click.option("--from", "folder", type=_FILE, help="Measure the npz files in here.")
@click.option("--out", type=_FILE, required=True)
def list_sets(suite: str, partition: str, folder: Path | None, out: Path) -> None:
    """Write the list of data sets that submissions are held against.

    From the suite's manifest, or from a folder of archives laid out as a mirror is
    (the features of a private partition).
    """
    from odbench.api.dataset_lists import from_folder, from_manifest

    if folder is None:
        sets = from_manifest(suite, partition)
    else:
        sets = from_folder(folder, suite, partition)
    sets.write(out)
    click.echo(f"{out}  {len(sets.sets)} data sets  sha256 {sets.sha256}")


@submission.command()
@_labels
@_wanted_sets
@click.option("--salt-file", type=_FILE, required=True, help="Made if it is not there.")
@click.option("--out", type=_FILE, required=True, help="The commitments, to publish.")
def commit(labels: Path, sets_file: Path, salt_file: Path, out: Path) -> None:
    """Promise the labels of a set list without showing them (maintainers)."""
    from odbench.submissions import commitments
    from odbench.submissions.dataset_list import read_dataset_list
    from odbench.submissions.labels import LabelFolder
    from odbench.submissions.strict_json import canonical, write_whole

    sets = read_dataset_list(sets_file)
    salt = commitments.read_salt(salt_file, create=True)
    promises = commitments.commit(LabelFolder(labels, sets), sets, salt)
    write_whole(out, canonical(promises) + b"\n")
    click.echo(f"{out}  {len(sets.sets)} commitments; keep {salt_file} secret")


@submission.command()
@_wanted_sets
@click.option("--salt-file", type=_FILE, required=True)
@click.option("--dataset", "names", multiple=True, help="Repeatable. Default: all.")
@click.option("--out", type=_FILE, required=True, help="The keys, to publish.")
def reveal(sets_file: Path, salt_file: Path, names: tuple[str, ...], out: Path) -> None:
    """Write the keys that let others check revealed labels (maintainers)."""
    from odbench.submissions import commitments
    from odbench.submissions.dataset_list import read_dataset_list
    from odbench.submissions.strict_json import canonical, write_whole

    sets = read_dataset_list(sets_file)
    salt = commitments.read_salt(salt_file)
    keys = commitments.reveal(sets, salt, names or tuple(sets.by_name))
    write_whole(out, canonical(keys) + b"\n")
    click.echo(f"{out}  keys of {len(keys['keys'])} data sets")


@submission.command()
@_labels
@_wanted_sets
@click.option("--commitments", "promises", type=_FILE, required=True)
@click.option("--keys", "keys_file", type=_FILE, required=True)
@click.pass_context
def verify(
    ctx: click.Context, labels: Path, sets_file: Path, promises: Path, keys_file: Path
) -> None:
    """Check revealed labels against what was promised; exit 3 if they differ."""
    from odbench.submissions import commitments
    from odbench.submissions.dataset_list import read_dataset_list
    from odbench.submissions.labels import LabelFolder

    sets = read_dataset_list(sets_file)
    keys = commitments.read_keys(keys_file, sets)
    published = commitments.read_commitments(promises, sets)
    faults = commitments.verify(LabelFolder(labels, sets), sets, published, keys)
    for fault in faults:
        click.echo(fault)
    if faults:
        ctx.exit(3)
    click.echo(f"the labels of {len(keys)} data sets are those that were promised")


@submission.command("log")
@click.option("--leaderboard", type=_FILE, required=True, help="Folder of the tables.")
def show_log(leaderboard: Path) -> None:
    """Check the audit log's chain and print its last hash."""
    from odbench.errors import UsageError
    from odbench.submissions.audit_log import AuditLog

    if not leaderboard.is_dir():
        msg = (
            f"--leaderboard {str(leaderboard)!r}: no such folder; name the one that "
            f"`submission evaluate` wrote to"
        )
        raise UsageError(msg)
    log = AuditLog(leaderboard / "audit.jsonl")
    click.echo(f"evaluations: {len(log.entries)}, last hash: {log.head}")


def _check_commitments(
    labels: Any, sets: Any, file: Path, salt_file: Path | None
) -> None:
    """Refuse to evaluate with labels that are not the promised ones."""
    from odbench.errors import SubmissionError, UsageError
    from odbench.submissions import commitments

    if salt_file is None:
        msg = "--commitments: needs --salt-file, from which the keys are derived"
        raise UsageError(msg)
    published = commitments.read_commitments(file, sets)
    salt = commitments.read_salt(salt_file)
    if published != commitments.commit(labels, sets, salt):
        msg = (
            f"labels: not those promised in {str(file)!r}; use the right folder or salt"
        )
        raise SubmissionError(msg)


def _shown(row: dict[str, Any], style: str) -> str:
    import csv
    import io
    import json

    if style == "json":
        return json.dumps(row, indent=2, ensure_ascii=False)
    if style == "table":
        width = max(map(len, row))
        return "\n".join(f"{name:<{width}}  {value}" for name, value in row.items())
    text = io.StringIO()
    writer = csv.DictWriter(text, list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue().rstrip("\n")
