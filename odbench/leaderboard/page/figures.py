"""Numbers for the page's drawings: win rates, time against quality.

The page's script chooses lines and colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.arrays import BoolArray, FloatArray
from odbench.leaderboard.comparisons import on_front
from odbench.scoring.elo import wins
from odbench.scoring.metrics import ranked_metrics
from odbench.suites import ORACLE

if TYPE_CHECKING:
    import pandas as pd


def win_shares(rank: FloatArray, members: BoolArray) -> FloatArray:
    """Return the share of data sets on which each method beats each other one.

    Parameters
    ----------
    rank : float64 array of shape (n_datasets, n_methods)
        Ranks per data set, lower = better; equal ranks are ties.
    members : bool array of shape (n_parts, n_datasets)
        The data sets of each part, at least one per part.

    Returns
    -------
    float64 array of shape (n_parts, n_methods, n_methods)
        Share of the part's data sets on which the row beats the column, a tie
        counting half; in [0, 1], 0 on the diagonal.
    """
    weights = np.asarray(members, dtype=np.float64)
    share: FloatArray = wins(rank, weights) / weights.sum(axis=1)[:, None, None]
    return share


def pareto_points(table: pd.DataFrame, methods: list[int]) -> dict[str, Any]:
    """Return the time and the quality of each method, for each metric.

    Parameters
    ----------
    table : pandas.DataFrame
        A leaderboard of one suite, partition, protocol and slice.
    methods : list of int
        The page's number of the method in each row.

    Returns
    -------
    dict
        For each ranked metric: ``method``, ``seconds`` (median fit plus median
        score seconds per data set), ``quality`` (mean) and ``front`` (1 if no
        other method is at least as fast and as good, and better in one), for all
        methods whose time is known; an oracle, which is no method, is left out.
        Empty if no time is known.
    """
    seconds = table["median_fit_seconds"] + table["median_score_seconds"]
    timed = np.isfinite(seconds.to_numpy(dtype=np.float64))
    known = np.flatnonzero(timed & (table["detector"] != ORACLE).to_numpy())
    if not len(known):
        return {}
    cost = seconds.to_numpy(dtype=np.float64)[known]
    points = {}
    for metric in ranked_metrics():
        if (column := f"mean_{metric.name}") not in table:
            continue
        quality = table[column].to_numpy(dtype=np.float64)[known]
        points[metric.name] = {
            "method": [methods[k] for k in known],
            "seconds": [float(f"{value:.4g}") for value in cost],
            "quality": [round(float(value), 6) for value in quality],
            "front": [int(best) for best in on_front(cost, quality)],
        }
    return points
