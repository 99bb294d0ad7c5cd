"""Tables beside the leaderboard: failure policies, time against quality, rank tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.arrays import BoolArray, FloatArray
from odbench.leaderboard.tables import (
    GROUP,
    Settings,
    families_of,
    p_best_column,
    place_columns,
    table_of,
)
from odbench.scoring import aggregate, significance
from odbench.scoring.cells import ENDS, Cells
from odbench.scoring.clusters import Clusters
from odbench.scoring.metrics import listed_metrics, ranked_metrics
from odbench.scoring.policy import POLICIES, PRIMARY, Quality, apply_policy
from odbench.suites import ORACLE

if TYPE_CHECKING:
    import pandas as pd

_WHO = ("suite", "partition", "protocol", "detector", "config")


def policy_table(cells: Cells) -> pd.DataFrame:
    """Compare all failure policies side by side.

    Parameters
    ----------
    cells : Cells
        Counts and sums of one suite, partition and protocol.

    Returns
    -------
    pandas.DataFrame
        One row per method, sorted by its place under the main policy: its name,
        ``n_failed``, ``n_missing``, and for each policy ``place``, ``mean_auroc``,
        ``mean_ap``, ``rank_auroc`` and ``n_datasets``, followed by a dot and the
        policy's name. Cells are empty if a policy leaves no data set.
    """
    quick = Settings(permutations=0)
    wide: pd.DataFrame | None = None
    for policy in POLICIES:
        quality = apply_policy(cells, policy)
        table = table_of(quality, quick).set_index(list(_WHO))
        means = [f"mean_{metric.name}" for metric in ranked_metrics()]
        kept = table[[*means, f"rank_{PRIMARY}"]].copy()
        kept.insert(0, "place", table["place"])
        kept["n_datasets"] = float(len(quality.cells.datasets))
        kept.columns = [f"{name}.{policy}" for name in kept.columns]
        if wide is None:
            wide = table[["n_failed", "n_missing"]].join(kept)
        else:
            wide = wide.join(kept)
    assert wide is not None
    return wide.reset_index()


def pareto_table(table: pd.DataFrame) -> pd.DataFrame:
    """Compare time with quality.

    Parameters
    ----------
    table : pandas.DataFrame
        A leaderboard.

    Returns
    -------
    pandas.DataFrame
        The method, ``median_seconds`` (median fit plus median score seconds per set),
        ``mean_auroc``, ``rank_auroc`` and ``on_front``: no other method of the
        group is at least as fast and as good, and better in one of the two.
        Fastest first; methods without a time are left out, and so is an oracle.
    """
    rows = table[[*_WHO, "mean_auroc", "rank_auroc"]].copy()
    rows.insert(
        len(_WHO),
        "median_seconds",
        table["median_fit_seconds"] + table["median_score_seconds"],
    )
    # An oracle is no method: it takes no time, and would be the whole front.
    rows = rows[rows["detector"] != ORACLE].dropna(subset="median_seconds")
    front = np.zeros(len(rows), dtype=bool)
    for places in rows.groupby(list(GROUP)).indices.values():
        seconds = rows["median_seconds"].to_numpy(dtype=np.float64)[places]
        quality = rows["mean_auroc"].to_numpy(dtype=np.float64)[places]
        front[places] = on_front(seconds, quality)
    rows["on_front"] = front
    order = [*GROUP, "median_seconds", "detector", "config"]
    return rows.sort_values(order, kind="stable", ignore_index=True)


# Numbers of data sets for which `power_table` says what a table could show.
SIZES = (25, 60, 260, 690, 2446)


def power_table(table: pd.DataFrame) -> pd.DataFrame:
    """Say which differences a table can show, and tables of other sizes could.

    Parameters
    ----------
    table : pandas.DataFrame
        A leaderboard of one suite, partition and protocol.

    Returns
    -------
    pandas.DataFrame
        The group, ``n_datasets``, ``this_table``, and for each ranked metric
        ``detectable`` (difference of two means that is found with power 0.8 among all
        pairs) and ``rank`` (half the median width of the intervals of average ranks).
        One row for the table itself; in the others both are scaled by the root of the
        number of data sets. No rows if the table has no intervals.
    """
    import pandas as pd

    first = table.iloc[0]
    n = int(first["n_total"])
    now: dict[str, float] = {}
    for metric in ranked_metrics():
        name = metric.name
        width = table[f"rank_{name}_high"] - table[f"rank_{name}_low"]
        now[f"detectable_{name}"] = float(first[f"detectable_{name}"])
        now[f"rank_{name}_half_width"] = float(width.median()) / 2.0
    if any(map(np.isnan, now.values())):
        return pd.DataFrame()
    group = {name: first[name] for name in GROUP}
    sizes = sorted({n, *SIZES})
    scaled = [{k: v * (n / size) ** 0.5 for k, v in now.items()} for size in sizes]
    return pd.DataFrame(
        {**group, "n_datasets": size, "this_table": size == n, **values}
        for size, values in zip(sizes, scaled, strict=True)
    )


def on_front(cost: FloatArray, quality: FloatArray) -> BoolArray:
    """Mark the points that no other point dominates.

    Parameters
    ----------
    cost : float64 array of shape (n_points,)
        Lower is better.
    quality : float64 array of shape (n_points,)
        Higher is better.

    Returns
    -------
    bool array of shape (n_points,)
    """
    no_worse = (cost[:, None] <= cost) & (quality[:, None] >= quality)
    better = (cost[:, None] < cost) | (quality[:, None] > quality)
    return np.asarray(~(no_worse & better).any(axis=0), dtype=bool)


def rank_diagram(
    rank: FloatArray, clusters: Clusters, *, alpha: float = 0.05
) -> dict[str, Any]:
    """Compute the numbers of a critical-difference diagram.

    Parameters
    ----------
    rank : float64 array of shape (n_datasets, n_methods)
        Ranks per data set, lower = better, ties averaged.
    clusters : Clusters
        Families of the data sets.
    alpha : float
        Level of the critical difference.

    Returns
    -------
    dict
        Ready for JSON: ``n_families``, ``alpha``, the Friedman ``statistic`` and ``p``,
        ``critical_difference``, ``ranks`` (average rank of each method) and
        ``cliques``, lists of methods (by column) that do not differ significantly.
        Missing numbers are null.
    """
    average = rank.mean(axis=0)
    test = significance.friedman(rank, clusters, alpha=alpha)
    return {
        "n_families": len(clusters.sizes),
        "alpha": alpha,
        "statistic": _rounded(test.statistic),
        "p": _rounded(test.p),
        "critical_difference": _rounded(test.critical_difference),
        "ranks": [_rounded(value) for value in average],
        "cliques": significance.cliques(average, test.critical_difference),
    }


def rank_tests(quality: Quality, settings: Settings | None = None) -> dict[str, Any]:
    """Collect the data of a critical-difference diagram by AUROC.

    Parameters
    ----------
    quality : Quality
        One value per data set and method.
    settings : Settings, optional
        Says whether data sets of a family are independent.

    Returns
    -------
    dict
        Ready for JSON: the group, ``n_datasets``, the numbers of `rank_diagram` but
        ``ranks``, ``average_rank`` of each method by label (best first) and ``cliques``
        as lists of labels.
    """
    cells = quality.cells
    clusters = families_of(cells, settings or Settings())
    drawn = rank_diagram(aggregate.ranks(quality.auroc, quality.last), clusters)
    labels = [method.label for method in cells.methods]
    ranks, bars = drawn.pop("ranks"), drawn.pop("cliques")
    order = sorted(range(len(ranks)), key=ranks.__getitem__)
    return {
        **{name: getattr(cells, name) for name in GROUP},
        "n_datasets": len(cells.datasets),
        **drawn,
        "average_rank": {labels[i]: ranks[i] for i in order},
        "cliques": [[labels[i] for i in bar] for bar in bars],
    }


def dataset_table(quality: Quality) -> pd.DataFrame:
    """List each configuration's metrics on each data set.

    Parameters
    ----------
    quality : Quality
        One value per data set and method.

    Returns
    -------
    pandas.DataFrame
        The method, ``dataset``, ``n_trials``, ``n_failed``, ``auroc`` and ``ap`` under
        the policy, ``f1`` (mean over the successful trials),
        ``rank_auroc``, ``fit_seconds``, ``score_seconds``, and the ends of the 95 %
        intervals (`odbench.scoring.cells.ENDS`), empty where scores were not kept
        or a trial failed. Sorted by data set, then method.
    """
    import pandas as pd

    cells = quality.cells
    n, m = quality.auroc.shape
    counts = np.maximum(cells.succeeded, 1)
    listed = {
        name: np.where(cells.succeeded > 0, total / counts, np.nan)
        for name, total in cells.sums.items()
    }
    columns: dict[str, Any] = {
        "suite": cells.suite,
        "partition": cells.partition,
        "protocol": cells.protocol,
        "dataset": np.repeat(cells.datasets, m),
        "detector": np.tile(_names(cells, "detector"), n),
        "config": np.tile(_names(cells, "config"), n),
        "n_trials": cells.trials.ravel(),
        "n_failed": cells.failed.ravel(),
        **{
            metric.name: quality.values.get(metric.name, listed[metric.name]).ravel()
            for metric in listed_metrics()
        },
        f"rank_{PRIMARY}": aggregate.ranks(quality.auroc, quality.last).ravel(),
        "fit_seconds": cells.fit_seconds.ravel(),
        "score_seconds": cells.score_seconds.ravel(),
    }
    unknown = np.full((n, m, len(ENDS)), np.nan)
    ends = unknown if cells.intervals is None else cells.intervals
    columns |= {name: ends[:, :, k].ravel() for k, name in enumerate(ENDS)}
    return pd.DataFrame(columns)


def evidence_table(table: pd.DataFrame) -> pd.DataFrame:
    """Select the columns of a leaderboard that compare all methods with each other."""
    columns: list[str] = []
    for metric in ranked_metrics():
        name = metric.name
        columns += [f"mean_{name}", *place_columns(name), f"may_be_best_{name}"]
        columns += [p_best_column(name)]
        columns += [f"gap_{name}", f"gap_{name}_low", f"gap_{name}_high"]
    return table[[*_WHO, *columns]]


def _names(cells: Cells, part: str) -> np.ndarray:
    return np.array([getattr(m, part) for m in cells.methods], dtype=object)


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else float(f"{value:.6g}")
