"""Set lists for the submission commands: from a file, or from the manifests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from odbench.errors import UsageError

if TYPE_CHECKING:
    from odbench.arrays import IntArray, LabelArray
    from odbench.data.dataset import DatasetRecord
    from odbench.leaderboard.rescoring import RowChooser
    from odbench.leaderboard.setlist import ExpectedSet, SetList


def from_file_or_manifest(file: Path | None, *, suite: str, partition: str) -> SetList:
    """Return the set list in a file, or that of a suite's manifest.

    Parameters
    ----------
    file : Path or None
        What ``odbench submission sets`` wrote.
    suite, partition : str
        Looked up in the manifests where there is no file.
    """
    if file is not None:
        from odbench.leaderboard.setlist import read_set_list

        return read_set_list(file)
    return from_manifest(suite, partition)


def from_manifest(suite: str, partition: str) -> SetList:
    """Return the measured data sets of a suite's manifest as a set list.

    Raises
    ------
    UsageError
        If the manifest has none.
    """
    from odbench.data.catalog import select
    from odbench.leaderboard.setlist import SetList

    records = [each for each in select(suite, partition=partition) if each.n_test > 0]
    if not records:
        msg = (
            f"suite {suite!r}: its manifest has no measured data set of the partition "
            f"{partition!r}; name a set list with --sets"
        )
        raise UsageError(msg)
    return SetList(
        suite=records[0].suite,
        partition=partition,
        sets=tuple(_expected(record) for record in records),
    )


def of_archive(file: Path | None, archive: Path) -> SetList:
    """Return the list in a file where there is one, else that the archive asks for."""
    from odbench.leaderboard.archive import STATEMENT, peek
    from odbench.leaderboard.strict_json import parse_object

    if file is not None:
        return from_file_or_manifest(file, suite="", partition="")
    said = parse_object(peek(archive), where=STATEMENT)
    return from_manifest(str(said.get("suite"))[:40], str(said.get("partition"))[:40])


def of_run(file: Path | None, run: Path) -> SetList:
    """Return the list in a file where there is one, else that the run was about."""
    if file is not None:
        return from_file_or_manifest(file, suite="", partition="")
    from odbench.results import read_results

    results = read_results(run)
    about = sorted(set(zip(results["suite"], results["partition"], strict=True)))
    if len(about) != 1:
        there = ", ".join(f"{suite} ({partition})" for suite, partition in about)
        msg = f"run {str(run)!r}: holds {there or 'nothing'}; name one with --sets"
        raise UsageError(msg)
    return from_manifest(*about[0])


def protocol_rows(suite: str) -> RowChooser:
    """Return the function that tells which test rows the protocol scores."""
    from odbench.data.protocol import choose_rows

    def rows(expected: ExpectedSet, seed: int, labels: LabelArray | None) -> IntArray:
        return choose_rows(
            expected.n_train,
            labels,
            expected.n_test,
            dataset_id=f"{suite}/{expected.dataset}",
            seed=seed,
        ).test

    return rows


def _expected(record: DatasetRecord) -> ExpectedSet:
    from odbench.data.protocol import ROW_LIMIT, choose_rows
    from odbench.leaderboard.setlist import ExpectedSet

    n_scored = record.n_test
    if record.n_train + record.n_test > ROW_LIMIT:
        # How many does not depend on the seed, only which.
        n_scored = len(
            choose_rows(
                record.n_train, None, record.n_test, dataset_id=record.id, seed=0
            ).test
        )
    return ExpectedSet(
        dataset=record.name,
        content_sha256=record.content_sha256,
        n_train=record.n_train,
        n_test=record.n_test,
        n_scored=n_scored,
    )
