"""Arrange trials as matrices: one per quantity, data sets by configurations.

Every statistic over data sets starts here. Trials of one data set and one
configuration (its seeds) become one cell. Nothing is dropped silently: a trial
that failed and a trial that is absent are both counted. Trials that the machine did not
let happen count as absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.errors import ResultsError
from odbench.scoring.metrics import (
    METRICS,
    interval_columns,
    listed_metrics,
    ranked_metrics,
)
from odbench.scoring.settings import by_setting

if TYPE_CHECKING:
    import pandas as pd

_WORDS = (
    "suite", "partition", "protocol", "dataset", "detector", "config", "config_id",
    "detector_version", "content_sha256", "status",
)  # fmt: skip
# Metrics that are averaged over the trials of a cell.
_SUMMED = tuple(metric.name for metric in listed_metrics())
# Whether the weights of a method were trained on a data set.
_SEEN = "seen_in_training"
_NUMBERS = ("seed", *_SUMMED, "fit_seconds", "score_seconds")

_ENVIRONMENT = "environment"
# Ends of the 95 % intervals of a trial, in the order in which they are kept.
ENDS = interval_columns()

_OPTIONAL = (
    "detector_version",
    "content_sha256",
    *(metric.name for metric in METRICS if not metric.required),
)
_NEEDED = tuple(
    name
    for name in (*_WORDS, *_NUMBERS, "n_test", "n_anomalies")
    if name not in _OPTIONAL
)

# Facts of a data set, not of a trial; the first known value is taken.
FACTS = (
    "n_train", "n_test", "n_columns", "n_anomalies", "domain", "archetype", "family",
    "label_conflict", "duplicate_train", "test_in_train", "anomalies_in_train",
    "n_distinct_test", "n_distinct_anomalies", "ceiling_auroc", "ceiling_ap",
    "trivial_share", "large_integers", "source_url", "licence",
)  # fmt: skip


# The columns of results that a leaderboard over whole suites depends on.
USED = (
    *_WORDS, *_NUMBERS, "n_test", "n_anomalies", "family", "generation", "inductive",
    "batch_difference", "selection", _SEEN, "ceiling_auroc", "ceiling_ap",
)  # fmt: skip


class Method(NamedTuple):
    """One competitor: a detector with its parameters.

    Attributes
    ----------
    detector, config : str
        As in the results.
    config_id : str
        Hash of the full parameters, "" for a view over several configurations.
    """

    detector: str
    config: str
    config_id: str

    @property
    def label(self) -> str:
        """The name in running text: ``knn`` or ``knn[k=20]``."""
        bare = self.config in ("default", "")
        return self.detector if bare else f"{self.detector}[{self.config}]"


@dataclass(frozen=True, eq=False)
class Cells:
    """The results of one suite, partition and protocol.

    Attributes
    ----------
    suite, partition, protocol : str
        The group that the results belong to.
    datasets : object array of shape (n_datasets,)
        Names, sorted.
    methods : tuple of Method
        Sorted.
    trials, succeeded : int64 arrays of shape (n_datasets, n_methods)
        Number of trials, and number of successful ones, which have their metrics.
    sums : mapping of str to float64 array of shape (n_datasets, n_methods)
        Ranked and listed metric -> sum over the successful trials; NaN where the
        results lack the metric.
    squares : mapping of str to float64 array of shape (n_datasets, n_methods)
        Ranked metric -> sum of squares over the successful trials.
    fit_seconds, score_seconds : float64 arrays of shape (n_datasets, n_methods)
        Means over the successful trials, in seconds; NaN where there are none.
    selection : float64 array of shape (n_datasets, n_methods)
        The number by which a rule without labels selects, higher is better; NaN where
        it was not measured (see ``selection`` in the results).
    base_rate : float64 array of shape (n_datasets,)
        Share of anomalies among the test rows.
    seeds : int64 array of shape (n_methods,)
        Number of different seeds of each method.
    facts : pandas.DataFrame of n_datasets rows
        `FACTS`, indexed by data set; null where unknown.
    unscored : tuple of str
        Data sets left out because their labels are not public.
    intervals : float64 array of shape (n_datasets, n_methods, len(ENDS)) or None
        `ENDS`, means over the trials; NaN where a trial failed or its scores were
        not kept. None if no scores were kept.
    """

    suite: str
    partition: str
    protocol: str
    datasets: NDArray[np.object_]
    methods: tuple[Method, ...]
    trials: IntArray
    succeeded: IntArray
    sums: Mapping[str, FloatArray]
    squares: Mapping[str, FloatArray]
    fit_seconds: FloatArray
    score_seconds: FloatArray
    selection: FloatArray
    base_rate: FloatArray
    seeds: IntArray
    facts: pd.DataFrame
    unscored: tuple[str, ...] = ()
    intervals: FloatArray | None = None

    @property
    def failed(self) -> IntArray:
        """Number of failed trials, int64 of shape (n_datasets, n_methods)."""
        return self.trials - self.succeeded

    @property
    def seen(self) -> BoolArray:
        """Methods whose weights were trained on a data set, like `trials`."""
        if _SEEN not in self.sums:
            return np.zeros(self.trials.shape, dtype=bool)
        return np.asarray(self.sums[_SEEN] > 0, dtype=bool)

    @property
    def complete(self) -> BoolArray:
        """Data sets on which every method was tried and no trial failed."""
        whole: BoolArray = ((self.trials > 0) & (self.failed == 0)).all(axis=1)
        return whole

    def select_datasets(self, rows: BoolArray | IntArray) -> Cells:
        """Return the same methods on a subset of the data sets."""
        changed = {
            f.name: getattr(self, f.name)[rows]
            for f in fields(self)
            if f.name in _BY_DATASET
        }
        ends = None if self.intervals is None else self.intervals[rows]
        facts = self.facts.iloc[_positions(rows)]
        return replace(
            self,
            facts=facts,
            intervals=ends,
            sums={name: total[rows] for name, total in self.sums.items()},
            squares={name: total[rows] for name, total in self.squares.items()},
            **changed,
        )

    def select_methods(self, columns: BoolArray | IntArray) -> Cells:
        """Return a subset of the methods on the same data sets."""
        chosen = _positions(columns)
        matrices = {name: getattr(self, name)[:, chosen] for name in _MATRICES}
        return replace(
            self,
            intervals=None if self.intervals is None else self.intervals[:, chosen],
            methods=tuple(self.methods[int(i)] for i in chosen),
            sums={name: total[:, chosen] for name, total in self.sums.items()},
            squares={name: total[:, chosen] for name, total in self.squares.items()},
            seeds=self.seeds[chosen],
            **matrices,
        )


_MATRICES = ("trials", "succeeded", "fit_seconds", "score_seconds", "selection")
_BY_DATASET = (*_MATRICES, "datasets", "base_rate")


def split_results(results: pd.DataFrame) -> Iterator[Cells]:
    """Yield one `Cells` for each suite, partition and protocol in the results.

    Results of different suites, partitions or protocols are never in one table; see
    `odbench.scoring.settings.by_setting`.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per trial, the columns of `odbench.results`.

    Yields
    ------
    Cells
        Sorted by suite, partition and protocol. One with no scored data set at all
        (a private partition without labels) has zero rows.

    Raises
    ------
    ResultsError
        If one table would mix versions of a detector, contents of a data set, or
        two different outcomes of the same trial.
    """
    keys = ["suite", "partition", "protocol"]
    groups = _encoded(results).groupby(keys, sort=True, observed=True)
    for (suite, partition, protocol), rows in groups:
        yield _cells(str(suite), str(partition), str(protocol), rows)


def _encoded(results: pd.DataFrame) -> pd.DataFrame:
    """Keep the needed columns, and encode repeated texts as integers."""
    missing = [name for name in _NEEDED if name not in results.columns]
    if missing:
        msg = (
            f"results: without the columns {', '.join(missing)}; wanted those of "
            "odbench.results.REQUIRED"
        )
        raise ResultsError(msg)
    # A fault of the machine says nothing about a detector.
    results = by_setting(results[results["status"] != _ENVIRONMENT])
    wanted = (*_WORDS, *_NUMBERS, *FACTS, "selection", _SEEN)
    kept = [name for name in wanted if name in results.columns]
    if all(name in results.columns and results[name].notna().any() for name in ENDS):
        kept += ENDS
    words = {name: results[name].astype("category") for name in _WORDS if name in kept}
    return results[kept].assign(**words)


def _cells(suite: str, partition: str, protocol: str, rows: pd.DataFrame) -> Cells:
    where = f"results of {suite}/{partition} ({protocol})"
    _refuse_mixtures(rows, where)
    rows = _without_repeats(rows, where)
    rows, unscored = _scored(rows)
    datasets, d = _codes(rows, ["dataset"])
    names, m = _codes(rows, ["detector", "config", "config_id"])
    shape = (len(datasets), len(names))
    cell = d * shape[1] + m
    # On a data set with labels, a trial without its metric gave nothing to rank.
    good = _is_scored(rows).to_numpy(dtype=bool)

    def total(column: str, power: int = 1) -> FloatArray:
        if column not in rows.columns:
            return np.full(shape, np.nan)
        values = rows[column].astype("float64").to_numpy()[good] ** power
        sums = np.bincount(cell[good], values, minlength=shape[0] * shape[1])
        return np.asarray(sums, dtype=np.float64).reshape(shape)

    succeeded = np.bincount(cell[good], minlength=shape[0] * shape[1]).reshape(shape)
    per_success = np.where(succeeded > 0, 1.0 / np.maximum(succeeded, 1), np.nan)
    facts = _facts(rows)
    return Cells(
        suite,
        partition,
        protocol,
        datasets=np.array([name for (name,) in datasets], dtype=object),
        methods=tuple(Method(*name) for name in names),
        trials=np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape),
        succeeded=succeeded,
        sums={name: total(name) for name in (*_SUMMED, _SEEN)},
        squares={metric.name: total(metric.name, 2) for metric in ranked_metrics()},
        fit_seconds=total("fit_seconds") * per_success,
        score_seconds=total("score_seconds") * per_success,
        selection=_selection(rows, cell, shape),
        base_rate=_share(facts["n_anomalies"], facts["n_test"]),
        seeds=_distinct(m, rows["seed"].to_numpy(dtype=np.int64), shape[1]),
        facts=facts,
        unscored=unscored,
        intervals=_intervals(rows, cell, good, shape),
    )


def _selection(
    rows: pd.DataFrame, cell: IntArray, shape: tuple[int, int]
) -> FloatArray:
    """Average the known numbers to select by; usually one per cell."""
    if "selection" not in rows.columns:
        return np.full(shape, np.nan)
    values = rows["selection"].astype("float64").to_numpy()
    known = ~np.isnan(values)
    size = shape[0] * shape[1]
    counts = np.bincount(cell[known], minlength=size)
    sums = np.bincount(cell[known], values[known], minlength=size)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return np.asarray(means, dtype=np.float64).reshape(shape)


def _intervals(
    rows: pd.DataFrame, cell: IntArray, good: BoolArray, shape: tuple[int, int]
) -> FloatArray | None:
    """Average the ends over the trials of each cell if all of them have intervals.

    The seeds of a cell are scored on the same test rows, so their errors are
    correlated and averaging must not make the interval narrower.
    """
    if ENDS[0] not in rows.columns:
        return None
    size = shape[0] * shape[1]
    ends = rows[list(ENDS)].astype("float64").to_numpy(copy=True)
    # A missing interval in one trial makes that of its cell missing.
    ends[~good] = np.nan
    trials = np.maximum(np.bincount(cell, minlength=size), 1)
    sums = [np.bincount(cell, column, minlength=size) for column in ends.T]
    known = np.bincount(cell, minlength=size) > 0
    means = np.where(known, np.array(sums) / trials, np.nan)
    return np.asarray(means.T.reshape(*shape, len(ENDS)), dtype=np.float64)


def _codes(
    rows: pd.DataFrame, columns: list[str]
) -> tuple[list[tuple[str, ...]], IntArray]:
    """Return the sorted distinct combinations and each row's index among them."""
    if rows.empty:
        return [], np.zeros(0, dtype=np.int64)
    groups = rows.groupby(columns, sort=True, observed=True, dropna=False)
    codes = groups.ngroup().to_numpy()
    _, first = np.unique(codes, return_index=True)
    distinct = rows[columns].iloc[first].itertuples(index=False, name=None)
    return [tuple(map(str, parts)) for parts in distinct], codes.astype(np.int64)


def _distinct(method: IntArray, seed: IntArray, n_methods: int) -> IntArray:
    """Count the different seeds of each method."""
    seeds, code = np.unique(seed, return_inverse=True)
    seen = np.zeros((n_methods, len(seeds)), dtype=bool)
    seen[method, code] = True
    return np.asarray(seen.sum(axis=1), dtype=np.int64)


def _facts(rows: pd.DataFrame) -> pd.DataFrame:
    known = [name for name in FACTS if name in rows.columns]
    few = rows.drop_duplicates(["dataset", "status", *known])
    # A trial that never ran has the sizes of the file, not those of the rows shown.
    few = few.sort_values("status", key=lambda status: status != "ok", kind="stable")
    facts: pd.DataFrame = few.groupby("dataset", sort=True, observed=True)[
        known
    ].first()
    return facts.reindex(columns=list(FACTS))


def _share(part: pd.Series[float], whole: pd.Series[float]) -> FloatArray:
    ratio = part.astype("float64").to_numpy() / whole.astype("float64").to_numpy()
    return np.asarray(ratio, dtype=np.float64)


def _scored(rows: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Drop the data sets whose labels are not public."""
    # A trial that failed early need not know the number of anomalies.
    is_known = rows["n_anomalies"].notna()
    labelled = rows.loc[is_known, "dataset"].unique()
    scored = rows.loc[_is_scored(rows), "dataset"].unique()
    # One trial without its metric must not take a data set from all others.
    unlabelled = ~rows["dataset"].isin(labelled) | (
        (rows["status"] == "ok") & ~rows["dataset"].isin(scored)
    )
    names = rows.loc[unlabelled, "dataset"].unique()
    if not len(names):
        return rows, ()
    return rows[~rows["dataset"].isin(names)], tuple(sorted(map(str, names)))


def _is_scored(rows: pd.DataFrame) -> pd.Series[bool]:
    return (rows["status"] == "ok") & rows["auroc"].notna()


def _refuse_mixtures(rows: pd.DataFrame, where: str) -> None:
    method = ["detector", "config"]
    for keys, column, what in (
        (method, "detector_version", "versions"),
        (method, "config_id", "sets of parameters under one name"),
        (["dataset"], "content_sha256", "contents"),
    ):
        if column not in rows.columns:
            continue
        distinct = rows[[*keys, column]].drop_duplicates().dropna()
        distinct = distinct[distinct[column] != ""]
        clash = distinct[distinct.duplicated(keys, keep=False)]
        if clash.empty:
            continue
        name = [str(part) for part in clash.iloc[0][keys]]
        same = (distinct[keys] == clash.iloc[0][keys]).all(axis=1)
        values = sorted(map(str, distinct.loc[same, column]))
        msg = (
            f"{where}: {keys[0]} {' '.join(name)!r} comes in {len(values)} {what} "
            f"({', '.join(values)}), and a table holds one; give the `odbench run` of "
            "the wanted one again in each folder, leave out the other runs, or remove "
            "their rows with `odbench runs drop`"
        )
        raise ResultsError(msg)


def _without_repeats(rows: pd.DataFrame, where: str) -> pd.DataFrame:
    """Keep one copy of a trial that several runs have, if they agree on its outcome.

    A copy with a number to select by, which only runs over grids have, comes first.
    """
    trial = ["dataset", "detector", "config", "seed"]
    repeated = rows.duplicated(trial, keep=False)
    if not repeated.any():
        return rows
    required = [metric.name for metric in METRICS if metric.required]
    outcome = [*trial, "status", *required]
    # Two machines may differ in the last bits of a score, which is not a conflict.
    distinct = rows.loc[repeated, outcome].round(9).drop_duplicates()
    clash = distinct[distinct.duplicated(trial)]
    if not clash.empty:
        name = " ".join(str(part) for part in clash.iloc[0][trial])
        msg = (
            f"{where}: trial {name!r} (data set, detector, configuration, seed) has "
            "two different outcomes; leave out one of the runs that hold it"
        )
        raise ResultsError(msg)
    if "selection" not in rows.columns:
        return rows.drop_duplicates(trial)
    unknown = rows["selection"].isna().to_numpy()
    order = np.argsort(unknown, kind="stable")
    is_copy = np.empty(len(rows), dtype=np.bool_)
    is_copy[order] = rows.iloc[order].duplicated(trial).to_numpy()
    return rows[~is_copy]


def _positions(chosen: BoolArray | IntArray) -> IntArray:
    if chosen.dtype == np.bool_:
        return np.flatnonzero(chosen).astype(np.int64)
    return chosen.astype(np.int64)
