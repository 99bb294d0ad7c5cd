"""Standard errors when data sets of one family are not independent evidence.

A family is a cluster: its data sets come from one source, so only families are treated
as independent of each other. A data set without a family is a family by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray

# Fewer independent families than this do not tell how much a mean varies.
FEWEST = 5


class Clusters(NamedTuple):
    """The families of a table's data sets.

    Attributes
    ----------
    family : int64 array of shape (n_datasets,)
        Number of each data set's family, from 0.
    sizes : int64 array of shape (n_families,)
        Data sets per family.
    """

    family: IntArray
    sizes: IntArray

    @property
    def effective(self) -> float:
        """Number of equally large families that are worth as much as these.

        ``(sum n_g)^2 / sum n_g^2``: the number of families if all are equally large,
        fewer if one family has most of the data sets.
        """
        total = float(self.sizes.sum())
        return total * total / float((self.sizes**2).sum()) if total else 0.0

    @property
    def enough(self) -> bool:
        """Whether intervals may be shown: `FEWEST` effective families or more."""
        return self.effective >= FEWEST - 1e-9

    def totals(self, values: FloatArray) -> FloatArray:
        """Add the rows of each family.

        Parameters
        ----------
        values : float64 array of shape (n_datasets, n_columns)
            One row per data set.

        Returns
        -------
        float64 array of shape (n_families, n_columns)
        """
        if len(self.sizes) == len(values):
            return np.asarray(values[np.argsort(self.family, kind="stable")])
        order = np.argsort(self.family, kind="stable")
        starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])
        sums: FloatArray = np.add.reduceat(values[order], starts, axis=0)
        return sums

    def part(self, rows: BoolArray) -> Clusters:
        """Return the families of some of the data sets.

        Parameters
        ----------
        rows : bool array of shape (n_datasets,)
            The data sets to keep.

        Returns
        -------
        Clusters
        """
        _, family, sizes = np.unique(
            self.family[rows], return_inverse=True, return_counts=True
        )
        return Clusters(family.astype(np.int64), sizes.astype(np.int64))

    def moved(self, sums: FloatArray) -> FloatArray:
        """Return how far estimates move if each family is left out.

        Parameters
        ----------
        sums : float64 array of shape (n_families, n_estimates)
            U_g, the sum of the influences of the data sets of each family; at least
            two families.

        Returns
        -------
        float64 array of shape (n_families, n_estimates)
            ``U_g / (1 - n_g / N)``.
        """
        left = 1.0 - self.sizes / self.sizes.sum()
        return np.asarray(sums / left[:, None], dtype=np.float64)

    def quantile(self, level: float = 0.95) -> float:
        """Return the two-sided quantile of Student's t for these families.

        Parameters
        ----------
        level : float
            Coverage, such as 0.95.

        Returns
        -------
        float
            With `effective` - 1 degrees of freedom; infinite if there are none.
        """
        from scipy.special import stdtrit

        freedom = self.effective - 1.0
        if freedom <= 1e-9:
            return float("inf")
        return float(stdtrit(freedom, 0.5 + level / 2.0))


def clusters_of(
    n_datasets: int, families: Sequence[str | None] | None = None
) -> Clusters:
    """Give each family of data sets a number.

    Parameters
    ----------
    n_datasets : int
        Number of data sets.
    families : sequence of length n_datasets, optional
        Family of each data set. None, or an entry that is not a text, means that the
        data set is a family by itself.

    Returns
    -------
    Clusters
    """
    if families is None:
        index = np.arange(n_datasets, dtype=np.int64)
        return Clusters(index, np.ones(n_datasets, dtype=np.int64))
    numbers: dict[object, int] = {}
    keys = [
        name if isinstance(name, str) and name else ("alone", place)
        for place, name in enumerate(families)
    ]
    index = np.array(
        [numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64
    )
    return Clusters(index, np.bincount(index, minlength=len(numbers)).astype(np.int64))


def standard_error(influence: FloatArray, clusters: Clusters) -> FloatArray:
    """Return the jackknife standard error of estimates, leaving families out.

    ``sqrt((G - 1) / G sum_g D_g^2)`` with ``D_g = U_g / (1 - n_g / N)``, U_g the sum of
    the influences of the data sets of family g: the jackknife over clusters (Cameron
    and Miller, Journal of Human Resources 2015, section VI.A), to first order.

    Parameters
    ----------
    influence : float64 array of shape (n_datasets, n_estimates)
        First-order effect of each data set on each estimate; each column sums to 0.
        For a mean it is ``(x_t - mean) / N``.
    clusters : Clusters
        Families of the data sets.

    Returns
    -------
    float64 array of shape (n_estimates,)
        NaN with fewer than two families.
    """
    families = len(clusters.sizes)
    if families < 2:
        return np.full(influence.shape[1], np.nan)
    moved = clusters.moved(clusters.totals(influence))
    spread = (families - 1.0) / families * (moved**2).sum(axis=0)
    return np.asarray(np.sqrt(spread))
