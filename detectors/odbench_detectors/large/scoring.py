"""Score a table that may be larger than memory with a fitted detector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError
from odbench_detectors.large.on_dask import is_dask, score_on_dask
from odbench_detectors.large.tables import as_parts


def score(detector: Any, table: Any) -> Any:
    """Score the rows of a table, block by block.

    Parameters
    ----------
    detector : object
        Fitted. Its scores must not depend on the rows that are scored together.
    table : Parquet file or folder, array, dask collection, list of blocks or callable
        See `odbench_detectors.large.tables.as_parts`.

    Returns
    -------
    iterator of float64 arrays, dask array or dask Series
        Higher is more anomalous. For a dask array a lazy array of shape (n_rows,), for
        a dask data frame a lazy Series "score" with its index; otherwise the scores of
        one block after another, in the order of the rows.

    Raises
    ------
    DetectorError
        If the detector counts over the rows that are scored together, and while the
        scores are computed as ``decision_function`` does.
    """
    if getattr(detector, "reference", "train") == "batch":
        msg = (
            f"{type(detector).__name__} with reference 'batch' needs all rows at once: "
            f"take reference 'train'"
        )
        raise DetectorError(msg)
    if is_dask(table):
        return score_on_dask(detector, table)
    return _scores(detector, table)


def _scores(detector: Any, table: Any) -> Iterator[FloatArray]:
    for block in as_parts(table).blocks():
        yield np.asarray(detector.decision_function(block), dtype=np.float64)
