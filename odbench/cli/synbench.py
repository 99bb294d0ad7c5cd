"""``odbench synbench``: draw a private partition, rebuild the public manifest."""

from __future__ import annotations

from pathlib import Path

import click

from odbench.cli.options import FOLDER, jobs_option


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
    from odbench.synbench.private import read_seed, write_partition

    made = write_partition(read_seed(seed_file, create=True), count=count, out=out)
    click.echo(f"{len(made)} data sets; publish: {out / 'features'}")
    click.echo(f"keep to yourself: {out / 'labels'} and the seed file")


@synbench.command(short_help="Generate every public data set and check the manifest.")
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
def manifest(file: Path | None, jobs: int, pattern: str) -> None:
    """Generate every public data set, and check or write its row of the manifest."""
    from odbench.data.manifest import read_manifest, write_manifest
    from odbench.data.synbench_manifest import check, measured

    if file is not None:
        records = measured("*", jobs=jobs)
        write_manifest(records, file)
        click.echo(f"{file}: {len(records)} data sets")
        return
    faults = check(measured(pattern, jobs=jobs), read_manifest("synbench"))
    for fault in faults:
        click.echo(fault)
    if faults:
        raise SystemExit(3)
    click.echo("every generated data set is as in the manifest")
