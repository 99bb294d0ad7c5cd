"""One data set, described: its manifest row and its columns."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from odbench.data.catalog import find, load_dataset, unknown
from odbench.data.dataset import Dataset, DatasetRecord
from odbench.data.suites import load_suites, rows_of
from odbench.errors import TransportError, UnknownDatasetError, UsageError


def identify(name: str, suite: str | None) -> DatasetRecord:
    """Return the manifest row that a user means.

    Parameters
    ----------
    name : str
        ``suite/name``, or a name alone when `suite` is given or one suite has it.
    suite : str or None
        Where to look.

    Raises
    ------
    UnknownDatasetError
        If no suite has it.
    UsageError
        If several have.
    """
    if "/" in name:
        return find(name)
    suites = [suite] if suite else list(load_suites())
    found = []
    error: UnknownDatasetError | None = None
    for one in suites:
        try:
            found.append(find(f"{one}/{name}"))
        except UnknownDatasetError as failure:
            error = failure
    if len(found) > 1:
        ids = " or ".join(record.id for record in found)
        msg = f"data set {name!r}: several suites have it; write {ids}"
        raise UsageError(msg)
    if not found:
        assert error is not None
        if suite:
            raise error
        known = (row.name for one in suites for row in rows_of(one))
        raise unknown(name, known)
    return found[0]


def describe(
    record: DatasetRecord, *, mirror: Path | str | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what is known of a data set.

    Parameters
    ----------
    record : DatasetRecord
        Its manifest row.
    mirror : Path or str, optional
        Where to fetch it from when it is not in the store.

    Returns
    -------
    facts : dict
        The manifest's fields that are not empty.
    columns : list of dict
        One a column: name, and over the training rows its minimum, mean, maximum and
        number of distinct values; a single row that says why where the set cannot be
        had.
    """
    facts = {"id": record.id, **dataclasses.asdict(record)}
    facts["tags"] = list(record.tags)
    facts = {key: value for key, value in facts.items() if value not in ("", None, [])}
    try:
        dataset = load_dataset(record.id, mirror=mirror, partition=record.partition)
    except TransportError as error:
        return facts, [{"columns": f"not known: {error}"}]
    return facts, describe_columns(dataset)


def draw(
    record: DatasetRecord, path: Path | None, *, mirror: Path | str | None = None
) -> Path:
    """Draw a data set's test rows in its two most telling columns.

    Parameters
    ----------
    record : DatasetRecord
        Its manifest row.
    path : Path or None
        Its suffix decides the format; ``NAME.png`` in the working folder by default.
    mirror : Path or str, optional
        Where to fetch it from when it is not in the store.

    Returns
    -------
    Path
        The file.

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
    """Return one row of numbers for every column, over the training rows."""
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
