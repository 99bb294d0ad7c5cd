"""A random sample of a table's rows, the same however the table is cut into blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench_detectors.large.folds import Fold, fold_table
from odbench_detectors.shared.columns import Floats
from odbench_detectors.shared.estimator import check_ranges, is_count
from odbench_detectors.shared.rng import STEP, mixed

# Odd, so that no two seeds share a start.
_APART = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class _Kept:
    """Rows with the smallest keys so far, and their places in the table."""

    keys: NDArray[np.uint64]
    places: NDArray[np.int64]
    rows: Floats


def sample_rows(table: Any, size: int, random_state: int) -> Floats:
    """Draw rows without replacement.

    Every row has a random key that follows from its place in the table, and the rows
    with the smallest keys are taken.

    Parameters
    ----------
    table : dask collection, or see `odbench_detectors.large.tables.as_parts`
    size : int
        Number of rows; all of a shorter table are taken.
    random_state : int
        From 0.

    Returns
    -------
    array of shape (min(size, n_rows), n_columns)
        In the order of the table.
    """
    check_ranges(
        "large.fit",
        ("rows", size, is_count(size, 1), "from 1 up"),
        ("random_state", random_state, is_count(random_state, 0), "from 0 up"),
    )
    add = partial(_add, size=size, seed=random_state)
    fold = Fold(add, partial(_merge, size=size), places=True)
    kept = fold_table(table, fold)
    return np.ascontiguousarray(kept.rows[np.argsort(kept.places)])


def keys_of(places: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """Return a random 64-bit key per place: SplitMix64's output number `place`."""
    # An array, because NumPy warns of scalars that wrap around.
    start = np.array([seed], dtype=np.uint64) * _APART
    return mixed(start + (places.astype(np.uint64) + np.uint64(1)) * STEP)


def _add(
    kept: _Kept | None, block: Floats, start: int, *, size: int, seed: int
) -> _Kept:
    places = np.arange(start, start + len(block), dtype=np.int64)
    new = _smallest(_Kept(keys_of(places, seed), places, block), size)
    return new if kept is None else _merge(kept, new, size=size)


def _merge(a: _Kept, b: _Kept, *, size: int) -> _Kept:
    if len(a.keys) == size and b.keys.min() > a.keys.max():
        return a
    return _smallest(
        _Kept(
            np.concatenate((a.keys, b.keys)),
            np.concatenate((a.places, b.places)),
            np.concatenate((a.rows, b.rows)),
        ),
        size,
    )


def _smallest(lot: _Kept, size: int) -> _Kept:
    order = np.argsort(lot.keys)[:size]
    return _Kept(lot.keys[order], lot.places[order], lot.rows[order])
