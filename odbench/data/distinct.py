"""Facts about the distinct rows among the scored rows of a trial or a data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odbench.arrays import FloatArray, LabelArray
from odbench.data.ceiling import ceiling_ap, ceiling_auroc
from odbench.data.groups import group_rows, pair_weights

_DECIMALS = 4


@dataclass(frozen=True, eq=False)
class DistinctRows:
    """The distinct rows among scored rows.

    A distinct row is a vector with its label: a vector with both labels counts twice.

    Attributes
    ----------
    weights : float64 array of shape (n_rows,)
        1 / the number of rows with the same vector and label.
    facts : dict
        Columns of results and of manifests: ``n_distinct_test``,
        ``n_distinct_anomalies`` (counts), ``ceiling_auroc``, ``ceiling_ap`` (4
        decimals).
    """

    weights: FloatArray
    facts: dict[str, int | float]


def distinct_rows(X: FloatArray, labels: LabelArray) -> DistinctRows:
    """Count the distinct rows, and the best metrics that they allow.

    Parameters
    ----------
    X : float64 array of shape (n_rows, n_columns)
        The scored rows, finite and before any scaling.
    labels : int8 array of shape (n_rows,)
        1 = anomaly; both labels occur.

    Returns
    -------
    DistinctRows
    """
    groups = group_rows(X)
    if groups.max() == len(groups) - 1:
        return _all_distinct(labels)
    weights = pair_weights(groups, labels)
    facts = {
        "n_distinct_test": round(float(weights.sum())),
        "n_distinct_anomalies": round(float(weights[labels == 1].sum())),
        "ceiling_auroc": round(ceiling_auroc(groups, labels), _DECIMALS),
        "ceiling_ap": round(ceiling_ap(groups, labels), _DECIMALS),
    }
    return DistinctRows(weights, facts)


def _all_distinct(labels: LabelArray) -> DistinctRows:
    """Return the facts of a table in which no row occurs twice."""
    facts: dict[str, int | float] = {
        "n_distinct_test": len(labels),
        "n_distinct_anomalies": int(np.count_nonzero(labels)),
        "ceiling_auroc": 1.0,
        "ceiling_ap": 1.0,
    }
    return DistinctRows(np.ones(len(labels)), facts)
