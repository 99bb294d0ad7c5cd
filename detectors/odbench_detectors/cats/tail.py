"""Convert a view's scores to surprises: minus the logarithm of a tail probability."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.cats.rounding import rounded
from odbench_detectors.shared.search import below_each
from odbench_detectors.shared.sort import sorted_rows


@dataclass(frozen=True)
class Tail:
    """The leave-one-out scores of train rows.

    Attributes
    ----------
    scores : float64 array of shape (n,)
        Ascending and rounded; higher is more anomalous.
    spread : float
        The unit beyond the largest score: its distance from the median.
    """

    scores: FloatArray
    spread: float

    @classmethod
    def of(cls, scores: FloatArray) -> Tail:
        """Calibrate on the scores of train rows, float64 of shape (n,)."""
        ordered = sorted_rows(rounded(scores)[None])[0]
        largest = float(ordered[-1])
        spread = largest - float(ordered[len(ordered) // 2])
        return cls(ordered, max(spread, 1e-12 * max(abs(largest), 1.0)))

    @cached_property
    def _ratios(self) -> FloatArray:
        """Kept, because rows are scored in parts, or one by one."""
        return log_ratio(len(self.scores))

    def surprise(self, scores: FloatArray) -> FloatArray:
        """Return how surprising scores are, in nats.

        For a score x among n calibration scores s it is

            -log((1 + #{s >= x}) / (n + 1)) + e / (1 + e),
            e = max(x - max s, 0) / spread

        with x and s rounded, so that rounding errors do not break ties.

        The first term is the p-value of split-conformal prediction. It is the same for
        all scores beyond the largest; the second, below 1, keeps their order.

        Parameters
        ----------
        scores : float64 array of shape (m,)

        Returns
        -------
        float64 array of shape (m,)
            From 0; higher is more anomalous.
        """
        n, scores = len(self.scores), rounded(scores)
        above = n - below_each(self.scores, scores)
        excess = np.maximum(scores - self.scores[-1], 0.0) / self.spread
        surprise: FloatArray = self._ratios[above] + excess / (1.0 + excess)
        return surprise


def log_ratio(n: int) -> FloatArray:
    """Return -log((1 + a) / (n + 1)) for a = 0 ... n."""
    ratio: FloatArray = -np.log((1.0 + np.arange(n + 1)) / (n + 1.0))
    return ratio
