"""Leaderboards, one row per configuration, by suite, partition and protocol."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import UsageError
from odbench.results import select_present
from odbench.scoring import aggregate, significance
from odbench.scoring.cells import Cells, split_results
from odbench.scoring.elo import Ratings, bootstrap_weights, rate
from odbench.scoring.metrics import adjusted_average_precision, ranked_metrics
from odbench.scoring.policy import PRIMARY, Policy, Quality, apply_policy

if TYPE_CHECKING:
    import pandas as pd

GROUP = ("suite", "partition", "protocol")


def _per_metric(statistic: str) -> tuple[str, ...]:
    """Return a statistic's column for each ranked metric, the primary one first."""
    return tuple(f"{statistic}_{metric.name}" for metric in ranked_metrics())


COLUMNS = (
    "suite", "partition", "detector", "config", "n_datasets", "n_failed",
    *_per_metric("mean"), *_per_metric("rank"),
    "elo_auroc", "elo_auroc_low", "elo_auroc_high", *_per_metric("elo")[1:],
    "win_rate", "champion_delta", "rauc_ratio", "rauc_minmax",
    *_per_metric("top3"), "p_best", "total_rank",
    "median_fit_seconds", "median_score_seconds",
    # Beyond the columns that every reader may count on.
    "protocol", "config_id", "n_total", "n_seeds", "n_trials", "n_missing",
    "mean_auroc_low", "mean_auroc_high", "mean_ap_adjusted",
    "gap_auroc", "gap_auroc_low", "gap_auroc_high", "p_equivalent", "p_wilcoxon",
)  # fmt: skip


_TESTS = ("gap_auroc_low", "gap_auroc_high", "p_equivalent", "p_wilcoxon", "p_best")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a table; the same settings give the same table.

    Attributes
    ----------
    resamples : int
        Bootstrap samples behind each interval; 0 leaves the intervals empty.
    permutations : int
        Sign flips behind each p-value; 0 leaves the comparisons with the best empty,
        except the gap.
    cluster : {"dataset", "family"}
        What the bootstrap draws: data sets, or families of data sets that come
        from one source.
    seed : int
        Seed of all draws, 0 or more.
    """

    resamples: int = 200
    permutations: int = significance.PERMUTATIONS
    cluster: Literal["dataset", "family"] = "dataset"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values, which users may have typed."""
        if self.resamples < 0 or self.permutations < 0:
            msg = (
                f"leaderboard: got {self.resamples} resamples and "
                f"{self.permutations} permutations; wanted 0 or more of each"
            )
            raise UsageError(msg)
        if self.seed < 0:
            msg = f"leaderboard: seed {self.seed}: wanted 0 or more"
            raise UsageError(msg)
        if self.cluster not in ("dataset", "family"):
            msg = f"leaderboard: cluster {self.cluster!r}: wanted dataset or family"
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
        How failures count: "main", "worst", "base-rate", "complete-case" or
        "mean-of-others".
    settings : Settings
        Resamples, permutations, seed.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, one row per configuration, sorted by suite, partition, protocol and
        total rank (best first). Empty if no data set has public labels.

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
        Resamples, permutations, seed.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, one row per method, best total rank first; no rows if there are no
        data sets or no methods.
    """
    import pandas as pd

    if not quality.auroc.size:
        return pd.DataFrame(columns=list(COLUMNS))
    weights = _weights(quality.cells, settings)
    columns = _counts(quality.cells)
    columns |= _means(quality, weights)
    columns |= _standings(quality, weights)
    columns |= _evidence(quality, settings)
    columns |= _costs(quality.cells)
    columns["total_rank"] = aggregate.total_rank(
        higher=[
            columns[name]
            for statistic in ("mean", "elo", "top3")
            for name in _per_metric(statistic)
            if name in columns
        ],
        lower=[columns[name] for name in _per_metric("rank") if name in columns],
    )
    table = pd.DataFrame(columns)
    for name in GROUP:
        table[name] = getattr(quality.cells, name)
    return in_order(table).reindex(columns=list(COLUMNS))


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Sort a table: by group, then best total rank, mean AUROC and name first."""
    keys = [*GROUP, "total_rank", "mean_auroc", "detector", "config"]
    up = [key != "mean_auroc" for key in keys]
    return table.sort_values(keys, ascending=up, kind="stable", ignore_index=True)


def left_out(cells: Cells) -> str:
    """Name the data sets that could not be scored, in one line."""
    return (
        f"leaderboard of {cells.suite}/{cells.partition} ({cells.protocol}): "
        f"{len(cells.unscored)} data sets have no public labels and are left out"
    )


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


def _means(quality: Quality, weights: FloatArray) -> dict[str, FloatArray]:
    rate_of_anomalies = quality.cells.base_rate[:, None]
    adjusted = adjusted_average_precision(quality.values["ap"], rate_of_anomalies)
    low, high = _interval(quality.auroc, weights)
    return {
        **{f"mean_{name}": v.mean(axis=0) for name, v in quality.values.items()},
        "mean_auroc_low": low,
        "mean_auroc_high": high,
        "mean_ap_adjusted": adjusted.mean(axis=0),
    }


def _interval(
    values: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Bootstrap the mean of each column; the interval contains the mean."""
    if not len(weights):
        nothing = np.full(values.shape[1], np.nan)
        return nothing, nothing
    means = weights @ values / weights.sum(axis=1, keepdims=True)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    mean = values.mean(axis=0)
    return np.minimum(low, mean), np.maximum(high, mean)


def _standings(quality: Quality, weights: FloatArray) -> dict[str, FloatArray]:
    ranks = {
        name: aggregate.ranks(values, quality.last)
        for name, values in quality.values.items()
    }
    primary: Ratings = rate(ranks[PRIMARY], weights)
    others = {name: rate(rank) for name, rank in ranks.items() if name != PRIMARY}
    return {
        **{f"rank_{name}": rank.mean(axis=0) for name, rank in ranks.items()},
        f"elo_{PRIMARY}": primary.elo,
        f"elo_{PRIMARY}_low": primary.low,
        f"elo_{PRIMARY}_high": primary.high,
        **{f"elo_{name}": ratings.elo for name, ratings in others.items()},
        "win_rate": aggregate.win_rate(ranks[PRIMARY]),
        "champion_delta": aggregate.champion_delta(quality.auroc),
        "rauc_ratio": aggregate.relative_to_best(quality.auroc),
        "rauc_minmax": aggregate.relative_in_range(quality.auroc),
        **{
            f"top3_{name}": aggregate.top_share(rank, quality.last)
            for name, rank in ranks.items()
        },
    }


def _evidence(quality: Quality, settings: Settings) -> dict[str, FloatArray]:
    nothing = np.full(quality.auroc.shape[1], np.nan)
    if not settings.permutations:
        gap = significance.gap_to_best(quality.auroc)
        return {"gap_auroc": gap, **dict.fromkeys(_TESTS, nothing)}
    gaps = significance.gaps_to_best(
        quality.auroc, rng=np.random.default_rng([settings.seed, 2])
    )
    p_best = significance.against_best(
        quality.auroc,
        rng=np.random.default_rng([settings.seed, 3]),
        permutations=settings.permutations,
    )
    return {
        "gap_auroc": gaps.gap,
        "gap_auroc_low": gaps.low,
        "gap_auroc_high": gaps.high,
        "p_equivalent": gaps.p_equivalent,
        "p_wilcoxon": significance.wilcoxon_against_best(quality.auroc),
        "p_best": p_best,
    }


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


def _weights(cells: Cells, settings: Settings) -> FloatArray:
    families = None
    if settings.cluster == "family":
        families = [
            name if isinstance(name, str) else None for name in cells.facts["family"]
        ]
    return bootstrap_weights(
        len(cells.datasets),
        resamples=settings.resamples,
        rng=np.random.default_rng([settings.seed, 1]),
        families=families,
    )
