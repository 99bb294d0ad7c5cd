"""Gaussian mixtures; anomalies are wider in a subspace. No rejection, so they overlap.

Prior as described for OutFormer (arXiv:2602.03018).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.synbench import linear, portable
from odbench.synbench.stream import Stream
from odbench.synbench.v2.law import Rows, log_sum_exp


@dataclass(frozen=True, kw_only=True)
class WiderMixture:
    """A mixture of axis-parallel Gaussians with equal weights.

    An anomaly has the variances of the subspace multiplied by 1 + strength.

    Attributes
    ----------
    means, variances : float64 arrays of shape (n_components, d)
    subspace : int64 array of shape (n_inflated,)
        Sorted columns.
    parameters : dict
        Of the law, as JSON values.
    """

    means: FloatArray
    variances: FloatArray
    subspace: IntArray
    parameters: dict[str, Any] = field(repr=False)
    strengths: ClassVar[tuple[float, float]] = (1e-3, 99.0)

    @property
    def resolution(self) -> FloatArray:
        """The smallest standard deviation of each column."""
        smallest: FloatArray = np.sqrt(self.variances.min(axis=0))
        return smallest

    def inliers(self, stream: Stream, n: int) -> Rows:
        """See `Law`."""
        return self.anomalies(self.plan(stream, n), 0.0)

    def plan(self, stream: Stream, n: int) -> Rows:
        """See `Law`."""
        component = stream.integers(0, len(self.means) - 1, n).astype(np.float64)
        return stream.normal(self.means.shape[1], n), component

    def anomalies(self, plan: Rows, strength: float) -> Rows:
        """See `Law`."""
        normal, component = plan[0], plan[1].astype(np.int64)
        deviations = np.sqrt(self.variances)
        deviations[:, self.subspace] *= np.sqrt(1.0 + strength)
        base = np.empty_like(normal)
        for j, values in enumerate(normal):
            base[j] = values * deviations[component, j] + self.means[component, j]
        return self._rows(base)

    def _rows(self, base: FloatArray) -> Rows:
        """Add each component's squared distance inside and outside the subspace."""
        inside = np.isin(np.arange(len(base)), self.subspace)
        parts = []
        for mean, variance in zip(self.means, self.variances, strict=True):
            scaled = (base - mean[:, None]) / np.sqrt(variance)[:, None]
            parts.append(
                [linear.sum_of_squares(scaled[mask]) for mask in (inside, ~inside)]
            )
        distance = np.array(parts)
        return base, distance[:, 0], distance[:, 1]

    def score(self, rows: Rows, strength: float) -> FloatArray:
        """Return the log likelihood ratio of the two mixtures; see `Law`."""
        _, inside, outside = rows
        volume = []
        for variance in self.variances:
            total = 0.0
            for part in portable.log(variance).tolist():
                total += part
            volume.append(0.5 * total)
        wider, plain = (
            log_sum_exp(
                [
                    -0.5 * (a / width + b) - half
                    for a, b, half in zip(inside, outside, volume, strict=True)
                ]
            )
            for width in (1.0 + strength, 1.0)
        )
        size = 0.5 * len(self.subspace) * float(portable.log(1.0 + strength))
        return wider - plain - size

    def shown(self, base: FloatArray) -> FloatArray:
        """Return the base; see `Law`."""
        return base


def draw(stream: Stream, d: int) -> WiderMixture:
    """Draw the law of ``gmm-subspace`` for d columns."""
    k = stream.integer(2, 5)
    mean_range, variance_range = stream.integer(2, 5), stream.integer(2, 5)
    means = stream.uniform(k, d) * stream.integers(-mean_range, mean_range, k, d)
    variances = stream.uniform(k, d) * stream.integers(1, variance_range, k, d)
    subspace = stream.subset(d, stream.integer(1, d))
    parameters = {
        "n_components": k,
        "mean_range": mean_range,
        "variance_range": variance_range,
        "subspace": subspace.tolist(),
        "means": means.tolist(),
        "variances": variances.tolist(),
    }
    return WiderMixture(
        means=means, variances=variances, subspace=subspace, parameters=parameters
    )
