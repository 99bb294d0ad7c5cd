"""Views of results that the audit suggests: counted otherwise, or without some sets.

Each view comes with the main table over the data sets for which its facts are known, so
that the two can be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from odbench.arrays import BoolArray, FloatArray
from odbench.leaderboard.slices import TRIVIAL, restrict
from odbench.scoring import aggregate
from odbench.scoring.policy import Quality, apply_policy


class Pair(NamedTuple):
    """The main table and a view of it.

    Attributes
    ----------
    main : Quality
        The data sets with known facts.
    view : Quality
        The same data sets with other values, or some of them.
    """

    main: Quality
    view: Quality


def _distinct(quality: Quality) -> Pair | None:
    """Replace each metric by its version for distinct rows."""
    cells = quality.cells
    others = {
        name: cells.sums[f"{name}_distinct"]
        for name in quality.values
        if f"{name}_distinct" in cells.sums
    }
    missing = [(np.isnan(sums) & (cells.succeeded > 0)) for sums in others.values()]
    known = ~np.any([gaps.any(axis=1) for gaps in missing], axis=0)
    if not known.any():
        return None
    main = restrict(quality, known)
    sums = {name: total[known] for name, total in others.items()}
    counted = apply_policy(
        replace(main.cells, sums={**main.cells.sums, **sums}), "main"
    )
    values = {name: counted.values[name] for name in others}
    return Pair(main, Quality(main.cells, values, main.last))


def _of_ceiling(quality: Quality) -> Pair | None:
    """Divide each metric by the best value that the data set allows."""
    ceilings = {
        name: _fact(quality, f"ceiling_{name}")
        for name in quality.values
        if f"ceiling_{name}" in quality.cells.facts
    }
    known = ~np.any([np.isnan(c) for c in ceilings.values()], axis=0)
    if not known.any():
        return None
    main = restrict(quality, known)
    values = {
        name: aggregate.share_of_ceiling(main.values[name], ceiling[known])
        for name, ceiling in ceilings.items()
    }
    return Pair(main, Quality(main.cells, values, main.last))


def _not_trivial(quality: Quality) -> Pair | None:
    share = _fact(quality, "trivial_share")
    return _kept(quality, ~np.isnan(share), share < TRIVIAL)


def _conflict_free(quality: Quality) -> Pair | None:
    conflict = _fact(quality, "label_conflict")
    return _kept(quality, ~np.isnan(conflict), conflict == 0)


def _complete(quality: Quality) -> Pair | None:
    complete = quality.cells.complete
    return _kept(quality, np.ones_like(complete), complete)


def _kept(quality: Quality, known: BoolArray, kept: BoolArray) -> Pair | None:
    if not known.any():
        return None
    return Pair(restrict(quality, known), restrict(quality, known & kept))


def _fact(quality: Quality, name: str) -> FloatArray:
    values = quality.cells.facts[name].astype("float64")
    return np.asarray(values, dtype=np.float64)


# View -> its meaning, as a phrase for tables.
MEANINGS = {
    "distinct rows": "each distinct test row counts once",
    "share of ceiling": "values relative to the best that the table allows",
    "not trivial": "without data sets that one simple rule solves",
    "conflict-free": "without data sets where an anomaly equals an inlier",
    "complete cases": "only data sets on which nothing failed",
}
# View -> function that takes it, or returns None without the facts.
VIEWS: dict[str, Callable[[Quality], Pair | None]] = {
    "distinct rows": _distinct,
    "share of ceiling": _of_ceiling,
    "not trivial": _not_trivial,
    "conflict-free": _conflict_free,
    "complete cases": _complete,
}
# The views that keep all data sets and change their values.
COUNTED_OTHERWISE = ("distinct rows", "share of ceiling")
