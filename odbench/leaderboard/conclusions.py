"""Which conclusions of a leaderboard change under the views of `audit_views`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from odbench.arrays import BoolArray, FloatArray
from odbench.leaderboard.audit_views import (
    COUNTED_OTHERWISE,
    VIEWS,
    Pair,
)
from odbench.scoring import aggregate
from odbench.scoring.policy import Quality
from odbench.suites import ORACLE

if TYPE_CHECKING:
    import pandas as pd

# A value has moved if it differs from the main one by this much.
MOVED = 0.05
# Values are compared as in ranks: rounded to this number of decimals.
_DECIMALS = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Conclusion:
    """A view compared with the main table by one metric.

    Attributes
    ----------
    view, metric : str
        The view; the name of a ranked metric.
    methods : tuple of str
        Names, in the order of the other fields.
    n_known, n_datasets : int
        Data sets whose facts are known, over which the main table is taken; those of
        them that the view keeps.
    main_mean, mean : float64 arrays of shape (n_methods,)
        Mean in the main table and in the view.
    main_place, place : float64 arrays of shape (n_methods,)
        Places by these means; equal means share the smallest.
    tau : float
        Kendall's tau-b of the two orders; NaN if one has no order.
    n_moved : float64 array of shape (n_methods,)
        Data sets on which the value differs by `MOVED` or more from the main one; NaN
        where the view only leaves data sets out.
    n_winner_changes : float
        Data sets on which no best method of the main table is best in the view; NaN
        where the view only leaves data sets out.
    """

    view: str
    metric: str
    methods: tuple[str, ...]
    n_known: int
    n_datasets: int
    main_mean: FloatArray
    mean: FloatArray
    main_place: FloatArray
    place: FloatArray
    tau: float
    n_moved: FloatArray
    n_winner_changes: float

    @property
    def main_first(self) -> tuple[str, ...]:
        """The methods that are first in the main table."""
        return _at_first(self.methods, self.main_place)

    @property
    def first(self) -> tuple[str, ...]:
        """The methods that are first in the view."""
        return _at_first(self.methods, self.place)


@dataclass(frozen=True, eq=False, kw_only=True)
class Conclusions:
    """All views of one suite, partition and protocol.

    Attributes
    ----------
    suite, partition, protocol : str
        The group.
    found : tuple of Conclusion
        By view, then by metric.
    left_out : dict of str to str
        Views that could not be taken, and why.
    """

    suite: str
    partition: str
    protocol: str
    found: tuple[Conclusion, ...]
    left_out: dict[str, str]


def conclusions_of(quality: Quality) -> Conclusions:
    """Compare every view with the main table.

    Parameters
    ----------
    quality : Quality
        The main table's values. Oracles, which are not methods, are left out.

    Returns
    -------
    Conclusions
    """
    cells = quality.cells
    real = np.flatnonzero([m.detector != ORACLE for m in cells.methods])
    quality = quality.select(cells.select_methods(real), np.s_[:, real])
    found: list[Conclusion] = []
    left_out: dict[str, str] = {}
    for view, make in VIEWS.items():
        pair = make(quality)
        if pair is None:
            left_out[view] = "the results do not have the facts"
        elif not pair.view.auroc.size:
            left_out[view] = "no data set is left"
        else:
            found += _compared(view, pair)
    return Conclusions(
        suite=cells.suite,
        partition=cells.partition,
        protocol=cells.protocol,
        found=tuple(found),
        left_out=left_out,
    )


def conclusion_table(conclusions: Conclusions) -> pd.DataFrame:
    """Return the comparisons as a table, one row per view, metric and method.

    Parameters
    ----------
    conclusions : Conclusions
        From `conclusions_of`.

    Returns
    -------
    pandas.DataFrame
        The columns of docs/results.md, by view, metric and place.
    """
    import pandas as pd

    tables = []
    for each in conclusions.found:
        columns = {
            "view": each.view,
            "metric": each.metric,
            "method": each.methods,
            "place": each.place.astype(np.int64),
            "main_place": each.main_place.astype(np.int64),
            "mean": each.mean,
            "main_mean": each.main_mean,
            "n_moved": each.n_moved,
            "n_datasets": each.n_datasets,
            "n_known": each.n_known,
            "tau": each.tau,
            "n_winner_changes": each.n_winner_changes,
        }
        tables.append(pd.DataFrame(columns).sort_values(["place", "method"]))
    if not tables:
        return pd.DataFrame()
    table = pd.concat(tables, ignore_index=True)
    for at, name in enumerate(("suite", "partition", "protocol")):
        table.insert(at, name, getattr(conclusions, name))
    return table


def kendall_tau(a: FloatArray, b: FloatArray) -> float:
    """Return Kendall's tau-b of two rankings (Kendall, 1945).

    ``(concordant - discordant) / sqrt((n0 - ties_a) (n0 - ties_b))`` over all pairs.

    Parameters
    ----------
    a, b : float64 arrays of shape (n,)
        The two rankings.

    Returns
    -------
    float
        In [-1, 1]; 1 for the same order; NaN if all values of one are equal.
    """
    pairs = np.triu_indices(len(a), 1)
    sign_a = np.sign(np.subtract.outer(a, a))[pairs]
    sign_b = np.sign(np.subtract.outer(b, b))[pairs]
    norm = np.sqrt(np.count_nonzero(sign_a) * np.count_nonzero(sign_b))
    return float((sign_a * sign_b).sum() / norm) if norm else float("nan")


def _compared(view: str, pair: Pair) -> Iterator[Conclusion]:
    """Yield the comparison by each metric that the view has."""
    methods = tuple(m.label for m in pair.main.cells.methods)
    same_sets = len(pair.main.auroc) == len(pair.view.auroc)
    for metric in pair.view.values:
        before, after = pair.main.values[metric], pair.view.values[metric]
        main_mean, mean = before.mean(axis=0), after.mean(axis=0)
        main_place, place = aggregate.places(main_mean), aggregate.places(mean)
        counts_otherwise = view in COUNTED_OTHERWISE and same_sets
        nothing = np.full(len(methods), np.nan)
        yield Conclusion(
            view=view,
            metric=metric,
            methods=methods,
            n_known=len(before),
            n_datasets=len(after),
            main_mean=main_mean,
            mean=mean,
            main_place=main_place,
            place=place,
            tau=kendall_tau(main_place, place),
            n_moved=_moved(before, after) if counts_otherwise else nothing,
            n_winner_changes=(
                _winner_changes(before, after) if counts_otherwise else float("nan")
            ),
        )


def _moved(before: FloatArray, after: FloatArray) -> FloatArray:
    moved = np.round(np.abs(after - before), _DECIMALS) >= MOVED
    return np.asarray(moved.sum(axis=0), dtype=np.float64)


def _winner_changes(before: FloatArray, after: FloatArray) -> float:
    """Count the rows in which no best column of one is a best column of the other."""
    return float((~(_is_best(before) & _is_best(after)).any(axis=1)).sum())


def _is_best(values: FloatArray) -> BoolArray:
    rounded = np.round(values, _DECIMALS)
    best: BoolArray = rounded == rounded.max(axis=1, keepdims=True)
    return best


def _at_first(methods: tuple[str, ...], place: FloatArray) -> tuple[str, ...]:
    return tuple(m for m, p in zip(methods, place, strict=True) if p == place.min())
