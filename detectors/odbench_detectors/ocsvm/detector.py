"""One-class SVM: signed distance from a boundary around most training rows."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.estimator import Estimator, check_ranges, is_number

# Size of libsvm's kernel cache in MiB; the solution does not depend on it.
_CACHE_MEBIBYTES = 1000


class OCSVM(Estimator):
    """One-class SVM with an RBF kernel, computed by scikit-learn's libsvm.

    The score is ``-sum_i a_i exp(-gamma |x - x_i|^2)`` over the support vectors [1]_.
    Time and memory of `fit` grow with the square of the training rows.

    Parameters
    ----------
    nu : float, default=0.5
        Upper bound on the share of training rows outside the boundary; in (0, 1].
    gamma : {"auto", "scale"} or float, default="auto"
        Kernel width: 1/d, 1/(d var), or as given.

    References
    ----------
    .. [1] Schölkopf et al., "Estimating the support of a high-dimensional
       distribution", Neural Computation 13, 2001.
    """

    def __init__(self, nu: float = 0.5, gamma: str | float = "auto") -> None:
        self.nu = nu
        self.gamma = gamma

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        gamma = self.gamma
        is_gamma = is_number(gamma, above=0) or gamma in ("auto", "scale")
        check_ranges(
            "ocsvm",
            ("nu", self.nu, is_number(self.nu, above=0, most=1), "above 0, at most 1"),
            ("gamma", self.gamma, is_gamma, "'auto', 'scale' or above 0"),
        )

    def fit(self, X: FloatArray) -> OCSVM:
        """Find the support vectors.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Training rows, finite.

        Returns
        -------
        OCSVM
            Itself.

        Raises
        ------
        DetectorError
            If a parameter is out of range, or the table is empty or not finite.
        """
        self.check_params()
        from sklearn.svm import OneClassSVM as Machine

        self._machine = Machine(
            nu=self.nu, gamma=self.gamma, cache_size=_CACHE_MEBIBYTES
        )
        self._machine.fit(self.train_rows(X))
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
            0 or less; higher is more anomalous.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not finite.
        """
        rows = self.rows_to_score(X)
        if len(rows) == 0:  # scikit-learn refuses these
            return np.empty(0)
        scores: FloatArray = -np.ravel(self._machine.score_samples(rows))
        return scores
