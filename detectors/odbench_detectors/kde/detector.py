"""Kernel density: rows in regions of low Gaussian kernel density are anomalous."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.shared.estimator import (
    Estimator,
    check_ranges,
    is_number,
    within_limit,
)


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
            (
                "bandwidth",
                self.bandwidth,
                is_number(self.bandwidth, above=0),
                "above 0",
            ),
        )

    def fit(self, X: FloatArray) -> KDE:
        """Keep the distinct rows.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Training rows, finite.

        Returns
        -------
        KDE
            Itself.

        Raises
        ------
        DetectorError
            If a parameter is out of range, or the table is empty or not finite.
        """
        self.check_params()
        self._keep(X)
        return self

    def fit_score(self, X: FloatArray) -> FloatArray:
        """Fit on rows and score each by the density of the others.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)

        Returns
        -------
        float64 array of shape (n_rows,)
            Higher is more anomalous; 0 for a single row.
        """
        from odbench_detectors.kde.kernel import log_kernel_sums

        self.check_params()
        number, counts = self._keep(X)
        if len(X) == 1:
            return np.zeros(1)
        with np.errstate(divide="ignore"):
            log_others = np.log(counts - 1)
        others = log_kernel_sums(self._rows, self._log_counts, log_others, self._rows)
        distinct: FloatArray = float(np.log(len(X) - 1)) - others
        return distinct[number]

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Rows to score, finite, with the columns of `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            Negative log-density in nats, up to a constant; higher is more anomalous.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not finite.
        """
        from odbench_detectors.kde.kernel import log_kernel_sums

        queries = self._in_bandwidths(self.rows_to_score(X))
        weights = self._log_counts, self._log_counts
        return self._log_total - log_kernel_sums(self._rows, *weights, queries)

    def _keep(self, X: FloatArray) -> tuple[IntArray, IntArray]:
        """Keep the distinct rows; return which one each row is, and their counts."""
        rows, number, counts = np.unique(
            self.train_rows(X), axis=0, return_inverse=True, return_counts=True
        )
        self._rows = self._in_bandwidths(rows)
        self._log_counts = np.log(counts)
        self._log_total = float(np.log(len(X)))
        return number.reshape(-1), counts

    def _in_bandwidths(self, rows: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            return within_limit(rows / self.bandwidth)
