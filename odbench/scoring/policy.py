"""What a trial that failed is worth: five answers, of which one makes the main table.

A policy turns the counts and sums of `odbench.scoring.cells` into one value for each
data set and method. A method that was never tried on a data set of the table is
treated like one that failed on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np

from odbench.arrays import BoolArray, FloatArray
from odbench.errors import UsageError
from odbench.scoring.cells import Cells

Policy = Literal["main", "worst", "base-rate", "complete-case", "mean-of-others"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
# In one line each, for tables and pages.
MEANINGS: Mapping[Policy, str] = MappingProxyType(
    {
        "main": "AUROC 0.5, AP = share of anomalies, ranked last",
        "worst": "the worst that any method reached there, ranked last",
        "base-rate": "AUROC 0.5, AP = share of anomalies, ranked by that",
        "complete-case": "only data sets on which every trial succeeded",
        "mean-of-others": "the mean of the other methods there, which rewards failing",
    }
)

CHANCE_AUROC = 0.5


@dataclass(frozen=True, eq=False)
class Quality:
    """One value a data set and method, without gaps.

    Attributes
    ----------
    cells : Cells
        What the values were made of; under "complete-case" fewer data sets.
    auroc, ap : float64 arrays of shape (n_datasets, n_methods)
        Means over the trials, in [0, 1]; higher is better.
    last : bool array of shape (n_datasets, n_methods)
        Cells that rank behind all others whatever their value.
    """

    cells: Cells
    auroc: FloatArray
    ap: FloatArray
    last: BoolArray


def apply_policy(cells: Cells, policy: Policy = "main") -> Quality:
    """Fill in what failed trials count as, and average over the trials of a cell.

    ============== ======================= ============================ ============
    policy         AUROC of a failure      AP of a failure              ranks last
    ============== ======================= ============================ ============
    main           0.5                     share of anomalies           yes
    worst          worst that any method   worst that any method        yes
                   reached there, 0.5 at   reached there, the share of
                   most                    anomalies at most
    base-rate      0.5                     share of anomalies           no
    complete-case  data sets with any failure are left out
    mean-of-others mean of the other       mean of the other methods    no
                   methods there           there
    ============== ======================= ============================ ============

    "Ranks last" holds for a cell none of whose trials ended well; where only some
    failed, each counts in the mean with the value above.

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
        cells = cells.on(cells.complete)
    chance = np.full(len(cells.datasets), CHANCE_AUROC)
    lost = cells.succeeded == 0
    ranks_last = lost if policy in ("main", "worst") else np.zeros_like(lost)
    return Quality(
        cells,
        _averaged(cells, cells.auroc_sum, chance, policy),
        _averaged(cells, cells.ap_sum, cells.base_rate, policy),
        ranks_last,
    )


def _averaged(
    cells: Cells, sums: FloatArray, chance: FloatArray, policy: Policy
) -> FloatArray:
    """Average over the trials of each cell, failures at the policy's value."""
    found = cells.succeeded > 0
    means = np.where(found, sums / np.maximum(cells.succeeded, 1), np.nan)
    fill = np.broadcast_to(chance[:, None], sums.shape)
    if policy == "worst":
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
