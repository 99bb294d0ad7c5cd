"""Explain the score of a row, with any detector that supports it.

A detector supports it with a method ``explain(X, columns)``, whose answer has the shape
of `odbench.detector.Explanation`: ``scores``, and ``table(row)`` with the share of each
column. CATS, COPOD, ECOD and HBOS do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError, UsageError
from odbench.plugins.check.explained import attempt, can_explain, explained
from odbench.plugins.contained import prints_to_stderr
from odbench.plugins.find import core_zoo, find_detector
from odbench.plugins.specs import as_json


def explain(
    dataset_id: str,
    row: int,
    *,
    detector: str = "ecod",
    mirror: Path | str | None = None,
    partition: str = "public",
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Explain the score of a data set's test row; see `explain_row`.

    Parameters
    ----------
    dataset_id : str
        ``suite/name``; downloaded if it is not stored.
    row : int
        Index of the test row, from 0.
    detector : str
        The specification of a detector that has ``explain``.
    mirror : Path or str, optional
        Folder to read the data set from.
    partition : {"public", "private"}
        Partition of the data set.

    Returns
    -------
    facts : dict
        ``id, row, label, detector, score, above``; the label only if it is public.
    table : list of dict
        One entry per column; computed numbers are rounded to 4 decimals.

    Raises
    ------
    UsageError, UnknownDatasetError, TransportError, DataError, DetectorError
        As `explain_row` and `load_dataset`.
    """
    from odbench.data.catalog import load_dataset

    data = load_dataset(dataset_id, mirror=mirror, partition=partition)
    facts, table = explain_row(
        data.X_train, data.X_test, data.columns, row, detector=detector
    )
    known = {"id": dataset_id, "row": facts.pop("row")}
    if data.y_test is not None:
        known["label"] = "anomaly" if data.y_test[row] else "inlier"
    return _short({**known, **facts}), [
        {**_short(line), "value": line["value"]} if "value" in line else _short(line)
        for line in table
    ]


def _short(line: dict[str, Any]) -> dict[str, Any]:
    """Round computed numbers; the data stay as they are."""
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()}


def explain_row(
    X_train: Any,
    X_test: Any,
    columns: Sequence[str],
    row: int,
    *,
    detector: str = "ecod",
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Explain a test row's score.

    Parameters
    ----------
    X_train, X_test : arrays or data frames of shape (n_train, n_columns), (n_test, ...)
        Numbers, in the units that the explanation should show.
    columns : sequence of str
        Names of the columns.
    row : int
        Index of the test row, from 0.
    detector : str
        The specification of a detector that has ``explain``.

    Returns
    -------
    facts : dict
        ``row, detector, score, above``: `above` is the share of train rows that score
        lower.
    table : list of dict
        One entry per column, the most important first, with ``column, value, share``;
        detectors may add others.

    Raises
    ------
    UsageError
        If the row does not exist, or the columns of two data frames or the number of
        names differ.
    DetectorError
        If the detector does not exist, does not support explanations, or fails.
    """
    train, test = _plain_rows(X_train), _plain_rows(X_test)
    whole = isinstance(row, (int, np.integer)) and not isinstance(row, bool)
    if not whole or not 0 <= row < len(test):
        msg = f"row {row!r}: the data set has test rows 0 to {len(test) - 1}"
        raise UsageError(msg)
    _check_names(X_train, X_test, columns, train)
    names = [str(name) for name in columns]
    with prints_to_stderr():
        return _explain_row(train, test, names, int(row), detector)


def _plain_rows(X: Any) -> Any:
    """Return numbers as an array; the detector says of others what is wrong."""
    try:
        return np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        return X


def _check_names(train: Any, test: Any, names: Any, rows: Any) -> None:
    """Refuse data frames of different columns, and another number of names."""
    frames = [list(X.columns) for X in (train, test) if hasattr(X, "columns")]
    if len(frames) == 2 and frames[0] != frames[1]:
        msg = (
            f"X_test: has the columns {frames[1]}; wanted those of X_train in their "
            f"order, {frames[0]}"
        )
        raise UsageError(msg)
    # The detector refuses rows that are no table.
    shape: tuple[int, ...] = rows.shape if isinstance(rows, np.ndarray) else ()
    listed = len(list(names)) if isinstance(names, Iterable) else None
    if len(shape) == 2 and listed != shape[1]:
        msg = f"columns {repr(names)[:80]}: wanted the names of {shape[1]} columns"
        raise UsageError(msg)


def _explain_row(
    X_train: FloatArray,
    X_test: FloatArray,
    columns: Sequence[str],
    row: int,
    detector: str,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Fit a detector and explain a row that exists."""
    found = find_detector(detector)
    built: Any = found.build(random_state=0)
    if not can_explain(built):
        msg = (
            f"detector {detector!r}: has no explain(X, columns); name one that has: "
            f"{', '.join(_explaining())}"
        )
        raise DetectorError(msg)
    where = f"detector {detector!r}: fit"
    attempt(where, lambda: built.fit(X_train))
    scores, tables = explained(built, detector, X_test[row : row + 1], columns)
    train = attempt(where, lambda: built.decision_function(X_train))
    facts = {
        "row": row,
        "detector": detector,
        "score": float(scores[0]),
        "above": float(np.mean(train < scores[0])),
    }
    records = tables[0].to_dict("records")
    return facts, [{str(k): _plain(v) for k, v in line.items()} for line in records]


def _explaining() -> list[str]:
    """Return the names of the zoo's detectors that explain their scores."""
    return [one.info.name for one in core_zoo() if can_explain(one.build(0))]


def _plain(value: Any) -> Any:
    """Return a cell of a table as JSON can hold it."""
    plain = as_json(value)
    return plain if isinstance(plain, (str, int, float)) else str(value)
