"""EGMM: Gaussian mixtures of several sizes, standardised and averaged."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.egmm.info import SIZES
from odbench_detectors.shared.estimator import Estimator, check_ranges, is_number
from odbench_detectors.shared.gaussian import Mixture

# A full covariance needs several rows per column, and its cost grows with d cubed.
_ROWS_A_COLUMN = 10
_COLUMNS_FULL = 128


class EGMM(Estimator):
    """Standardised negative log-likelihood, averaged over mixtures of several sizes.

    Each member's negative log-likelihood is standardised by its mean and standard
    deviation over the training rows, then the members are averaged. A member with K
    components has full covariances where there are at least ten rows for each of its
    K d rows of covariance and d is at most 128, else diagonal ones.

    Parameters
    ----------
    components : tuple of int, default=(1, 2, 3, 5, 8, 10)
        Size of each member; limited to the number of training rows.
    ridge : float, default=1e-3
        Added to the diagonal of each covariance, because columns have unit variance
        and real tables contain constant columns and duplicate rows.
    random_state : int or None, default=None
        Seed.
    """

    def __init__(
        self,
        components: tuple[int, ...] = SIZES,
        ridge: float = 1e-3,
        random_state: int | None = None,
    ) -> None:
        self.components = components
        self.ridge = ridge
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        sizes = self.components
        are_sizes = isinstance(sizes, (tuple, list)) and all(
            isinstance(size, int) and size >= 1 for size in sizes
        )
        check_ranges(
            "egmm",
            ("components", sizes, are_sizes and len(sizes) > 0, "whole numbers >= 1"),
            ("ridge", self.ridge, is_number(self.ridge, 0), ">= 0"),
        )

    def fit(self, X: FloatArray) -> EGMM:
        """Fit every member.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Training rows, finite.

        Returns
        -------
        EGMM
            Itself.

        Raises
        ------
        DetectorError
            If a parameter is out of range, or the table is empty or not finite.
        """
        self.check_params()
        X = self.train_rows(X)
        self._members = []
        for size in self.components:
            enough = len(X) >= _ROWS_A_COLUMN * size * X.shape[1]
            member = Mixture(
                X,
                components=size,
                covariance="full" if enough and X.shape[1] <= _COLUMNS_FULL else "diag",
                ridge=self.ridge,
                random_state=self.random_state,
            )
            train = member.surprise(X)
            spread = float(train.std()) or 1.0
            self._members.append((member, float(train.mean()), spread))
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Rows to score, finite, with the columns of `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            In standard deviations over the training rows; higher is more anomalous.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not finite.
        """
        X = self.rows_to_score(X)
        total = np.zeros(len(X))
        for member, centre, spread in self._members:
            total += (member.surprise(X) - centre) / spread
        return total / len(self._members)
