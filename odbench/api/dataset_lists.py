"""Data set lists for submissions: from a file, a run, or the manifests."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from odbench.errors import UnknownDatasetError, UsageError

if TYPE_CHECKING:
    from odbench.arrays import IntArray, LabelArray
    from odbench.data.dataset import DatasetRecord
    from odbench.submissions.dataset_list import DatasetList, ExpectedDataset
    from odbench.submissions.rescoring import RowChooser


def from_file_or_manifest(
    file: Path | None, *, suite: str, partition: str
) -> DatasetList:
    """Return the data set list in a file, or that of a suite's manifest.

    Parameters
    ----------
    file : Path or None
        What ``odbench submission sets`` wrote.
    suite, partition : str
        Looked up in the manifests where there is no file.
    """
    if file is not None:
        from odbench.submissions.dataset_list import read_dataset_list

        return read_dataset_list(file)
    return from_manifest(suite, partition)


def from_manifest(
    suite: str, partition: str, *, step: str = "name a data set list with --sets"
) -> DatasetList:
    """Return the measured data sets of a suite's manifest as a data set list.

    Parameters
    ----------
    suite, partition : str
        The part of the manifest.
    step : str
        The next step where it has none.

    Raises
    ------
    UsageError
        If the manifest has none.

    Warns
    -----
    UserWarning
        If data sets are left out because they were never measured.
    """
    from odbench.data.catalog import select
    from odbench.submissions.dataset_list import DatasetList

    # The manifest alone: what a hub lists today must not change what was promised.
    try:
        listed = select(suite, partition=partition, offline=True)
    except UnknownDatasetError:
        listed = []
    records = [record for record in listed if record.n_test > 0]
    if not records:
        msg = (
            f"suite {suite!r}: its manifest has no measured data set of the partition "
            f"{partition!r}; {step}"
        )
        raise UsageError(msg)
    _tell_unmeasured(suite, [record.name for record in listed if record.n_test <= 0])
    return DatasetList(
        suite=records[0].suite,
        partition=partition,
        sets=tuple(_expected(record) for record in records),
    )


def _tell_unmeasured(suite: str, names: list[str]) -> None:
    if names:
        more = ", ..." if len(names) > 3 else ""
        warnings.warn(
            f"suite {suite!r}: {len(names)} data sets of its manifest were never "
            f"measured and are not in the list: {', '.join(names[:3])}{more}; "
            f"`odbench datasets audit` measures them",
            stacklevel=3,
        )


def from_folder(folder: Path, suite: str, partition: str) -> DatasetList:
    """Return the archives of a folder as a data set list: their features, measured.

    Parameters
    ----------
    folder : Path
        Holds ``<partition>/<name>.npz`` or ``<name>.npz``, as a mirror does; labels
        in them are not looked at.
    suite, partition : str
        What they are.

    Raises
    ------
    UsageError
        If there are none.
    """
    from odbench.submissions.dataset_list import DatasetList

    nested = folder / partition
    files = sorted((nested if nested.is_dir() else folder).glob("*.npz"))
    if not files:
        msg = f"--from {str(folder)!r}: holds no {partition}/*.npz; name another folder"
        raise UsageError(msg)
    sets = tuple(_measured(file, f"{suite}/{file.stem}") for file in files)
    return DatasetList(suite=suite, partition=partition, sets=sets)


def of_archive(file: Path | None, archive: Path) -> DatasetList:
    """Return the list in a file where there is one, else that the archive asks for."""
    from odbench.submissions.archive import STATEMENT, peek
    from odbench.submissions.strict_json import parse_object

    if file is not None:
        return from_file_or_manifest(file, suite="", partition="")
    said = parse_object(peek(archive), where=STATEMENT)
    about = (str(said.get("suite")), str(said.get("partition")))
    for name in about:
        # Not yet checked: it must not reach a terminal as it is.
        if not re.fullmatch(r"[a-z0-9_-]{1,40}", name):
            msg = f"submission {str(archive)!r}: made for {name[:60]!r}; no such suite"
            raise UsageError(msg)
    return from_manifest(*about)


def of_run(file: Path | None, run: Path) -> DatasetList:
    """Return the list in a file where there is one, else that the run was about."""
    if file is not None:
        return from_file_or_manifest(file, suite="", partition="")
    from odbench.results import read_results

    results = read_results(run)
    about = sorted(set(zip(results["suite"], results["partition"], strict=True)))
    if not about:
        msg = (
            f"run {str(run)!r}: has no finished trials; repeat its `odbench run`, "
            f"which continues there"
        )
        raise UsageError(msg)
    if len(about) != 1:
        there = ", ".join(f"{suite} ({partition})" for suite, partition in about)
        msg = f"run {str(run)!r}: holds {there}; name one with --sets"
        raise UsageError(msg)
    return from_manifest(*about[0])


def protocol_rows(suite: str) -> RowChooser:
    """Return the function that tells which test rows the protocol scores."""
    from odbench.data.protocol import choose_rows

    def rows(
        expected: ExpectedDataset, seed: int, labels: LabelArray | None
    ) -> IntArray:
        return choose_rows(
            expected.n_train,
            labels,
            expected.n_test,
            dataset_id=f"{suite}/{expected.dataset}",
            seed=seed,
        ).test

    return rows


def _expected(record: DatasetRecord) -> ExpectedDataset:
    from odbench.submissions.dataset_list import ExpectedDataset

    return ExpectedDataset(
        dataset=record.name,
        content_sha256=record.content_sha256,
        n_train=record.n_train,
        n_test=record.n_test,
        n_scored=_n_scored(record.n_train, record.n_test),
    )


def _measured(file: Path, dataset_id: str) -> ExpectedDataset:
    from odbench.data.archive import read_archive
    from odbench.data.content import content_sha256
    from odbench.submissions.dataset_list import ExpectedDataset

    raw = read_archive(file, dataset_id=dataset_id, labelled=False)
    n_train, n_test = len(raw.train), len(raw.test)
    return ExpectedDataset(
        dataset=file.stem,
        content_sha256=content_sha256(raw.train, raw.test, None),
        n_train=n_train,
        n_test=n_test,
        n_scored=_n_scored(n_train, n_test),
    )


def _n_scored(n_train: int, n_test: int) -> int:
    """Return how many test rows the protocol scores; the seed decides which."""
    from odbench.data.protocol import ROW_LIMIT, choose_rows

    if n_train + n_test <= ROW_LIMIT:
        return n_test
    return len(choose_rows(n_train, None, n_test, dataset_id="any", seed=0).test)
