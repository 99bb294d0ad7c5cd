"""``odbench submission``: pack, check and evaluate submissions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from odbench.cli.options import PATH, format_option
from odbench.cli.outputs import check_outputs
from odbench.cli.warned import warnings_as_lines

# Copies of the lists in odbench.submissions.statement, which is not loaded for --help;
# a test compares them.
KINDS = ("classical", "deep", "foundation", "ensemble", "automl", "other")
CONFIGURATIONS = ("reference", "fixed", "public-tuned", "per-dataset")

_sets = click.option(
    "--sets",
    "sets_file",
    type=PATH,
    help="List of data sets to check the submission against.  [default: the suite's "
    "manifest]",
)
_wanted_sets = click.option(
    "--sets", "sets_file", type=PATH, required=True, help="List of data sets."
)
_labels = click.option(
    "--labels",
    type=PATH,
    required=True,
    help="Folder of the labels, one .npy per data set.",
)


_leaderboard = click.option(
    "--leaderboard",
    type=PATH,
    required=True,
    help="Folder of the leaderboard's tables.",
)


@click.group()
@click.pass_context
def submission(ctx: click.Context) -> None:
    """Pack, check and evaluate submissions.

    \b
    odbench run --suite synbench --partition private --mirror features \\
        --detectors me.py:Mine --keep-scores --out run
    odbench submission pack run --sets sets.json --method Mine \\
        --author "A. Person" --training-data none --out mine.zip
    odbench submission check mine.zip --sets sets.json
    """  # noqa: D301 - click's own mark for "do not wrap"
    ctx.with_resource(warnings_as_lines())


@submission.command()
@click.argument("run", type=PATH)
@click.option(
    "--out",
    type=PATH,
    default=Path("submission.zip"),
    show_default=True,
    help="Archive to write.",
)
@click.option(
    "--method", default="", help="Name of the method.  [default: the detector's]"
)
@click.option(
    "--author",
    "authors",
    multiple=True,
    default=["unnamed"],
    show_default=True,
    help="Author; give it once per author.",
)
@click.option(
    "--version", default="", help="Version of the method.  [default: the detector's]"
)
@click.option("--contact", default="", help="Address for questions.")
@click.option("--code-url", default="", help="Address of the code.")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="other",
    show_default=True,
    help="Kind of method.",
)
@click.option(
    "--configuration",
    type=click.Choice(CONFIGURATIONS),
    default="fixed",
    show_default=True,
    help="How the configuration was chosen.",
)
@click.option(
    "--training-data",
    default="not stated",
    show_default=True,
    help='Data used for pretraining or tuning, or "none".',
)
@click.option(
    "--hardware", default="", help="Hardware.  [default: as recorded by the run]"
)
@click.option("--config", help="Configuration to pack: knn, knn[k=20] or a config_id.")
@_sets
def pack(
    run: Path, out: Path, config: str | None, sets_file: Path | None, **facts: Any
) -> None:
    """Pack a run with --keep-scores into one archive."""
    from odbench.api.dataset_lists import of_run
    from odbench.submissions.packing import pack as make
    from odbench.submissions.rules import FEWEST_SETS

    check_outputs({"--out": out}, {"--sets": sets_file})
    sets = of_run(sets_file, run)
    made = make(run, out, sets=sets, facts=facts, config=config)
    covered = made.n_sets - len(made.missing)
    click.echo(f"{out}  {made.n_bytes} bytes  sha256 {made.sha256}")
    click.echo(
        f"{covered} of {made.n_sets} data sets of {sets.suite} ({sets.partition})"
    )
    told = []
    if covered < FEWEST_SETS:
        told.append(
            f"cannot be evaluated: {covered} scored data sets; wanted at least "
            f"{FEWEST_SETS}"
        )
    if made.missing:
        shown = ", ".join(made.missing[:10]) + (", ..." if made.missing[10:] else "")
        told.append(f"missing, will count as AUROC 0 and AP 0: {shown}")
    if told:
        click.echo("; ".join(told), err=True)


@submission.command(short_help="List the faults that prevent evaluation.")
@click.argument("file", type=PATH)
@_sets
@click.pass_context
def check(ctx: click.Context, file: Path, sets_file: Path | None) -> None:
    """List the faults that prevent evaluation; exit with 3 if there are any."""
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
@click.argument("file", type=PATH)
@_labels
@_leaderboard
@click.option(
    "--submitter",
    default="unverified",
    show_default=True,
    help="Submitter, as verified by you. All unverified ones count as one submitter.",
)
@_sets
@click.option(
    "--tier",
    type=click.Choice(["re-scored", "re-run"]),
    default="re-scored",
    show_default=True,
    help="Tier of the evaluation; re-run: you ran the code yourself and packed that "
    "run.",
)
@click.option(
    "--commitments", type=PATH, help="Check the labels against these commitments first."
)
@click.option("--salt-file", type=PATH, help="File with the salt of the commitments.")
@format_option(name="style")
def evaluate(
    file: Path, labels: Path, leaderboard: Path, sets_file: Path | None, **options: Any
) -> None:
    """Score an archive against hidden labels (maintainers).

    Prints the method's row of the private table: rounded aggregates, which stay the old
    ones if a resubmission is not a real improvement.
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
    if options["commitments"] is not None or options["salt_file"] is not None:
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


@submission.command("sets", short_help="Write the list of data sets to submit.")
@click.option("--suite", required=True, help="Name of the suite.")
@click.option(
    "--partition", default="private", show_default=True, help="Partition of the suite."
)
@click.option(
    "--from", "folder", type=PATH, metavar="DIR", help="Measure the npz files in DIR."
)
@click.option("--out", type=PATH, required=True, help="File to write.")
def list_sets(suite: str, partition: str, folder: Path | None, out: Path) -> None:
    """Write the list of data sets that submissions are checked against.

    It is made from the suite's manifest, or from a folder of archives laid out like a
    mirror (the features of a private partition).
    """
    from odbench.api.dataset_lists import from_folder, from_manifest

    if folder is None:
        step = "name a folder of its features with --from"
        sets = from_manifest(suite, partition, step=step)
    else:
        sets = from_folder(folder, suite, partition)
    sets.write(out)
    click.echo(f"{out}  {len(sets.sets)} data sets  sha256 {sets.sha256}")


@submission.command(short_help="Commit to hidden labels (maintainers).")
@_labels
@_wanted_sets
@click.option(
    "--salt-file",
    type=PATH,
    required=True,
    help="File with the secret salt; created if it does not exist.",
)
@click.option(
    "--out", type=PATH, required=True, help="File for the commitments, to publish."
)
def commit(labels: Path, sets_file: Path, salt_file: Path, out: Path) -> None:
    """Commit to the labels of the data sets without showing them (maintainers)."""
    from odbench.submissions import commitments
    from odbench.submissions.dataset_list import read_dataset_list
    from odbench.submissions.labels import LabelFolder
    from odbench.submissions.strict_json import canonical, write_whole

    check_outputs({"--out": out}, {"--sets": sets_file, "--salt-file": salt_file})
    sets = read_dataset_list(sets_file)
    salt = commitments.read_salt(salt_file, create=True)
    promises = commitments.commit(LabelFolder(labels, sets), sets, salt)
    write_whole(out, canonical(promises) + b"\n")
    click.echo(f"{out}  {len(sets.sets)} commitments; keep {salt_file} secret")


@submission.command(short_help="Write the keys to revealed labels (maintainers).")
@_wanted_sets
@click.option(
    "--salt-file", type=PATH, required=True, help="File with the secret salt."
)
@click.option(
    "--dataset",
    "names",
    multiple=True,
    help="Data set to reveal; give it once per data set.  [default: all]",
)
@click.option("--out", type=PATH, required=True, help="File for the keys, to publish.")
def reveal(sets_file: Path, salt_file: Path, names: tuple[str, ...], out: Path) -> None:
    """Write the keys that let others check revealed labels (maintainers)."""
    from odbench.submissions import commitments
    from odbench.submissions.dataset_list import read_dataset_list
    from odbench.submissions.strict_json import canonical, write_whole

    check_outputs({"--out": out}, {"--sets": sets_file, "--salt-file": salt_file})
    sets = read_dataset_list(sets_file)
    salt = commitments.read_salt(salt_file)
    keys = commitments.reveal(sets, salt, names or tuple(sets.by_name))
    write_whole(out, canonical(keys) + b"\n")
    click.echo(f"{out}  keys of {len(keys['keys'])} data sets")


@submission.command(short_help="Check revealed labels against the commitments.")
@_labels
@_wanted_sets
@click.option(
    "--commitments",
    "promises",
    type=PATH,
    required=True,
    help="File with the published commitments.",
)
@click.option(
    "--keys", "keys_file", type=PATH, required=True, help="File with the keys."
)
@click.pass_context
def verify(
    ctx: click.Context, labels: Path, sets_file: Path, promises: Path, keys_file: Path
) -> None:
    """Check revealed labels against the commitments; exit with 3 if they differ."""
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
    click.echo(f"the labels of {len(keys)} data sets agree with the commitments")


@submission.command("log")
@_leaderboard
def show_log(leaderboard: Path) -> None:
    """Check the audit log and the tables beside it, and print the log's last hash."""
    from odbench.errors import UsageError
    from odbench.leaderboard.evaluated import read_evaluated
    from odbench.submissions.released import read_log

    if not leaderboard.is_dir():
        msg = (
            f"--leaderboard {str(leaderboard)!r}: no such folder; name the one that "
            f"`submission evaluate` wrote to"
        )
        raise UsageError(msg)
    log = read_log(leaderboard)
    read_evaluated(leaderboard)
    click.echo(f"evaluations: {len(log.entries)}, last hash: {log.head}")


def _check_commitments(
    labels: Any, sets: Any, file: Path | None, salt_file: Path | None
) -> None:
    """Refuse to evaluate with labels that are not the promised ones."""
    from odbench.errors import SubmissionError, UsageError
    from odbench.submissions import commitments

    if salt_file is None:
        msg = "--commitments: --salt-file is missing; the keys are derived from it"
        raise UsageError(msg)
    if file is None:
        msg = "--salt-file: --commitments is missing; the labels are checked by both"
        raise UsageError(msg)
    published = commitments.read_commitments(file, sets)
    salt = commitments.read_salt(salt_file)
    if published != commitments.commit(labels, sets, salt):
        msg = (
            f"labels: they differ from the commitments in {str(file)!r}; use the right "
            f"folder or salt"
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
