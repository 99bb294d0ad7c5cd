"""Leaderboards, one row per configuration, by suite, partition and protocol."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import UsageError
from odbench.results import select_present
from odbench.scoring import aggregate, places
from odbench.scoring.cells import Cells, split_results
from odbench.scoring.clusters import Clusters, clusters_of
from odbench.scoring.elo import rate
from odbench.scoring.means import mean_interval
from odbench.scoring.metrics import adjusted_average_precision, ranked_metrics
from odbench.scoring.policy import PRIMARY, Policy, Quality, apply_policy
from odbench.scoring.settings import not_ranked
from odbench.scoring.significance import PERMUTATIONS
from odbench.text import counted

if TYPE_CHECKING:
    import pandas as pd

GROUP = ("suite", "partition", "protocol")


def per_metric(*statistics: str) -> tuple[str, ...]:
    """Return columns of each ranked metric, the primary metric first.

    Parameters
    ----------
    *statistics : str
        Patterns such as ``"mean_{}"`` or ``"mean_{}_low"``.

    Returns
    -------
    tuple of str
    """
    return tuple(
        statistic.format(metric.name)
        for metric in ranked_metrics()
        for statistic in statistics
    )


def place_columns(metric: str, *endings: str) -> tuple[str, ...]:
    """Return the columns of the places by a metric: ``place`` for the primary one."""
    name = "place" if metric == PRIMARY else f"place_{metric}"
    return tuple(name + ending for ending in endings or ("", "_low", "_high"))


def p_best_column(metric: str) -> str:
    """Return the column of the test whether a method may be best by a metric."""
    return "p_best" if metric == PRIMARY else f"p_best_{metric}"


_OTHERS = tuple(metric.name for metric in ranked_metrics()[1:])

COLUMNS = (
    "suite", "partition", "detector", "config", "n_datasets", "n_failed",
    *per_metric("mean_{}"), *per_metric("rank_{}"),
    "elo_auroc", "elo_auroc_low", "elo_auroc_high", *per_metric("elo_{}")[1:],
    "win_rate", "champion_delta", "rauc_ratio", "rauc_minmax",
    *per_metric("top3_{}"), "p_best", "total_rank",
    "median_fit_seconds", "median_score_seconds",
    # Beyond the columns that every reader may count on.
    "protocol", "config_id", "n_total", "n_families", "n_seeds", "n_trials",
    "n_missing",
    *(c for metric in ranked_metrics() for c in place_columns(metric.name)),
    *per_metric("may_be_best_{}"), *(p_best_column(name) for name in _OTHERS),
    *per_metric("mean_{}_low", "mean_{}_high"), "mean_ap_adjusted",
    "mean_c_index",
    *per_metric("ceiling_share_{}"),
    *per_metric("rank_{}_low", "rank_{}_high"),
    *(f"elo_{name}_{end}" for name in _OTHERS for end in ("low", "high")),
    "win_rate_low", "win_rate_high",
    *per_metric("gap_{}", "gap_{}_low", "gap_{}_high"),
    *per_metric("detectable_{}"),
)  # fmt: skip


# Data sets of the table that a method's weights were trained on; a column of tables
# where there are any.
SEEN = "n_seen"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a table; the same settings give the same table.

    Attributes
    ----------
    permutations : int
        Random sign flips behind the intervals of places; 0 leaves them, `p_best` and
        the intervals of gaps empty.
    cluster : {"family", "dataset"}
        Independent evidence: families of data sets that come from one source, or every
        data set by itself.
    seed : int
        Seed of all draws, 0 or more.
    """

    permutations: int = PERMUTATIONS
    cluster: Literal["family", "dataset"] = "family"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values, which users may have typed."""
        if self.permutations < 0:
            msg = f"leaderboard: permutations {self.permutations}: wanted 0 or more"
            raise UsageError(msg)
        if self.seed < 0:
            msg = f"leaderboard: seed {self.seed}: wanted 0 or more"
            raise UsageError(msg)
        if self.cluster not in ("family", "dataset"):
            msg = f"leaderboard: cluster {self.cluster!r}: wanted family or dataset"
            raise UsageError(msg)


DEFAULT = Settings()


def build_leaderboard(
    results: pd.DataFrame,
    *,
    policy: Policy = "main",
    settings: Settings = DEFAULT,
) -> pd.DataFrame:
    """Rank every configuration in the results.

    Each suite, partition and protocol is ranked by itself. Trials of one data set
    and configuration are averaged over their seeds first. A failed trial counts as in
    `odbench.scoring.policy.apply_policy`, and so does a data set on which a
    configuration was not tried (`n_missing` counts these). Rows of earlier versions of
    a detector, its parameters or a data set are left out with a warning.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per trial, the columns of `odbench.results`.
    policy : str
        How failures count, one of `odbench.scoring.policy.POLICIES`.
    settings : Settings
        Permutations, clusters, seed.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, one row per configuration, sorted by suite, partition, protocol and
        place. Empty if no data set has public labels.

    Raises
    ------
    ResultsError
        If results do not belong in one table.
    UsageError
        If there is no such policy.
    """
    import pandas as pd

    results, remarks = select_present(results)
    for remark in remarks:
        warnings.warn(remark, stacklevel=2)
    for line in not_ranked(results):
        warnings.warn(line, stacklevel=2)
    tables = []
    for cells in split_results(results):
        if cells.unscored:
            warnings.warn(left_out(cells), stacklevel=2)
        table = table_of(apply_policy(cells, policy), settings)
        if len(table):
            tables.append(table)
    if not tables:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(tables, ignore_index=True)


def table_of(quality: Quality, settings: Settings = DEFAULT) -> pd.DataFrame:
    """Compute the leaderboard of one suite, partition and protocol.

    Parameters
    ----------
    quality : Quality
        One value per data set and method.
    settings : Settings
        Permutations, clusters, seed.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, one row per method, best place first; no rows if there are no
        data sets or no methods. `SEEN` follows where weights of a method were trained
        on data sets of the table.
    """
    import pandas as pd

    if not quality.auroc.size:
        return pd.DataFrame(columns=list(COLUMNS))
    clusters = families_of(quality.cells, settings)
    columns = _counts(quality.cells)
    columns["n_families"] = np.full(quality.auroc.shape[1], len(clusters.sizes))
    columns |= _means(quality, clusters)
    columns |= _standings(quality, clusters)
    columns |= _evidence(quality, clusters, settings)
    columns |= _costs(quality.cells)
    columns["total_rank"] = aggregate.total_rank(
        higher=[
            columns[name]
            for statistic in ("mean_{}", "elo_{}", "top3_{}")
            for name in per_metric(statistic)
            if name in columns
        ],
        lower=[columns[name] for name in per_metric("rank_{}") if name in columns],
    )
    table = pd.DataFrame(columns)
    for name in GROUP:
        table[name] = getattr(quality.cells, name)
    columns_now = list(COLUMNS)
    if quality.cells.seen.any():
        table[SEEN] = quality.cells.seen.sum(axis=0)
        columns_now.append(SEEN)
    return in_order(table).reindex(columns=columns_now)


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Sort a table: by group, then place, mean AP and name."""
    keys = [*GROUP, "place", "mean_ap", "detector", "config"]
    up = [key != "mean_ap" for key in keys]
    return table.sort_values(keys, ascending=up, kind="stable", ignore_index=True)


def left_out(cells: Cells) -> str:
    """Name the data sets that could not be scored, in one line."""
    which = f"{cells.suite}/{cells.partition} ({cells.protocol})"
    n = len(cells.unscored)
    left = "has no public labels and is" if n == 1 else "have no public labels and are"
    return f"leaderboard of {which}: {counted(n, 'data set')} {left} left out"


def _counts(cells: Cells) -> dict[str, FloatArray]:
    tried = (cells.trials > 0).sum(axis=0)
    trials = cells.trials.sum(axis=0)
    return {
        "detector": np.array([m.detector for m in cells.methods], dtype=object),
        "config": np.array([m.config for m in cells.methods], dtype=object),
        "config_id": np.array([m.config_id for m in cells.methods], dtype=object),
        "n_datasets": tried,
        "n_failed": cells.failed.sum(axis=0),
        "n_total": np.full(len(cells.methods), len(cells.datasets)),
        "n_seeds": cells.seeds,
        "n_trials": trials,
        "n_missing": len(cells.datasets) * cells.seeds - trials,
    }


def _means(quality: Quality, clusters: Clusters) -> dict[str, FloatArray]:
    rate_of_anomalies = quality.cells.base_rate[:, None]
    adjusted = adjusted_average_precision(quality.values["ap"], rate_of_anomalies)
    columns = {"mean_ap_adjusted": adjusted.mean(axis=0)}
    columns |= _concordance(quality.cells)
    for name, values in quality.values.items():
        low, high = mean_interval(values, clusters)
        mean = values.mean(axis=0)
        columns |= {
            f"mean_{name}": mean,
            f"mean_{name}_low": low,
            f"mean_{name}_high": high,
            place_columns(name)[0]: aggregate.places(mean),
        }
        if (fact := f"ceiling_{name}") in quality.cells.facts:
            ceilings = quality.cells.facts[fact].astype("float64")
            shares = aggregate.share_of_ceiling(values, np.asarray(ceilings))
            columns[f"ceiling_share_{name}"] = shares.mean(axis=0)
    return columns


def _concordance(cells: Cells) -> dict[str, FloatArray]:
    """Return the mean C-index over data sets with levels; a failed trial counts 0."""
    sums = cells.sums["c_index"]
    graded = ~(np.isnan(sums) & (cells.succeeded > 0)).any(axis=1)
    graded &= (cells.succeeded > 0).any(axis=1)
    if not graded.any():
        return {}
    per_trial = np.nan_to_num(sums[graded]) / np.maximum(cells.trials[graded], 1)
    return {"mean_c_index": per_trial.mean(axis=0)}


def _standings(quality: Quality, clusters: Clusters) -> dict[str, FloatArray]:
    columns: dict[str, FloatArray] = {
        "champion_delta": aggregate.champion_delta(quality.auroc),
        "rauc_ratio": aggregate.relative_to_best(quality.auroc),
        "rauc_minmax": aggregate.relative_in_range(quality.auroc),
    }
    for name, values in quality.values.items():
        rank = aggregate.ranks(values, quality.last)
        columns |= _rank_columns(name, rank, clusters)
        columns[f"top3_{name}"] = aggregate.top_share(rank, quality.last)
    return columns


def _rank_columns(
    name: str, rank: FloatArray, clusters: Clusters
) -> dict[str, FloatArray]:
    """Return ratings, mean ranks and the win rate, with their intervals."""
    ratings = rate(rank, clusters)
    methods = rank.shape[1]
    # A win rate is a rank on the scale from 0 to 1.
    share = 1.0 - (rank - 1.0) / max(1, methods - 1)
    low, high = mean_interval(share, clusters)
    columns = {
        f"rank_{name}": rank.mean(axis=0),
        f"rank_{name}_low": methods - high * (methods - 1),
        f"rank_{name}_high": methods - low * (methods - 1),
        f"elo_{name}": ratings.elo,
        f"elo_{name}_low": ratings.low,
        f"elo_{name}_high": ratings.high,
    }
    if name == PRIMARY:
        known = np.nan if methods < 2 else 1.0
        columns |= {
            "win_rate": aggregate.win_rate(rank),
            "win_rate_low": low * known,
            "win_rate_high": high * known,
        }
    return columns


def _evidence(
    quality: Quality, clusters: Clusters, settings: Settings
) -> dict[str, FloatArray]:
    """Return the columns that compare all methods with each other at once."""
    columns: dict[str, Any] = {}
    for stream, (name, values) in enumerate(quality.values.items()):
        mean = values.mean(axis=0)
        columns[f"gap_{name}"] = mean.max() - mean
        if not settings.permutations:
            continue
        tests = places.pair_tests(
            values,
            clusters,
            rng=np.random.default_rng([settings.seed, stream]),
            permutations=settings.permutations,
        )
        found = places.places(tests)
        low, high = place_columns(name, "_low", "_high")
        columns |= {low: found.low, high: found.high, p_best_column(name): found.p_best}
        columns[f"may_be_best_{name}"] = found.low == 1
        ends = places.gap_ends(mean, tests)
        columns |= {f"gap_{name}_low": ends[0], f"gap_{name}_high": ends[1]}
        limit = places.detectable(tests)
        columns[f"detectable_{name}"] = np.full(len(mean), limit)
    return columns


def _costs(cells: Cells) -> dict[str, FloatArray]:
    """Return medians over the data sets on which a trial succeeded."""
    costs = {}
    for name in ("fit_seconds", "score_seconds"):
        seconds = getattr(cells, name)
        median = np.full(seconds.shape[1], np.nan)
        known = ~np.isnan(seconds).all(axis=0)
        median[known] = np.nanmedian(seconds[:, known], axis=0)
        costs[f"median_{name}"] = median
    return costs


def families_of(cells: Cells, settings: Settings = DEFAULT) -> Clusters:
    """Return the families of a table's data sets, as the settings want them.

    Parameters
    ----------
    cells : Cells
        The results; a data set without a family is a family by itself.
    settings : Settings
        With ``cluster="dataset"`` every data set is a family by itself.

    Returns
    -------
    Clusters
    """
    n = len(cells.datasets)
    if settings.cluster == "dataset":
        return clusters_of(n)
    return clusters_of(n, cells.facts["family"].astype(object).tolist())
