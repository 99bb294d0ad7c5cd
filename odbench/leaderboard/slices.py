"""Leaderboards of parts of a suite, such as by size, dimension or domain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from odbench.arrays import BoolArray, FloatArray
from odbench.leaderboard.tables import COLUMNS, DEFAULT, Settings, table_of
from odbench.scoring.policy import Quality

if TYPE_CHECKING:
    import pandas as pd

# A data set is trivial if one rule finds this share of its anomalies at 5 % false
# positives.
TRIVIAL = 0.95

# Slice, fact, levels with the half-open range [low, high) of each.
_RANGES = (
    ("size", "n_train", (
        ("< 1k rows", 0, 1_000),
        ("1k-10k rows", 1_000, 10_000),
        (">= 10k rows", 10_000, np.inf),
    )),
    ("dimension", "n_columns", (
        ("<= 5 columns", 0, 6),
        ("6-20 columns", 6, 21),
        ("> 20 columns", 21, np.inf),
    )),
    ("anomaly share", "share", (
        ("< 5 %", 0.0, 0.05),
        ("5-20 %", 0.05, 0.20),
        (">= 20 %", 0.20, np.inf),
    )),
)  # fmt: skip
_NAMED = (("domain", "domain"), ("archetype", "archetype"))
# Levels of distinct anomalies / anomalies, half-open.
_REPEATS = (("mostly repeats", 0.0, 0.5), ("mostly distinct", 0.5, np.inf))


class Slice(NamedTuple):
    """A subset of the data sets of a table.

    Attributes
    ----------
    slice, level : str
        The property that divides the data sets, and its value in this subset.
    rows : bool array of shape (n_datasets,)
        The data sets.
    """

    slice: str
    level: str
    rows: BoolArray


def slices_of(quality: Quality) -> Iterator[Slice]:
    """Yield the slices for which the results have facts.

    A data set without the fact is not in that slice. Levels without data sets and
    slices without facts are left out.

    Parameters
    ----------
    quality : Quality
        One value per data set and method.

    Yields
    ------
    Slice
    """
    facts = quality.cells.facts
    for name, fact, levels in _RANGES:
        values = quality.cells.base_rate if fact == "share" else _number(facts[fact])
        for level, low, high in levels:
            yield from _kept(name, level, (values >= low) & (values < high))
    for name, fact in _NAMED:
        words = facts[fact].astype(object).to_numpy()
        for level in sorted({w for w in words if isinstance(w, str) and w}):
            yield from _kept(name, level, words == level)
    conflict = _number(facts["label_conflict"])
    yield from _kept("label conflict", "conflict-free", conflict == 0)
    yield from _kept("label conflict", "with conflicts", conflict > 0)
    share = _number(facts["trivial_share"])
    yield from _kept("triviality", "not trivial", share < TRIVIAL)
    yield from _kept("triviality", "trivial", share >= TRIVIAL)
    ceiling = _number(facts["ceiling_auroc"])
    yield from _kept("ceiling", "ceiling 1", ceiling == 1)
    yield from _kept("ceiling", "ceiling below 1", ceiling < 1)
    seen = np.asarray(quality.cells.seen.any(axis=1), dtype=bool)
    if seen.any():
        yield from _kept("training", "not seen in training", ~seen)
        yield from _kept("training", "seen in training", seen)
    repeats = _number(facts["n_distinct_anomalies"]) / _number(facts["n_anomalies"])
    for level, low, high in _REPEATS:
        yield from _kept(
            "distinct anomalies", level, (repeats >= low) & (repeats < high)
        )


def slice_table(quality: Quality, settings: Settings = DEFAULT) -> pd.DataFrame:
    """Compute the leaderboard of every slice.

    Parameters
    ----------
    quality : Quality
        One value per data set and method.
    settings : Settings
        Permutations, clusters, seed.

    Returns
    -------
    pandas.DataFrame
        ``slice``, ``level`` and the columns of a leaderboard; ranks and ratings are
        those within the slice.
    """
    import pandas as pd

    tables = []
    for part in slices_of(quality):
        table = table_of(restrict(quality, part.rows), settings)
        table.insert(0, "slice", part.slice)
        table.insert(1, "level", part.level)
        tables.append(table)
    if not tables:
        return pd.DataFrame(columns=["slice", "level", *COLUMNS])
    return pd.concat(tables, ignore_index=True)


def restrict(quality: Quality, rows: BoolArray) -> Quality:
    """Return the same methods on a subset of the data sets.

    Parameters
    ----------
    quality : Quality
        One value per data set and method.
    rows : bool array of shape (n_datasets,)
        The data sets to keep.

    Returns
    -------
    Quality
    """
    return quality.select(quality.cells.select_datasets(rows), rows)


def _kept(name: str, level: str, rows: BoolArray) -> Iterator[Slice]:
    if rows.any():
        yield Slice(name, level, np.asarray(rows, dtype=bool))


def _number(column: pd.Series[float]) -> FloatArray:
    return np.asarray(column.astype("float64"), dtype=np.float64)
