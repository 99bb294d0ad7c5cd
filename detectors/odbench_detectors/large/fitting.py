"""Fit a detector on a table that may be larger than memory."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.errors import DetectorError
from odbench_detectors.ecod.detector import ECOD
from odbench_detectors.hbos.detector import HBOS
from odbench_detectors.hbos.histograms import bin_edges, count_below, densities
from odbench_detectors.large.folds import Fold, fold_table
from odbench_detectors.large.sample import sample_rows
from odbench_detectors.shared.columns import Floats, check_finite, sorted_columns


def fit(detector: Any, table: Any, *, rows: int = 50_000, random_state: int = 0) -> Any:
    """Return a detector fitted on a table, of which only a block is in memory.

    ECOD and COPOD with ``quantiles=q`` see every row and keep quantiles of each column:
    `ECOD.rank_error_` and `ECOD.score_error_` bound the error. HBOS sees every row and
    equals HBOS fitted in one piece, bit by bit. Any other detector, CATS among them, is
    fitted on a random sample of the rows, which does not depend on how the table is cut
    into blocks.

    Parameters
    ----------
    detector : object
        Has ``fit`` and ``decision_function``. It is not changed.
    table : Parquet file or folder, array, dask collection, list of blocks or callable
        See `odbench_detectors.large.tables.as_parts`. Blocks of a dask collection are
        worked on where they lie. HBOS reads it twice, the others once.
    rows : int
        Size of the sample.
    random_state : int
        Seed of the sample.

    Returns
    -------
    object
        Of the detector's class.

    Raises
    ------
    DetectorError
        If the detector keeps every value (ECOD or COPOD without `quantiles`), the table
        is empty, or a value is NaN or infinite.
    DataError, UsageError
        If the table cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> blocks = [np.array([[0.0], [0.1]]), np.array([[0.2], [1.0]])]
    >>> fitted = fit(HBOS(n_bins=2), blocks)
    >>> fitted.decision_function(np.array([[0.1], [0.9]])).round(3)
    array([-0.678,  0.737])
    """
    if isinstance(detector, ECOD):
        return _fit_quantiles(detector, table)
    if isinstance(detector, HBOS):
        return _fit_histograms(detector, table)
    fitted: Any = copy.deepcopy(detector)
    fitted.fit(sample_rows(table, rows, random_state))
    return fitted


def _fit_quantiles(detector: Any, table: Any) -> Any:
    if not detector.quantiles:
        name = type(detector).__name__
        msg = (
            f"{name}() keeps every value, so it cannot be fitted beyond memory: take "
            f"{name}(quantiles=4096), or large.score_by_columns for exact scores"
        )
        raise DetectorError(msg)
    return fold_table(table, Fold(partial(_add_quantiles, detector), _merge_quantiles))


def _add_quantiles(detector: Any, fitted: Any, block: Floats, start: int) -> Any:  # noqa: ARG001
    if fitted is None:
        fitted = _unfitted(detector)
    return fitted.partial_fit(block)


def _merge_quantiles(a: Any, b: Any) -> Any:
    return copy.deepcopy(a).merge(b)


def _fit_histograms(detector: HBOS, table: Any) -> HBOS:
    fitted: HBOS = _unfitted(detector)
    fitted.check_params()
    lows, highs, n_rows = fold_table(table, Fold(_add_ends, _merge_ends))
    edges = bin_edges(lows, highs, detector.n_bins)
    below = fold_table(table, Fold(partial(_add_counts, edges), np.add))
    return fitted.use_histograms(edges, densities(below, edges, n_rows))


def _add_ends(
    ends: tuple[Floats, Floats, int] | None,
    block: Floats,
    start: int,  # noqa: ARG001
) -> tuple[Floats, Floats, int]:
    lows, highs = block.min(axis=0), block.max(axis=0)
    check_finite(lows, highs, 0)
    new = (lows, highs, len(block))
    return new if ends is None else _merge_ends(ends, new)


def _merge_ends(
    a: tuple[Floats, Floats, int], b: tuple[Floats, Floats, int]
) -> tuple[Floats, Floats, int]:
    return np.minimum(a[0], b[0]), np.maximum(a[1], b[1]), a[2] + b[2]


def _add_counts(
    edges: FloatArray,
    below: IntArray | None,
    block: Floats,
    start: int,  # noqa: ARG001
) -> IntArray:
    new = count_below(sorted_columns(block), edges)
    return new if below is None else below + new


def _unfitted(detector: Any) -> Any:
    return type(detector)(**detector.get_params())
