"""Rank the columns of a table or of a data set from Python."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.data.dataset import Dataset
from odbench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from odbench.tables.column_ranking import Ranking

# The column of a data set's labels, unless one of its columns has that name.
_LABEL = "label"


def rank_columns(
    table: Any, *, label: str = "", mirror: str | Path | None = None
) -> pd.DataFrame:
    """Rank the columns of a table from structure to noise, with warnings.

    Parameters
    ----------
    table : str, Path, table or Dataset
        Any table that `odbench.score` takes; or a data set, or its name such as
        "oddbench/ALLPatientData", whose training and test rows are taken together.
    label : str
        A column that says which rows are anomalies. A data set's labels are used
        without naming them.
    mirror : str or Path, optional
        Where to fetch the data set from if it is not in the store.

    Returns
    -------
    pandas.DataFrame
        One row per column, from structure to noise: ``column``, ``kind``,
        ``distinct``, ``missing`` (a share), ``structure``, ``most_similar``,
        ``redundancy``, ``label`` (shares from 0 to 1, see `docs/columns.md`),
        ``warnings`` and ``suspicious``. ``attrs["summary"]`` holds the rest.

    Raises
    ------
    OdbenchError
        If the table or the data set cannot be read, or the label is wrong.

    Warns
    -----
    UserWarning
        Once for each remark, such as rows that were not read.

    Examples
    --------
    >>> import odbench
    >>> price = [float(i % 50) for i in range(200)]
    >>> table = {"net": price, "gross": [1.19 * p for p in price]}
    >>> odbench.rank_columns(table)["warnings"].tolist()
    [("repeats 'gross'",), ("repeats 'net'",)]
    """
    from dataclasses import asdict

    import pandas as pd

    ranking = ranking_of(table, label=label, mirror=mirror)
    for note in ranking.notes:
        warnings.warn(note, stacklevel=2)
    told = asdict(ranking)
    frame = pd.DataFrame(told.pop("columns"))
    frame.attrs["summary"] = {**told, "to_ignore": list(ranking.to_ignore)}
    return frame


def ranking_of(
    table: Any, *, label: Any = "", mirror: str | Path | None = None
) -> Ranking:
    """Rank the columns of a table or a data set; the arguments of `rank_columns`.

    Raises
    ------
    OdbenchError
        As `rank_columns`.
    """
    from odbench.tables.column_ranking import rank_table_columns

    # A name in Python may be no text, and 0 is one.
    label = "" if label is None else str(label)
    dataset = _dataset(table, mirror)
    if dataset is None:
        return rank_table_columns(table, label)
    if label:
        msg = f"--label: got {label!r}, but a data set has its own labels; leave it out"
        raise UsageError(msg)
    return _of_dataset(dataset)


def _dataset(table: Any, mirror: str | Path | None) -> Dataset | None:
    """Return the data set that is meant, or None for a table."""
    if isinstance(table, Dataset):
        return table
    if not isinstance(table, (str, Path)) or str(table) == "-" or Path(table).exists():
        return None
    from odbench.data.catalog import load_dataset
    from odbench.data.own import has_description, split_id
    from odbench.suites import load_suites

    suite, name = split_id(str(table))
    if not name or not (suite in load_suites() or has_description(suite)):
        return None
    return load_dataset(str(table), mirror=mirror)


def _of_dataset(dataset: Dataset) -> Ranking:
    """Rank the columns of a data set's training and test rows."""
    import numpy as np
    import pyarrow as pa

    from odbench.tables.column_ranking import rank_table_columns
    from odbench.tables.source import of_arrow

    arrays = [
        pa.array(np.concatenate([train, test]))
        for train, test in zip(dataset.X_train.T, dataset.X_test.T, strict=True)
    ]
    names, label = list(dataset.columns), ""
    if dataset.y_test is not None:
        label = _LABEL
        while label in names:
            label += "_"
        normal = np.zeros(len(dataset.X_train), dtype=np.int8)
        arrays.append(pa.array(np.concatenate([normal, dataset.y_test])))
        names.append(label)
    table = pa.Table.from_arrays(arrays, names=names)
    source = of_arrow(table, name=dataset.record.id, form="training and test rows")
    return rank_table_columns(source, label)
