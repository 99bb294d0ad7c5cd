"""GMM: the negative log-likelihood of one Gaussian mixture."""

from __future__ import annotations

from odbench.arrays import FloatArray
from odbench_detectors.shared.estimator import Estimator, check_ranges, is_count
from odbench_detectors.shared.gaussian import Mixture


class GMM(Estimator):
    """Negative log-likelihood of one Gaussian mixture with full covariances.

    One component is the Gaussian of the training rows and involves no randomness.
    More components start from k-means with a fixed seed.

    Parameters
    ----------
    components : int, default=1
        Number of Gaussians.
    """

    def __init__(self, components: int = 1) -> None:
        self.components = components

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        check_ranges(
            "gmm",
            ("components", self.components, is_count(self.components, 1), ">= 1"),
        )

    def fit(self, X: FloatArray) -> GMM:
        """Fit the mixture.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Training rows, finite.

        Returns
        -------
        GMM
            Itself.

        Raises
        ------
        DetectorError
            If a parameter is out of range, or the table is empty or not finite.
        """
        self.check_params()
        self._mixture = Mixture(
            self.train_rows(X),
            components=self.components,
            covariance="full",
            ridge=1e-6,
            random_state=0,
        )
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
            Negative log-likelihood in nats; higher is more anomalous.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not finite.
        """
        rows = self.rows_to_score(X)
        return self._mixture.surprise(rows)
