"""How much each way of choosing a configuration loses against the best fixed one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.leaderboard.tables import DEFAULT, GROUP, Settings, families_of
from odbench.leaderboard.views import VIEWS, can_select, through
from odbench.scoring.clusters import Clusters, clusters_of
from odbench.scoring.means import difference_interval
from odbench.scoring.policy import Quality

if TYPE_CHECKING:
    import pandas as pd

# The name of the rows in which a rule chooses among all detectors.
ALL = "any detector"
COLUMNS = (
    *GROUP, "detector", "view", "metric", "n_datasets", "n_families",
    "n_configurations", "best_fixed", "regret", "regret_low", "regret_high",
)  # fmt: skip


def regret_table(quality: Quality, settings: Settings = DEFAULT) -> pd.DataFrame:
    """Compare every view of a detector with its best fixed configuration.

    The fixed configuration that a data set is compared with is the one with the highest
    mean on all *other* families, so it was not chosen on the data it is judged by. The
    regret is its value minus that of the view, on the same data set. Every family has
    the same weight.

    Parameters
    ----------
    quality : Quality
        One value per data set and configuration.
    settings : Settings
        Whether families or data sets are independent.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`: for every detector with several configurations, every view that its
        results allow and every ranked metric, the mean regret with its 95 % interval;
        lower is better, negative if the view is better than the fixed configuration.
        ``best_fixed`` is the best configuration over all data sets. Where there are
        numbers to select by, rows of the detector "any detector" compare rules that
        choose among the configurations of all detectors.
    """
    import pandas as pd

    clusters = families_of(quality.cells, settings)
    views = {view: through(quality, view) for view in VIEWS if _there(quality, view)}
    detectors = sorted({method.detector for method in quality.cells.methods})
    rows = [
        row
        for detector in detectors
        for row in _of_detector(quality, detector, views, clusters)
    ]
    rows += _of_all(quality, clusters)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _there(quality: Quality, view: str) -> bool:
    methods = quality.cells.methods
    if view == "default":
        return any(method.config == "default" for method in methods)
    return view != "selected without labels" or can_select(quality.cells)


def _of_detector(
    quality: Quality, detector: str, views: dict[str, Quality], clusters: Clusters
) -> list[dict[str, Any]]:
    methods = quality.cells.methods
    own = [i for i, method in enumerate(methods) if method.detector == detector]
    if len(own) < 2:
        return []
    rows = []
    for view, seen in views.items():
        at = [i for i, m in enumerate(seen.cells.methods) if m.detector == detector]
        if at:
            values = {name: v[:, at[0]] for name, v in seen.values.items()}
            rows += _against_fixed(quality, own, (detector, view), values, clusters)
    return rows


def _of_all(quality: Quality, clusters: Clusters) -> list[dict[str, Any]]:
    """Compare rules that choose among all configurations of all detectors."""
    selection = quality.cells.selection
    many = len({method.detector for method in quality.cells.methods}) > 1
    if not many or not can_select(quality.cells):
        return []
    everything = list(range(selection.shape[1]))
    place = np.arange(len(selection))
    best = np.where(np.isnan(selection), -1.0, selection).argmax(axis=1)
    # Where nothing was measured, the rule cannot choose: one is taken at random.
    blind = np.isnan(selection).all(axis=1)
    chosen = {
        "grid mean": {name: v.mean(axis=1) for name, v in quality.values.items()},
        "selected without labels": {
            name: np.where(blind, v.mean(axis=1), v[place, best])
            for name, v in quality.values.items()
        },
        "oracle": {name: v.max(axis=1) for name, v in quality.values.items()},
    }
    return [
        row
        for view, values in chosen.items()
        for row in _against_fixed(quality, everything, (ALL, view), values, clusters)
    ]


def _against_fixed(
    quality: Quality,
    own: list[int],
    name: tuple[str, str],
    values: Mapping[str, FloatArray],
    clusters: Clusters,
) -> list[dict[str, Any]]:
    """Return the regret of some values against the best of fixed configurations."""
    rows = []
    for metric in quality.values:
        grid = quality.values[metric][:, own]
        regret = best_elsewhere(grid, clusters) - values[metric]
        mean, low, high = _balanced(regret, clusters)
        best = quality.cells.methods[own[int(grid.mean(axis=0).argmax())]]
        rows.append(
            {
                **{key: getattr(quality.cells, key) for key in GROUP},
                "detector": name[0],
                "view": name[1],
                "metric": metric,
                "n_datasets": len(regret),
                "n_families": len(clusters.sizes),
                "n_configurations": len(own),
                "best_fixed": best.label if name[0] == ALL else best.config,
                "regret": mean,
                "regret_low": low,
                "regret_high": high,
            }
        )
    return rows


def best_elsewhere(values: FloatArray, clusters: Clusters) -> FloatArray:
    """Return, on each data set, the value of the best configuration of other families.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_configurations)
        Higher is better.
    clusters : Clusters
        Families; with only one, the best of all data sets is taken.

    Returns
    -------
    float64 array of shape (n_datasets,)
    """
    totals = clusters.totals(values) / clusters.sizes[:, None]
    others = totals.sum(axis=0) - totals if len(totals) > 1 else totals
    best = np.round(others, 12).argmax(axis=1)
    chosen: FloatArray = values[np.arange(len(values)), best[clusters.family]]
    return chosen


def _balanced(regret: FloatArray, clusters: Clusters) -> tuple[float, float, float]:
    """Return the mean over families and its interval."""
    by_family = clusters.totals(regret[:, None]) / clusters.sizes[:, None]
    low, high = difference_interval(by_family, clusters_of(len(by_family)))
    return float(by_family.mean()), float(low[0]), float(high[0])
