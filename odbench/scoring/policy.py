"""Six policies for scoring failed trials; "main" makes the main table.

A policy turns the counts and sums of `odbench.scoring.cells` into one value per data
set and method. A method that was never tried on a data set of the table is treated as
if it had failed on it.

Under "main" failing never pays: a failure counts as the lowest value that the metric
has, so turning a success into a failure cannot raise a method's value on any data set,
and does not change the values of the others (docs/metrics.md has the proof).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from odbench.arrays import BoolArray, FloatArray
from odbench.errors import UsageError
from odbench.scoring.cells import Cells
from odbench.scoring.metrics import Metric, ranked_metrics

Policy = Literal[
    "main", "chance", "worst", "base-rate", "complete-case", "mean-of-others"
]
POLICIES: tuple[Policy, ...] = get_args(Policy)
# One line per policy, for tables and pages.
MEANINGS: Mapping[Policy, str] = MappingProxyType(
    {
        "main": "AUROC 0, AP 0, ranked last",
        "chance": "AUROC 0.5, AP = share of anomalies, ranked last",
        "worst": "the worst that any method reached there, ranked last",
        "base-rate": "AUROC 0.5, AP = share of anomalies, ranked by that",
        "complete-case": "only data sets on which every trial succeeded",
        "mean-of-others": "the mean of the other methods there, which rewards failing",
    }
)

PRIMARY = ranked_metrics()[0].name


@dataclass(frozen=True, eq=False)
class Quality:
    """One value per data set and method, without gaps.

    Attributes
    ----------
    cells : Cells
        Counts and sums behind the values; "complete-case" has fewer data sets.
    values : mapping of str to float64 array of shape (n_datasets, n_methods)
        Ranked metric that the results have -> means over the trials; higher is
        better.
    last : bool array of shape (n_datasets, n_methods)
        Cells that rank behind all others, regardless of their value.
    """

    cells: Cells
    values: Mapping[str, FloatArray]
    last: BoolArray

    @property
    def auroc(self) -> FloatArray:
        """The values of the primary metric."""
        return self.values[PRIMARY]

    def select(self, cells: Cells, places: Any) -> Quality:
        """Return some of the values, with the cells that belong to them.

        Parameters
        ----------
        cells : Cells
            The same selection of `cells`.
        places : index
            Into arrays of shape (n_datasets, n_methods).
        """
        values = {name: value[places] for name, value in self.values.items()}
        return Quality(cells, values, self.last[places])


def apply_policy(cells: Cells, policy: Policy = "main") -> Quality:
    """Score failed trials by a policy, and average over the trials of each cell.

    ============== ======================= ============================ ============
    policy         AUROC of a failure      AP of a failure              ranks last
    ============== ======================= ============================ ============
    main           0                       0                            yes
    chance         0.5                     share of anomalies           yes
    worst          worst that any method   worst that any method        yes
                   reached there, 0.5 at   reached there, the share of
                   most                    anomalies at most
    base-rate      0.5                     share of anomalies           no
    complete-case  data sets with any failure are left out
    mean-of-others mean of the other       mean of the other methods    no
                   methods there           there
    ============== ======================= ============================ ============

    "Ranks last" applies to cells in which no trial succeeded. If only some trials
    failed, each failure enters the mean with the value above.

    Parameters
    ----------
    cells : Cells
        Counts and sums.
    policy : str
        One of `POLICIES`.

    Returns
    -------
    Quality

    Raises
    ------
    UsageError
        If there is no such policy.
    """
    if policy not in POLICIES:
        msg = f"failure policy {policy!r}: wanted one of {', '.join(POLICIES)}"
        raise UsageError(msg)
    if policy == "complete-case":
        cells = cells.select_datasets(cells.complete)
    lost = cells.succeeded == 0
    at_the_end = policy in ("main", "chance", "worst")
    ranks_last = lost if at_the_end else np.zeros_like(lost)
    # Older results may not have a metric; its columns then stay empty.
    found = cells.succeeded > 0
    values = {
        metric.name: _averaged(cells, metric, policy)
        for metric in ranked_metrics()
        if metric.required or not np.isnan(cells.sums[metric.name][found]).any()
    }
    return Quality(cells, values, ranks_last)


def _averaged(cells: Cells, metric: Metric, policy: Policy) -> FloatArray:
    """Average over the trials of each cell; failures get the policy's value."""
    sums = cells.sums[metric.name]
    known = metric.chance is not None
    chance = np.full(len(sums), metric.chance) if known else cells.base_rate
    found = cells.succeeded > 0
    means = np.where(found, sums / np.maximum(cells.succeeded, 1), np.nan)
    fill = np.broadcast_to(chance[:, None], sums.shape)
    if policy == "main":
        fill = np.full_like(sums, metric.lowest)
    elif policy == "worst":
        fill = np.fmin(fill, np.where(found, means, np.inf).min(axis=1, keepdims=True))
    elif policy == "mean-of-others":
        fill = _mean_of_others(means, found, fill)
    trials = np.maximum(cells.trials, 1)
    return (sums + (trials - cells.succeeded) * fill) / trials


def _mean_of_others(
    means: FloatArray, found: BoolArray, fallback: FloatArray
) -> FloatArray:
    known = np.where(found, means, 0.0)
    others = found.sum(axis=1, keepdims=True) - found
    total = known.sum(axis=1, keepdims=True) - known
    return np.where(others > 0, total / np.maximum(others, 1), fallback)
