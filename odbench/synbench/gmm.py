"""Contextual subspace inflation: Gaussian mixtures, outliers wider in few columns.

Prior and outlier law as described for OutFormer (arXiv:2602.03018).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.synbench import linear
from odbench.synbench.draw import Draw, Sizes
from odbench.synbench.marginals import chi_square_map
from odbench.synbench.portable import normal_quantile
from odbench.synbench.stream import Stream

INFLATION = 5.0
INLIER_LEVEL, OUTLIER_LEVEL = 0.85, 0.95
_MAX_BATCHES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """A mixture of axis-parallel Gaussians with equal weights.

    Attributes
    ----------
    means, variances : float64 arrays of shape (n_components, n_columns)
    subspace : int64 array of shape (n_inflated,)
        The columns in which outliers are wider; sorted.
    """

    means: FloatArray
    variances: FloatArray
    subspace: IntArray

    def sample(self, stream: Stream, n: int, *, inflation: float) -> FloatArray:
        """Draw rows with the subspace's variances multiplied by `inflation`."""
        component = stream.integers(0, len(self.means) - 1, n)
        deviations = np.sqrt(self.variances)
        deviations[:, self.subspace] *= np.sqrt(inflation)
        columns = stream.normal(self.means.shape[1], n)
        for j in range(len(columns)):
            columns[j] *= deviations[component, j]
            columns[j] += self.means[component, j]
        return columns

    def distance(self, columns: FloatArray) -> FloatArray:
        """Return the squared Mahalanobis distance to the nearest component.

        Parameters
        ----------
        columns : float64 array of shape (n_columns, n)

        Returns
        -------
        float64 array of shape (n,)
            Within the subspace, using the variances of inliers.
        """
        inside = columns[self.subspace]
        nearest = np.full(columns.shape[1], np.inf)
        for mean, variance in zip(self.means, self.variances, strict=True):
            scaled = inside - mean[self.subspace, None]
            scaled /= np.sqrt(variance[self.subspace])[:, None]
            np.minimum(nearest, linear.sum_of_squares(scaled), out=nearest)
        return nearest


def thresholds(n_inflated: int) -> tuple[float, float]:
    """Return distance limits: inliers lie below the first, outliers above the second.

    Parameters
    ----------
    n_inflated : int
        Degrees of freedom of the chi-square law.

    Returns
    -------
    tuple of float
        Its 0.85 and 0.95 quantiles, to nine digits.
    """
    z = normal_quantile([INLIER_LEVEL, OUTLIER_LEVEL])
    low, high = chi_square_map(n_inflated)(z)
    return float(low), float(high)


def draw(stream: Stream, sizes: Sizes) -> Draw | None:
    """Draw a set of the archetype ``gmm-subspace``.

    Parameters
    ----------
    stream : Stream
    sizes : Sizes

    Returns
    -------
    Draw or None
        The oracle's score is `Mixture.distance`. None if the outlier law rarely leaves
        the inliers' region, so that the caller draws again.
    """
    mixture, parameters = _draw_mixture(stream, sizes.n_columns)
    low, high = thresholds(len(mixture.subspace))
    inliers = _accepted(stream, mixture, sizes.n_inliers, inflation=1.0, limit=low)
    outliers = _accepted(
        stream, mixture, sizes.n_anomalies, inflation=INFLATION, limit=high
    )
    if inliers is None or outliers is None:
        return None
    test = inliers[:, sizes.n_train :]
    return Draw(
        train=inliers[:, : sizes.n_train],
        inliers=test,
        anomalies=outliers,
        inlier_scores=mixture.distance(test),
        anomaly_scores=mixture.distance(outliers),
        parameters=parameters | {"inlier_below": low, "outlier_above": high},
        law=mixture,
    )


def _draw_mixture(stream: Stream, d: int) -> tuple[Mixture, dict[str, object]]:
    k = stream.integer(2, 5)
    mean_range, variance_range = stream.integer(2, 5), stream.integer(2, 5)
    means = stream.uniform(k, d) * stream.integers(-mean_range, mean_range, k, d)
    variances = stream.uniform(k, d) * stream.integers(1, variance_range, k, d)
    subspace = stream.subset(d, stream.integer(1, d))
    mixture = Mixture(means=means, variances=variances, subspace=subspace)
    return mixture, {
        "n_components": k,
        "mean_range": mean_range,
        "variance_range": variance_range,
        "subspace": subspace.tolist(),
        "means": means.tolist(),
        "variances": variances.tolist(),
    }


def _accepted(
    stream: Stream, mixture: Mixture, n: int, *, inflation: float, limit: float
) -> FloatArray | None:
    """Draw in batches until n rows satisfy the limit."""
    batch = max(1024, n // 2)
    kept: list[FloatArray] = []
    found = 0
    for _ in range(_MAX_BATCHES):
        columns = mixture.sample(stream, batch, inflation=inflation)
        distance = mixture.distance(columns)
        wanted = distance > limit if inflation > 1.0 else distance < limit
        kept.append(columns[:, wanted])
        found += kept[-1].shape[1]
        if found >= n:
            return np.ascontiguousarray(np.concatenate(kept, axis=1)[:, :n])
    return None
