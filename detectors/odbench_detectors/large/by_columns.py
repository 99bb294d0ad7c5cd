"""Exact scores of ECOD and COPOD beyond memory: a few columns at a time."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError
from odbench_detectors.ecod.detector import ECOD
from odbench_detectors.large.on_dask import (
    check_two_dimensions,
    is_dask,
    sum_of_columns,
    with_sizes,
)
from odbench_detectors.large.tables import Parts, as_block, as_parts
from odbench_detectors.shared.columns import Floats, check_scores
from odbench_detectors.shared.estimator import check_filled, check_width

# Bytes per train value: as read, sorted, and its share of the buckets.
_TRAIN = 18
_ROW = 8
# Bytes per scored row: three sums, those of the columns at hand, and the scores.
_SUMS = 56


def score_by_columns(
    detector: ECOD,
    train: Any,
    rows: Any = None,
    *,
    memory: float = 2 * 2**30,
) -> Any:
    """Score rows exactly as a detector fitted on all train rows would.

    ECOD and COPOD add what they compute for each column, so that only a few columns
    need to be in memory. Parquet is read once, because it is stored by columns; an
    array in row order is read once for each group of columns.

    Parameters
    ----------
    detector : ECOD or COPOD
        Its parameters; with reference "train" and without quantiles. It is not fitted.
    train : Parquet file or folder, array, dask collection, list of blocks or callable
        See `odbench_detectors.large.tables.as_parts`.
    rows : the same, or None
        The rows to score, None for the train rows. A dask collection if `train` is.
    memory : float
        Bytes that may be used here, or by each task of a dask collection. At least one
        column must fit, with about 75 bytes per row.

    Returns
    -------
    float64 array of shape (n_rows,), or such a dask array
        In nats; equal to ``fit(train).decision_function(rows)`` up to the order in
        which columns are added (1e-12).

    Raises
    ------
    DetectorError
        If the detector is another one, the columns differ, one does not fit into
        `memory`, or a value is NaN or infinite.
    DataError, UsageError
        If a table cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> train = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
    >>> score_by_columns(ECOD(), train, np.array([[1.0, 2.0], [9.0, 9.0]])).round(3)
    array([0.575, 2.773])
    """
    _check(detector)
    if is_dask(train) or is_dask(rows):
        return _on_dask(detector, train, train if rows is None else rows, memory)
    ours = as_parts(train)
    theirs = ours if rows is None else as_parts(rows)
    check_width(theirs.n_columns, ours.n_columns)
    check_filled((ours.n_rows, ours.n_columns))
    return _in_groups(detector, ours, theirs, memory)


def _on_dask(detector: ECOD, train: Any, rows: Any, memory: float) -> Any:
    if not (is_dask(train) and is_dask(rows)):
        msg = (
            "score_by_columns got one dask collection and one other table: wanted both "
            "of dask, or neither"
        )
        raise DetectorError(msg)
    check_two_dimensions(train)
    check_two_dimensions(rows)
    check_width(rows.shape[1], train.shape[1])
    ours = with_sizes(train)
    theirs = ours if rows is train else with_sizes(rows)
    check_filled(ours.shape)
    width = _width(ours.shape[0], theirs.shape[0], memory)
    return sum_of_columns(ours, theirs, partial(_task, detector), width)


def _task(detector: ECOD, train: Any, rows: Any) -> FloatArray:
    sums = _sums(detector, as_block(train), as_block(rows))
    check_scores(sums[0])
    return sums


def _in_groups(detector: ECOD, train: Parts, rows: Parts, memory: float) -> FloatArray:
    width = _width(train.n_rows, rows.n_rows, memory)
    total: FloatArray | None = None
    for first in range(0, train.n_columns, width):
        last = min(first + width, train.n_columns)
        ours = _read(train, first, last)
        theirs = ours if rows is train else _read(rows, first, last)
        sums = _sums(detector, ours, theirs)
        # Let go of them before the next ones are read.
        del ours, theirs
        total = sums if total is None else np.add(total, sums, out=total)
    assert total is not None
    scores: FloatArray = total.max(axis=0)
    check_scores(scores)
    return scores


def _sums(detector: ECOD, train: Floats, rows: Floats) -> FloatArray:
    fresh = type(detector)(**detector.get_params())
    return fresh.fit(train).tail_sums(rows)


def _read(table: Parts, first: int, last: int) -> Floats:
    """Read some columns whole, column by column in memory."""
    block: Floats | None = None
    start = 0
    for rows in table.columns(first, last):
        if block is None:
            block = np.empty((last - first, table.n_rows), rows.dtype)
        block[:, start : start + len(rows)] = rows.T
        start += len(rows)
    if block is None:
        return np.empty((0, last - first))
    return block.T


def _width(n_train: int, n_rows: int, memory: float) -> int:
    """Return how many columns fit into memory at once."""
    per_column = _TRAIN * n_train + _ROW * n_rows
    width = int((memory - _SUMS * n_rows) // per_column)
    if width < 1:
        need = (per_column + _SUMS * n_rows) / 2**20
        msg = (
            f"one column of {n_train:,} train rows needs {need:,.0f} MiB for "
            f"{n_rows:,} scores, got memory={memory / 2**20:,.0f} MiB: give more, or "
            f"take quantiles=4096 with large.fit and large.score"
        )
        raise DetectorError(msg)
    return width


def _check(detector: ECOD) -> None:
    if not isinstance(detector, ECOD):
        msg = (
            f"score_by_columns takes ECOD or COPOD, got {type(detector).__name__}: "
            f"take large.fit and large.score"
        )
        raise DetectorError(msg)
    detector.check_params()
    if detector.quantiles or detector.reference != "train":
        msg = (
            f"score_by_columns gives exact scores with reference 'train'; got "
            f"quantiles={detector.quantiles}, reference={detector.reference!r}"
        )
        raise DetectorError(msg)
