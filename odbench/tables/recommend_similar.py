"""Means over the data sets most similar to a table; a family counts once."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.tables.recommend_evidence import Evidence
from odbench.tables.recommend_facts import mean_ranks

# Number of families that stand behind an estimate.
NEAREST = 200
_LEVEL = 0.05


@dataclass(frozen=True)
class Similar:
    """The data sets of the nearest families.

    Attributes
    ----------
    sets : int64 array of shape (k,)
        Places of the data sets in the evidence.
    family : int64 array of shape (k,)
        Their families, numbered from 0 without gaps.
    """

    sets: IntArray
    family: IntArray

    @property
    def n_families(self) -> int:
        """Number of families."""
        return int(self.family.max()) + 1

    def means(self, values: FloatArray) -> FloatArray:
        """Return the mean per family, float64 of shape (n_families, m)."""
        sums = np.zeros((self.n_families, values.shape[1]))
        np.add.at(sums, self.family, values[self.sets])
        return sums / np.bincount(self.family)[:, None]


def nearest(evidence: Evidence, far: FloatArray, n_families: int = NEAREST) -> Similar:
    """Choose the data sets of the nearest families.

    Parameters
    ----------
    evidence : Evidence
    far : float64 array of shape (n,)
        Distances; infinite for a data set that is left out.
    n_families : int

    Returns
    -------
    Similar
        A family is as far as its nearest data set; of a chosen family, the data sets
        count that are as near as the farthest chosen family.
    """
    order = np.argsort(far, kind="stable")
    order = order[np.isfinite(far[order])]
    _, first = np.unique(evidence.families[order], return_index=True)
    last = np.sort(first)[:n_families][-1]
    sets = np.asarray(order[: last + 1], dtype=np.int64)
    family = np.unique(evidence.families[sets], return_inverse=True)[1]
    return Similar(sets, np.asarray(family, dtype=np.int64))


def interval(
    values: FloatArray, among: int = 1
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return means of rows with their 95 % intervals by the normal approximation.

    Parameters
    ----------
    values : float64 array of shape (n_families, m)
    among : int
        Number of intervals that hold together, by Bonferroni's inequality.

    Returns
    -------
    mean, low, high : float64 arrays of shape (m,)
        Low and high are NaN for fewer than two rows.
    """
    mean = values.mean(axis=0)
    if len(values) < 2:
        gone = np.full_like(mean, np.nan)
        return mean, gone, gone
    z = NormalDist().inv_cdf(1.0 - _LEVEL / 2 / among)
    half = z * values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return mean, mean - half, mean + half


def may_be_as_good(means: FloatArray) -> BoolArray:
    """Return which configurations are not clearly behind the first, the best one.

    Those whose difference from it, family by family, has an interval with 0 in it. The
    intervals of all pairs hold together at 95 %, because which one is first was not
    known before.

    Parameters
    ----------
    means : float64 array of shape (n_families, m)
        A value per family and configuration, higher is better.

    Returns
    -------
    bool array of shape (m - 1,)
        Of the configurations after the first.
    """
    behind = means[:, :1] - means[:, 1:]
    m = means.shape[1]
    _, low, _ = interval(behind, among=max(1, m * (m - 1) // 2))
    # NaN, from a single family, is not clear.
    return ~(low > 0)


def places(auroc: FloatArray) -> FloatArray:
    """Return each configuration's place per row, 1 is the highest; ties share one."""
    return np.stack([mean_ranks(-row) for row in auroc])
