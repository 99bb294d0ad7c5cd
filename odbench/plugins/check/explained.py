"""Explain rows with any detector, and check that the answer has the common shape.

The shape is `odbench.detector.Explanation`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.errors import DetectorError, OdbenchError
from odbench.plugins.entry_points import one_line

if TYPE_CHECKING:
    import pandas as pd

    from odbench.detector import Explanation

T = TypeVar("T")

WANTED = ("column", "value", "share")
# Each method that explains -> the method whose scores it explains.
EXPLAINS = {
    "explain": "decision_function",
    "explain_batch": "score_batch",
    "explain_own": "fit_score",
}
# Larger differences between numbers that should be equal are not rounding.
_ROUNDING = 1e-6


def can_explain(detector: object) -> bool:
    """Check whether a detector has a method ``explain``."""
    return callable(getattr(detector, "explain", None))


def explained(
    detector: Any,
    name: str,
    X: FloatArray,
    columns: Sequence[str],
    *,
    method: str = "explain",
    rows: IntArray | None = None,
) -> tuple[FloatArray, list[pd.DataFrame]]:
    """Explain the scores of rows.

    Parameters
    ----------
    detector : Detector
        Fitted, with the method.
    name : str
        Its name, for messages.
    X : float64 array of shape (n_rows, n_columns)
    columns : sequence of str
        The columns' names.
    method : {"explain", "explain_batch", "explain_own"}
        The method to call, see `odbench.detector.Explanation`.
    rows : int64 array of shape (m,), optional
        The rows to explain, for the two other methods; all by default.

    Returns
    -------
    scores : float64 array of shape (n_rows,)
    tables : list of DataFrame
        One per row, as `odbench.detector.Explanation.table` describes.

    Raises
    ------
    DetectorError
        If the detector fails, or its answer has another shape.
    """
    more = () if rows is None else (rows,)
    where = f"detector {name!r}: {method}(X, columns{', rows' if more else ''})"
    ask, scored_by = getattr(detector, method), EXPLAINS[method]
    answer: Explanation = attempt(where, lambda: ask(X, list(columns), *more))
    scores = attempt(where, lambda: getattr(detector, scored_by)(X))
    if rows is not None:
        X, scores = X[rows], scores[rows]
    _check_scores(where, answer, scores, scored_by)
    tables = []
    for row in range(len(X)):
        table = attempt(f"{where}.table({row})", lambda: answer.table(row))  # noqa: B023 - called at once
        _check_table(f"{where}.table({row})", table, X[row], columns)
        tables.append(table)
    return scores, tables


def attempt(where: str, work: Callable[[], T]) -> T:
    """Return the result of a detector's code, whose failure becomes one line."""
    try:
        return work()
    except OdbenchError:
        raise
    except Exception as error:
        msg = (
            f"{where} raised {type(error).__name__}: {one_line(error)}; mend the plugin"
        )
        raise DetectorError(msg) from error


def _check_scores(
    where: str, answer: object, expected: FloatArray, scored_by: str
) -> None:
    lacking = [name for name in ("scores", "table") if not hasattr(answer, name)]
    if lacking:
        msg = (
            f"{where} returned an object of {type(answer).__name__} without "
            f"{' and '.join(lacking)}; wanted the shape of odbench.detector.Explanation"
        )
        raise DetectorError(msg)
    scores = attempt(where, lambda: np.asarray(answer.scores, dtype=np.float64))  # type: ignore[attr-defined]
    if scores.shape != expected.shape or not np.isfinite(scores).all():
        msg = (
            f"{where}.scores has shape {scores.shape}; wanted {len(expected)} finite "
            f"floats, one per row"
        )
        raise DetectorError(msg)
    if not np.allclose(scores, expected, rtol=_ROUNDING, atol=1e-12):
        gap = np.abs(scores - expected).max()
        msg = (
            f"{where}.scores differ from {scored_by}(X) by up to {gap:.3g}; "
            f"return the same scores"
        )
        raise DetectorError(msg)


def _check_table(
    where: str, table: object, row: FloatArray, columns: Sequence[str]
) -> None:
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        msg = f"{where} returned {type(table).__name__}; wanted a pandas DataFrame"
        raise DetectorError(msg)
    names = [name for name in table.columns if isinstance(name, str)]
    if len(set(names)) != table.shape[1] or not set(WANTED) <= set(names):
        msg = (
            f"{where} has columns {[str(name) for name in table.columns]}; wanted "
            f"different texts, with {', '.join(WANTED)} among them"
        )
        raise DetectorError(msg)
    fault = attempt(where, lambda: _fault(table, row, columns))
    if fault:
        msg = f"{where} {fault}; see odbench.detector.Explanation"
        raise DetectorError(msg)


def _fault(table: pd.DataFrame, row: FloatArray, columns: Sequence[str]) -> str:
    """Return the first fault of a table's contents, or an empty text."""
    given = sorted(zip(columns, row, strict=True))
    found = sorted(zip(map(str, table["column"]), table["value"], strict=True))
    if [name for name, _ in given] != [name for name, _ in found]:
        return "does not list every column once"
    if not np.allclose([v for _, v in given], [float(v) for _, v in found], rtol=1e-6):
        return "has other values than the row"
    numbers = table.select_dtypes("number")
    if not np.isfinite(numbers.to_numpy(dtype=np.float64)).all():
        return "holds NaN or infinity"
    share = table["share"].to_numpy(dtype=np.float64)
    if (np.diff(share) > _ROUNDING).any():
        return "does not put the largest share first"
    if share.any() and abs(share.sum() - 1.0) > _ROUNDING:
        return f"has shares that sum to {share.sum():.6g}; wanted 1"
    return ""
