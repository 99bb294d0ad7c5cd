"""Kernel density: rows in regions of low Gaussian kernel density are anomalous."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.estimator import Estimator, check_ranges, within_limit


class KDE(Estimator):
    """Gaussian kernel density, exact.

    The score is ``-log(1/n sum_i exp(-|x - x_i|^2 / (2 h^2)))``; the constant of the
    density is left out, and values beyond 1e140 bandwidths are clipped to 1e140. Time
    grows with training rows times scored rows; memory is that of the training rows.

    Parameters
    ----------
    bandwidth : float, default=1.0
        h, above 0.
    """

    def __init__(self, bandwidth: float = 1.0) -> None:
        self.bandwidth = bandwidth

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        check_ranges(
            "kde",
            ("bandwidth", self.bandwidth, self.bandwidth > 0, "above 0"),
        )

    def fit(self, X: FloatArray) -> KDE:
        """Keep the distinct rows of `X`, (n_rows, n_columns) float64."""
        self.check_params()
        rows, counts = np.unique(self.train_rows(X), axis=0, return_counts=True)
        self._rows = self._in_bandwidths(rows)
        self._log_counts = np.log(counts)
        self._log_total = float(np.log(len(X)))
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows: float64, higher is more anomalous."""
        from odbench_detectors.kde.kernel import log_kernel_sums

        queries = self._in_bandwidths(self.rows_to_score(X))
        return self._log_total - log_kernel_sums(self._rows, self._log_counts, queries)

    def _in_bandwidths(self, rows: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            return within_limit(rows / self.bandwidth)
