"""Compare two methods on the data sets that both of them know.

A data set is a tie if the difference is within what its seeds and rows can tell: two
standard errors of the difference (`tie_band`). Families of data sets count as one
observation in every test and interval.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from odbench.arrays import FloatArray
from odbench.scoring.clusters import Clusters
from odbench.scoring.intervals import hanley_mcneil
from odbench.scoring.means import difference_interval
from odbench.scoring.significance import PERMUTATIONS, sign_flip, signed_rank

# Differences of a mean within this region do not matter in practice: one point.
EQUIVALENT = 0.01
# Standard errors of a difference on one data set that are still a tie.
TIE_ERRORS = 1.96

# Differences of rounded numbers are not exact.
_ROUNDING = 1e-9

Verdict = Literal["better", "worse", "equivalent", "undecided", "unknown"]


class Pair(NamedTuple):
    """The difference between two methods, first minus second.

    Attributes
    ----------
    n_datasets, n_families : int
        Data sets compared, and their families.
    first, second, difference : float
        Means of the metric, and the mean difference.
    low, high : float
        95 % interval of the mean difference; NaN with too few families.
    p : float
        Two-sided sign-flip test over families.
    p_wilcoxon : float
        Wilcoxon signed-rank test of the families' mean differences.
    wins, ties, losses : int
        Data sets; ties by `tie_band`.
    median_band : float
        Median of the tie bands of the data sets.
    equivalent : bool or None
        Whether the interval lies inside plus or minus `EQUIVALENT`; None without one.
    """

    n_datasets: int
    n_families: int
    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float
    p_wilcoxon: float
    wins: int
    ties: int
    losses: int
    median_band: float
    equivalent: bool | None

    @property
    def verdict(self) -> Verdict:
        """The conclusion at 95 %: better, worse, equivalent or undecided."""
        if self.equivalent is None:
            return "unknown"
        if self.equivalent:
            return "equivalent"
        if self.low > 0.0:
            return "better"
        return "worse" if self.high < 0.0 else "undecided"


def compare_pair(
    values: FloatArray,
    band: FloatArray,
    clusters: Clusters,
    *,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
) -> Pair:
    """Compare the first with the second of two methods.

    Parameters
    ----------
    values : float64 array of shape (n_datasets, 2)
        Metric of both methods; higher is better. At least one data set.
    band : float64 array of shape (n_datasets,)
        Differences up to this size are ties.
    clusters : Clusters
        Families of the data sets.
    rng : numpy.random.Generator
        Source of the signs.
    permutations : int
        Number of random sign flips, 1 or more.

    Returns
    -------
    Pair
    """
    apart = (values[:, 0] - values[:, 1])[:, None]
    low, high = (float(end[0]) for end in difference_interval(apart, clusters))
    sums = clusters.totals(apart)
    p = sign_flip(sums, rng=rng, permutations=permutations)
    by_family = np.round(sums[:, 0] / clusters.sizes, 12)
    ties = np.abs(apart[:, 0]) <= band + _ROUNDING
    wins = int((~ties & (apart[:, 0] > 0.0)).sum())
    inside = None if np.isnan(low) else low >= -EQUIVALENT and high <= EQUIVALENT
    # Equal everywhere, where an interval has no width and is not shown.
    if clusters.enough and not apart.any():
        inside = True
    return Pair(
        n_datasets=len(values),
        n_families=len(clusters.sizes),
        first=float(values[:, 0].mean()),
        second=float(values[:, 1].mean()),
        difference=float(apart.mean()),
        low=low,
        high=high,
        p=float(p[0]),
        p_wilcoxon=signed_rank(by_family),
        wins=wins,
        ties=int(ties.sum()),
        losses=len(values) - wins - int(ties.sum()),
        median_band=float(np.median(band)),
        equivalent=inside,
    )


def tie_band(variance: FloatArray) -> FloatArray:
    """Return the largest difference on each data set that is a tie.

    ``1.96 sqrt(v_1 + v_2)`` with the variances of both methods. Both were scored on the
    same rows, so their errors are usually alike and the true standard error of the
    difference is smaller: the band calls too much a tie rather than too little.

    Parameters
    ----------
    variance : float64 array of shape (n_datasets, 2)
        From `variance_of`.

    Returns
    -------
    float64 array of shape (n_datasets,)
    """
    band: FloatArray = TIE_ERRORS * np.sqrt(variance.sum(axis=1))
    return band


def variance_of(
    metric: str,
    values: FloatArray,
    seeds: FloatArray,
    n_anomalies: FloatArray,
    n_inliers: FloatArray,
) -> FloatArray:
    """Estimate how much a mean over seeds varies with its rows and its seeds.

    The part of the rows is Hanley and McNeil's for AUROC
    (`odbench.scoring.intervals.hanley_mcneil`), and ``a (1 - a) / n_anomalies`` for any
    other metric, as in `odbench.scoring.intervals.average_precision_interval`.

    Parameters
    ----------
    metric : str
        Name of the metric.
    values : float64 array of shape (n_datasets, n_methods)
        Means over the seeds, in [0, 1].
    seeds : float64 array of shape (n_datasets, n_methods)
        Variance of that mean between seeds; 0 with one seed.
    n_anomalies, n_inliers : float64 arrays of shape (n_datasets,)
        Numbers of test rows.

    Returns
    -------
    float64 array of shape (n_datasets, n_methods)
    """
    inside = np.clip(values, 0.0, 1.0)
    anomalies, inliers = n_anomalies[:, None], n_inliers[:, None]
    rows: FloatArray = inside * (1.0 - inside) / anomalies
    if metric == "auroc":
        rows = np.asarray(hanley_mcneil(inside, anomalies, inliers))
    return rows + seeds
