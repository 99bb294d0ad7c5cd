"""Describe one data set: its manifest row and its columns."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from odbench.data.about import read_about
from odbench.data.catalog import load_dataset, locate, mirror_of, unknown
from odbench.data.dataset import Dataset, DatasetRecord
from odbench.data.store import Store
from odbench.data.subsets import rows_of, suite_of
from odbench.data.whole_numbers import large_integers
from odbench.errors import (
    DataError,
    OdbenchError,
    TransportError,
    UnknownDatasetError,
    UsageError,
)
from odbench.suites import load_suites
from odbench.text import names_in


def identify(
    name: str,
    suite: str | None,
    *,
    partition: str | None = None,
    mirror: Path | str | None = None,
) -> DatasetRecord:
    """Return the record of the data set that a user names.

    It is looked up in the manifest, the store and the mirror.

    Parameters
    ----------
    name : str
        ``suite/name``, or a name alone if `suite` is given or only one suite has it.
    suite : str or None
        Comma-separated suites to look in; all by default.
    partition : str, optional
        The only partition to look in; all by default.
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default.

    Raises
    ------
    UnknownDatasetError
        If no suite has it.
    UsageError
        If several suites have it, or `suite` has no name.
    """

    def look(dataset_id: str) -> DatasetRecord:
        offline = mirror_of(mirror) is None
        return locate(
            dataset_id, partition=partition, mirror=mirror, manifest_only=offline
        )

    if "/" in name:
        return look(name)
    suites = list(load_suites()) if suite is None else names_in(suite)
    if not suites:
        msg = "--suite: got no name; `odbench suites` lists the suites"
        raise UsageError(msg)
    # A suite and its subset have the same data sets.
    found: dict[str, DatasetRecord] = {}
    error: OdbenchError | None = None
    for one in suites:
        try:
            record = look(f"{one}/{name}")
            found[record.id] = record
        except (UnknownDatasetError, TransportError) as failure:
            error = failure
    if len(found) > 1:
        ids = " or ".join(found)
        msg = f"data set {name!r}: several suites have it; write {ids}"
        raise UsageError(msg)
    if not found:
        assert error is not None
        if len(suites) == 1:
            raise error
        known = (row.name for one in suites for row in rows_of(suite_of(one).name))
        raise unknown(name, known)
    return next(iter(found.values()))


def describe(
    record: DatasetRecord, *, mirror: Path | str | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the facts about a data set and its columns.

    Parameters
    ----------
    record : DatasetRecord
        Its manifest row.
    mirror : Path or str, optional
        The mirror to fetch it from if it is not in the store.

    Returns
    -------
    facts : dict
        The manifest's fields that are not empty, or the measured ones of a set without
        a row; ``licence_known``, how the licence is known; ``rounded_columns``, those
        of whole numbers beyond 2**53, whose last digits float64 cannot hold;
        ``skipped_members``, those of its archive that were not read; ``unavailable``,
        the reason if the set is not available.
    columns : list of dict
        One per column: its name, and ``min``, ``mean``, ``max`` and ``distinct`` over
        the training rows; empty if the set is not available.
    """
    try:
        dataset = load_dataset(record.id, mirror=mirror, partition=record.partition)
    except (TransportError, DataError) as error:
        return {**_facts(record), "unavailable": str(error)}, []
    facts = _facts(dataset.record)
    large = large_integers(dataset.X_train, dataset.X_test)
    if large:
        facts["rounded_columns"] = [dataset.columns[j] for j in large]
    if skipped := Store.default().provenance(record)["skipped"]:
        facts["skipped_members"] = skipped
    return facts, describe_columns(dataset)


def _facts(record: DatasetRecord) -> dict[str, Any]:
    """Return the fields of a record that are not empty."""
    facts: dict[str, Any] = {"id": record.id}
    for key, value in dataclasses.asdict(record).items():
        facts[key] = list(value) if key == "tags" else value
        if key == "licence":
            facts["licence_known"] = _licence_known(record)
    return {key: value for key, value in facts.items() if value not in ("", None, [])}


def _licence_known(record: DatasetRecord) -> str:
    """Return how a licence is known; empty if none is stated."""
    suite = load_suites().get(record.suite)
    if suite is None or not record.licence:
        return ""
    return " ".join(read_about(suite).licence_of(record.source).split())


def draw(
    record: DatasetRecord, path: Path | None, *, mirror: Path | str | None = None
) -> Path:
    """Draw a data set's test rows in the two columns that separate anomalies most.

    Parameters
    ----------
    record : DatasetRecord
        Its manifest row.
    path : Path or None
        The file, whose suffix sets the format; ``NAME.png`` in the working folder by
        default.
    mirror : Path or str, optional
        Where to fetch it from when it is not in the store.

    Returns
    -------
    Path
        The written file.

    Raises
    ------
    UsageError
        If its labels are not public, matplotlib is not installed, or the file cannot
        be written.
    """
    from odbench.synbench import picture

    file = Path(f"{record.name}.png") if path is None else path
    if record.suite == "synbench" and record.partition == "public":
        picture.save(record.name, file)
        return file
    dataset = load_dataset(record.id, mirror=mirror, partition=record.partition)
    if dataset.y_test is None:
        msg = f"picture of {record.id}: its labels are not public; nothing to draw"
        raise UsageError(msg)
    drawing = picture.table_figure(
        record.id, dataset.X_test, dataset.y_test, dataset.columns
    )
    picture.write(drawing, file)
    return file


def describe_columns(dataset: Dataset) -> list[dict[str, Any]]:
    """Return one dict per column with statistics of its training rows."""
    rows = []
    for name, values in zip(dataset.columns, dataset.X_train.T, strict=True):
        rows.append(
            {
                "column": name,
                "min": float(f"{values.min():.6g}"),
                "mean": float(f"{values.mean():.6g}"),
                "max": float(f"{values.max():.6g}"),
                "distinct": len(np.unique(values)),
            }
        )
    return rows
