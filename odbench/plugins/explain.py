"""Explain the score of a row, with any detector that supports it.

A detector supports it with a method ``explain(X, columns)`` that returns an object with
``scores``, a float64 array of shape (n_rows,), and ``table(row)``, a DataFrame with one
row per column of the data set, the most important column first. ECOD and COPOD do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError, UsageError
from odbench.plugins.find import find_detector


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
    X_train: FloatArray,
    X_test: FloatArray,
    columns: Sequence[str],
    row: int,
    *,
    detector: str = "ecod",
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Explain a test row's score.

    Parameters
    ----------
    X_train, X_test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
        In the units that the explanation should show.
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
        One entry per column, the most important first; the keys depend on the
        detector.

    Raises
    ------
    UsageError
        If the row does not exist.
    DetectorError
        If the detector does not exist or does not support explanations.
    """
    if not 0 <= row < len(X_test):
        msg = f"row {row}: the data set has test rows 0 to {len(X_test) - 1}"
        raise UsageError(msg)
    found = find_detector(detector)
    built: Any = found.build(random_state=0)
    if not hasattr(built, "explain"):
        msg = (
            f"detector {detector!r}: has no explain(X, columns); "
            "use one that has, such as 'ecod'"
        )
        raise DetectorError(msg)
    built.fit(X_train)
    explanation = built.explain(X_test[row : row + 1], columns)
    score = float(explanation.scores[0])
    facts = {
        "row": row,
        "detector": detector,
        "score": score,
        "above": float(np.mean(built.decision_function(X_train) < score)),
    }
    return facts, explanation.table(0).to_dict("records")
