"""Four views of detectors that were run in many configurations.

They answer different questions and are never ranked together: the quality of the
reference configuration; the average over the grid, for a user without prior knowledge;
the configuration that a rule chose without labels; and the upper bound of an oracle
that sees the test labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.leaderboard.tables import COLUMNS, DEFAULT, Settings, table_of
from odbench.scoring.cells import Cells, Method
from odbench.scoring.metrics import METRICS
from odbench.scoring.policy import Quality

if TYPE_CHECKING:
    import pandas as pd


# Metrics that are not ranked and have a column of leaderboards.
_GRADED = tuple(metric.name for metric in METRICS if metric.graded)


class _Column(NamedTuple):
    """The values of one detector on each data set, those of `_GRADED` included."""

    values: dict[str, FloatArray]
    last: BoolArray


# View -> value of the column `config` in its rows.
VIEWS = {
    "default": "default",
    "grid mean": "mean over the grid",
    "selected without labels": "selected without labels",
    "oracle": "oracle: best on test",
}
# Fewer configurations than this are variants that somebody tried, not a grid.
FEWEST_CONFIGURATIONS = 4


def has_grid(cells: Cells) -> bool:
    """Check whether any detector was run over a grid.

    Parameters
    ----------
    cells : Cells
        The results.

    Returns
    -------
    bool
        Whether a detector has at least `FEWEST_CONFIGURATIONS` configurations that were
        tried on every data set.
    """
    whole = np.asarray((cells.trials > 0).all(axis=0))
    tried = [m.detector for m, w in zip(cells.methods, whole, strict=True) if w]
    return any(count >= FEWEST_CONFIGURATIONS for count in Counter(tried).values())


def can_select(cells: Cells) -> bool:
    """Check whether there are numbers to select by."""
    return bool((~np.isnan(cells.selection)).any())


def view_table(quality: Quality, settings: Settings = DEFAULT) -> pd.DataFrame:
    """Compute the leaderboard of each view.

    Parameters
    ----------
    quality : Quality
        One value per data set and configuration.
    settings : Settings
        Permutations, clusters, seed.

    Returns
    -------
    pandas.DataFrame
        ``view`` (a key of `VIEWS`) and the columns of a leaderboard; ranks and
        ratings are those within the view.
    """
    import pandas as pd

    tables = []
    for view in VIEWS:
        table = table_of(through(quality, view), settings)
        table.insert(0, "view", view)
        tables.append(table)
    filled = [table for table in tables if len(table)]
    if not filled:
        return pd.DataFrame(columns=["view", *COLUMNS])
    return pd.concat(filled, ignore_index=True)


def through(quality: Quality, view: str) -> Quality:
    """Reduce configurations to one row per detector by a view.

    Parameters
    ----------
    quality : Quality
        One value per data set and configuration.
    view : str
        A key of `VIEWS`. "default" keeps the reference configurations. "grid mean"
        averages each detector's configurations on each data set. "selected without
        labels" takes, on each data set, the configuration that tells held-out training
        rows best from made-up anomalies (``selection`` in the results), or the
        reference where that was not measured; it is empty if it was measured nowhere.
        "oracle" takes, on each data set and for each metric, the configuration that is
        best by it, which needs the test labels.

    Returns
    -------
    Quality
        One value per data set and detector.
    """
    methods = quality.cells.methods
    if view == "default":
        return _columns(quality, _where(m.config == "default" for m in methods))
    if view == "selected without labels" and not can_select(quality.cells):
        return _columns(quality, np.empty(0, dtype=np.int64))
    detectors = sorted({m.detector for m in methods})
    members = [_members(quality.cells, detector) for detector in detectors]
    parts = [_columns(quality, chosen) for chosen in members]
    merge = _MERGES[view]
    merged = [merge(part) for part in parts]
    values = {
        name: np.stack([column.values[name] for column in merged], axis=1)
        for name in (*quality.values, *_GRADED)
    }
    return Quality(
        _pooled([part.cells for part in parts], VIEWS[view], values),
        {name: values[name] for name in quality.values},
        np.stack([column.last for column in merged], axis=1),
    )


def _where(wanted: Iterable[bool]) -> IntArray:
    return np.flatnonzero(np.array(list(wanted), dtype=bool)).astype(np.int64)


def _members(cells: Cells, detector: str) -> IntArray:
    return _where(m.detector == detector for m in cells.methods)


def _columns(quality: Quality, chosen: IntArray) -> Quality:
    cells = quality.cells.select_methods(chosen)
    return quality.select(cells, np.s_[:, chosen])


def _values(part: Quality) -> dict[str, FloatArray]:
    """Return the value of each configuration by each ranked and graded metric.

    A graded one is NaN for all configurations where anomalies have no levels.
    """
    values = dict(part.values)
    for name in _GRADED:
        means = part.cells.sums[name] / np.maximum(part.cells.trials, 1)
        unknown = np.isnan(means).any(axis=1, keepdims=True)
        values[name] = np.where(unknown, np.nan, means)
    return values


def _mean(part: Quality) -> _Column:
    means = {name: values.mean(axis=1) for name, values in _values(part).items()}
    return _Column(means, np.asarray(part.last.all(axis=1)))


def _best(part: Quality) -> _Column:
    best = {name: values.max(axis=1) for name, values in _values(part).items()}
    return _Column(best, np.asarray(part.last.all(axis=1)))


def _selected(part: Quality) -> _Column:
    is_reference = np.array([m.config == "default" for m in part.cells.methods])
    unknown = np.where(is_reference, -1.0, -2.0)
    selection = part.cells.selection
    return _chosen(part, np.where(np.isnan(selection), unknown, selection))


def _chosen(part: Quality, by: FloatArray) -> _Column:
    """Take the configuration with the highest number on each data set."""
    best = by.argmax(axis=1)
    rows = np.arange(len(best))
    chosen = {name: values[rows, best] for name, values in _values(part).items()}
    return _Column(chosen, part.last[rows, best])


_MERGES = {"grid mean": _mean, "selected without labels": _selected, "oracle": _best}


def _pooled(parts: list[Cells], config: str, values: Mapping[str, FloatArray]) -> Cells:
    """Merge each detector's configurations: counts are added, seconds averaged.

    Sums of graded metrics are those of the given values, for all trials.
    """

    def total(name: str) -> IntArray:
        return np.stack([getattr(part, name).sum(axis=1) for part in parts], axis=1)

    def mean(name: str) -> FloatArray:
        return np.stack([_known_mean(getattr(part, name)) for part in parts], axis=1)

    return replace(
        parts[0],
        methods=tuple(Method(part.methods[0].detector, config, "") for part in parts),
        seeds=np.array([part.seeds.sum() for part in parts], dtype=np.int64),
        # An interval belongs to one configuration.
        intervals=None,
        trials=total("trials"),
        succeeded=total("succeeded"),
        sums={
            name: np.stack([part.sums[name].sum(axis=1) for part in parts], axis=1)
            for name in parts[0].sums
        }
        | {name: values[name] * np.maximum(total("trials"), 1) for name in _GRADED},
        squares={
            name: np.stack([part.squares[name].sum(axis=1) for part in parts], axis=1)
            for name in parts[0].squares
        },
        fit_seconds=mean("fit_seconds"),
        score_seconds=mean("score_seconds"),
        selection=mean("selection"),
    )


def _known_mean(seconds: FloatArray) -> FloatArray:
    known = ~np.isnan(seconds)
    total = np.where(known, seconds, 0.0).sum(axis=1)
    count = known.sum(axis=1)
    mean: FloatArray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean
