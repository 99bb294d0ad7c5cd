"""Confidence intervals of means over data sets, with families as clusters."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench.scoring.clusters import Clusters, standard_error

# Weight, in families, of a made-up value in the middle of the range.
PRIOR_WEIGHT = 0.5
_MIDDLE = 0.5
# A difference that half a family more may have, on top of those that were seen.
PRIOR_DIFFERENCE = 0.3
_EDGE = 1e-9
# A standard error that is not above this is one of rounding: all values are equal.
_NO_SPREAD = 1e-12


def mean_interval(
    values: FloatArray, clusters: Clusters, *, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Return a confidence interval of the mean of each column.

    Half a family with the value 0.5 is added, as Agresti and Coull (1998) add
    pseudo-observations to proportions. The interval is that of Student's t with
    standard errors over families, symmetric on the logit scale, and is then widened to
    contain the mean. The addition matters for few data sets only: without it, a method
    whose values are nearly all 1 gets an interval that is far too short.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, n_columns)
        In [0, 1].
    clusters : Clusters
        Families of the data sets.
    level : float
        Coverage.

    Returns
    -------
    low, high : float64 arrays of shape (n_columns,)
        In [0, 1]. NaN if there are too few families
        (`odbench.scoring.clusters.FEWEST`), or if all values of a column are 0.5, which
        says nothing about how they vary.
    """
    columns = values.shape[1]
    if not clusters.enough:
        return np.full(columns, np.nan), np.full(columns, np.nan)
    families = clusters.effective
    mean = values.mean(axis=0)
    centre = (families * mean + PRIOR_WEIGHT * _MIDDLE) / (families + PRIOR_WEIGHT)
    observed = standard_error((values - mean) / len(values), clusters)
    # The made-up value adds this to the sum of squares around the centre.
    added = families * (mean - centre) ** 2 + PRIOR_WEIGHT * (_MIDDLE - centre) ** 2
    error = np.sqrt(observed**2 + added / (families * (families - 1.0)))
    error = np.where(error > _NO_SPREAD, error, np.nan)
    low, high = _logit_ends(centre, clusters.quantile(level) * error)
    return np.minimum(low, mean), np.maximum(high, mean)


def difference_interval(
    differences: FloatArray, clusters: Clusters, *, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Return a confidence interval of the mean of paired differences.

    Student's t with standard errors over families, to which `allowance` is added.

    Parameters
    ----------
    differences : float64 array of shape (n_datasets, n_columns)
        In [-1, 1].
    clusters : Clusters
        Families of the data sets.
    level : float
        Coverage.

    Returns
    -------
    low, high : float64 arrays of shape (n_columns,)
        In [-1, 1]. NaN if there are too few families, or if all differences of a
        column are equal, which says nothing about how they vary.
    """
    columns = differences.shape[1]
    if not clusters.enough:
        return np.full(columns, np.nan), np.full(columns, np.nan)
    mean = differences.mean(axis=0)
    error = standard_error((differences - mean) / len(differences), clusters)
    wide = np.hypot(error, allowance(clusters.effective))
    reach = clusters.quantile(level) * np.where(error > _NO_SPREAD, wide, np.nan)
    return np.maximum(mean - reach, -1.0), np.minimum(mean + reach, 1.0)


def allowance(families: float) -> float:
    """Return a standard error for large differences that few data sets did not show.

    Differences between methods are small on most data sets and large on a few. Half a
    family with a difference of `PRIOR_DIFFERENCE` is added to the sum of squares; it
    matters for few families only.

    Parameters
    ----------
    families : float
        Number of families, above 1.

    Returns
    -------
    float
    """
    added = PRIOR_WEIGHT * PRIOR_DIFFERENCE**2
    return float(np.sqrt(added / (families * (families - 1.0))))


def _logit_ends(centre: FloatArray, reach: FloatArray) -> tuple[FloatArray, FloatArray]:
    inside = np.clip(centre, _EDGE, 1.0 - _EDGE)
    middle = np.log(inside / (1.0 - inside))
    margin = np.minimum(reach / (inside * (1.0 - inside)), 700.0)
    low: FloatArray = 1.0 / (1.0 + np.exp(margin - middle))
    high: FloatArray = 1.0 / (1.0 + np.exp(-margin - middle))
    return low, high
