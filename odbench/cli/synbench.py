"""``odbench synbench``: draw a private partition, rebuild the public manifest."""

from __future__ import annotations

from pathlib import Path

import click


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
    help="The secret; made, readable by you alone, where there is none. Keep it.",
)
@click.option("--count", required=True, type=int, help="How many data sets.")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to make: features/ to publish, labels/ to keep.",
)
def private(seed_file: Path, count: int, out: Path) -> None:
    """Draw data sets that were never published, features apart from labels."""
    from odbench.synbench.private import read_seed, write_partition

    made = write_partition(read_seed(seed_file, create=True), count=count, out=out)
    click.echo(f"{len(made)} data sets; publish: {out / 'features'}")
    click.echo(f"keep to yourself: {out / 'labels'} and the seed file")


@synbench.command(short_help="Generate every public set; check the manifest.")
@click.option(
    "--write",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The manifest to write; without it, compare with the installed one.",
)
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(min=1))
@click.option("--match", "pattern", default="*", help="A glob on names, to compare.")
def manifest(file: Path | None, jobs: int, pattern: str) -> None:
    """Generate every public set and write, or check, its manifest rows."""
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
    click.echo("every generated set is the manifest's")
