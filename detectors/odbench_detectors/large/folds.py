"""Fold the blocks of a table into one value, here or on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from odbench.errors import DetectorError
from odbench_detectors.large.on_dask import fold_on_dask, is_dask
from odbench_detectors.large.tables import as_parts
from odbench_detectors.shared.columns import Floats

T = TypeVar("T")


@dataclass(frozen=True)
class Fold(Generic[T]):
    """How blocks of rows become one value.

    Attributes
    ----------
    add : callable
        ``add(value, block, start)`` returns the value with a block of rows added, of
        which the first is row `start` of the table; `value` is None at first, and may
        be changed.
    merge : callable
        ``merge(a, b)`` joins the values of two lots of blocks; it changes neither.
    places : bool
        Whether `start` is needed; if not, it may be 0 for every block. The blocks of a
        dask data frame must be counted first, which reads them once more.
    """

    add: Callable[[T | None, Floats, int], T]
    merge: Callable[[T, T], T]
    places: bool = False


def fold_table(table: Any, fold: Fold[T]) -> T:
    """Fold all rows of a table.

    Parameters
    ----------
    table : dask collection, or see `odbench_detectors.large.tables.as_parts`
    fold : Fold

    Raises
    ------
    DetectorError
        If the table has no row.
    """
    value: T | None = None
    if is_dask(table):
        value = fold_on_dask(table, fold.add, fold.merge, places=fold.places)
    else:
        start = 0
        for block in as_parts(table).blocks():
            value = fold.add(value, block, start)
            start += len(block)
    if value is None:
        msg = "cannot fit on a table without rows: give it some"
        raise DetectorError(msg)
    return value
