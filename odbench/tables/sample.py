"""Choose the rows that everything is learned from, by their content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import IntArray
from odbench.tables.order import canonical_order, hash_rows
from odbench.tables.source import Source
from odbench.tables.values import as_days, as_numbers, as_text, family

# Cells that are learned from at most; small tables are taken whole.
CELLS = 10_000_000
MOST_ROWS = 200_000


@dataclass(frozen=True)
class Sample:
    """Rows of a table that stand for all.

    Attributes
    ----------
    table : pyarrow.Table
        The rows, in the order of the table.
    places : int64 array
        Their places in the table, ascending.
    """

    table: Any
    places: IntArray

    @property
    def whole(self) -> bool:
        """Whether the places are 0, 1, 2, ..."""
        return bool(len(self.places) and self.places[-1] == len(self.places) - 1)


def take_sample(source: Source) -> Sample:
    """Choose rows at random, but so that the order of rows makes no difference.

    Each row has a hash of its content, and those with the lowest are chosen.

    Parameters
    ----------
    source : Source

    Returns
    -------
    Sample
        All rows if they have at most `CELLS` cells and are at most `MOST_ROWS`.
    """
    limit = sample_limit(len(source.names))
    if source.n_rows <= limit:
        return Sample(source.table(), np.arange(source.n_rows, dtype=np.int64))
    hashes = np.concatenate([hash_batch(batch) for batch in source.batches()])
    places = np.sort(canonical_order(hashes)[:limit])
    return Sample(take_rows(source, places), places)


def sample_limit(n_columns: int) -> int:
    """Return the number of rows of a sample of a table of so many columns."""
    return min(MOST_ROWS, max(CELLS // max(n_columns, 1), 1_000))


def take_rows(source: Source, places: IntArray) -> Any:
    """Return the rows at some places, ascending, reading one batch at a time."""
    import pyarrow as pa

    parts, start = [], 0
    for batch in source.batches():
        low, high = np.searchsorted(places, [start, start + batch.num_rows])
        if high > low:
            parts.append(batch.take(pa.array(places[low:high] - start)))
        start += batch.num_rows
    return pa.Table.from_batches(parts)


def hash_batch(batch: Any) -> NDArray[np.uint64]:
    """Return one hash per row of a record batch, from all values of the row."""
    columns = [_numbers(column) for column in batch.columns]
    return hash_rows(np.stack(columns, axis=1))


def _numbers(column: Any) -> NDArray[np.float64]:
    """Return a number per value, different for different values."""
    kind = family(column.type)
    if kind in ("number", "integer", "truth"):
        return np.nan_to_num(as_numbers(column), nan=-1.234567e299)
    if kind == "moment":
        return np.nan_to_num(as_days(column), nan=-1.234567e299)
    if kind == "text":
        return _hashed_text(column)
    return np.zeros(len(column))


def _hashed_text(column: Any) -> NDArray[np.float64]:
    from pandas.util import hash_array

    from odbench.tables.numbers import lookup

    coded = as_text(column).dictionary_encode()
    known = np.asarray(coded.dictionary.to_pylist(), dtype=object)
    # 53 bits, which a float64 holds exactly.
    codes = (hash_array(known, categorize=False) >> np.uint64(11)).astype(np.float64)
    return lookup(coded, np.append(codes, -1.0))
