"""``odbench synbench``: draw a private partition, rebuild the public manifest."""

from __future__ import annotations

from pathlib import Path

import click

from odbench.cli.options import FOLDER, jobs_option

# Version 1, whose oracles are not likelihood ratios.
_FIRST = "synbench"


@click.group()
def synbench() -> None:
    """Draw a private partition of the synthetic suite.

    \b
    odbench synbench private --seed-file secret.seed --count 100 --out private-2026
    """  # noqa: D301 - click's own mark for "do not wrap"


@synbench.command(short_help="Draw data sets that were never published.")
@click.option(
    "--seed-file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with the secret seed. It is created, readable by you alone, if it does "
    "not exist. Keep it.",
)
@click.option("--count", required=True, type=int, help="Number of data sets.")
@click.option(
    "--out",
    required=True,
    type=FOLDER,
    metavar="DIR",
    help="Folder to create: features/ to publish, labels/ to keep.",
)
def private(seed_file: Path, count: int, out: Path) -> None:
    """Draw data sets that were never published, with features and labels apart."""
    from odbench.synbench.private import check_request, read_seed, write_partition

    check_request(count=count, out=out)
    made = write_partition(read_seed(seed_file, create=True), count=count, out=out)
    click.echo(f"{len(made)} data sets; publish: {out / 'features'}")
    click.echo(f"keep to yourself: {out / 'labels'} and the seed file")


@synbench.command(short_help="Generate every public data set and check the manifest.")
@click.option(
    "--suite",
    default="synbench",
    metavar="NAME",
    type=click.Choice(["synbench", "synbench-2", "synbench-severity"]),
    help="Generated suite; synbench is version 1.",
)
@click.option(
    "--write",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Manifest to write. Without it, compare with the installed one.",
)
@jobs_option(2)
@click.option(
    "--match",
    "pattern",
    metavar="GLOB",
    default="*",
    help="Compare only data sets whose names match GLOB.",
)
@click.option(
    "--scores",
    "run",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="RUN",
    help="Also hold the scores that RUN kept (--keep-scores) against the oracles.",
)
def manifest(
    suite: str, file: Path | None, jobs: int, pattern: str, run: Path | None
) -> None:
    """Generate every public data set, and check or write its row of the manifest.

    From version 2 on, a set whose oracle is beaten beyond chance by any score is a
    fault, too.
    """
    from odbench.data.manifest import read_manifest, write_manifest
    from odbench.data.synbench_manifest import check, measured, oracle_faults

    kept = {} if run is None else _kept_scores(run, suite)
    faults = []
    if suite != _FIRST:
        faults = oracle_faults(pattern, jobs=jobs, suite=suite, kept=kept)
    if file is not None and not faults:
        records = measured("*", jobs=jobs, suite=suite)
        write_manifest(records, file)
        click.echo(f"{file}: {len(records)} data sets")
        return
    if file is None:
        made = measured(pattern, jobs=jobs, suite=suite)
        faults += check(made, read_manifest(suite))
    for fault in faults:
        click.echo(fault)
    if faults:
        raise SystemExit(3)
    click.echo("every generated data set is as in the manifest")


def _kept_scores(run: Path, suite: str) -> dict[str, dict[str, Path]]:
    """Return the score files of a run: data set -> detector -> file."""
    from odbench.errors import UsageError
    from odbench.results import scores_file
    from odbench.results.parquet import read_results

    found: dict[str, dict[str, Path]] = {}
    results = read_results(run)
    for each in results.to_dict("records"):
        row = {str(column): value for column, value in each.items()}
        path = scores_file(run, row)
        if row["suite"] == suite and path.is_file():
            label = f"{row['detector']} ({row['config']})"
            found.setdefault(row["dataset"], {})[label] = path
    if not found:
        msg = (
            f"--scores {str(run)!r}: holds no scores of {suite}; wanted the folder of "
            f"`odbench run --suite {suite} --keep-scores`"
        )
        raise UsageError(msg)
    return found
