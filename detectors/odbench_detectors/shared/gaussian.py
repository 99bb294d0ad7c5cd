"""Negative log-likelihoods of Gaussian mixtures, independent of the batch."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.blocks import in_blocks
from odbench_detectors.shared.estimator import within_limit


class Mixture:
    """A Gaussian mixture fitted by scikit-learn.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        Training rows. Values are clipped to ±1e140, in `surprise` as well.
    components : int
        Number of components, at most n.
    covariance : {"full", "diag"}
        The form of the covariances.
    ridge : float
        Added to the diagonal of each covariance.
    random_state : int or None
        Seed of the k-means initialisation; has no effect for one component.
    """

    def __init__(
        self,
        X: FloatArray,
        *,
        components: int,
        covariance: str,
        ridge: float,
        random_state: int | None,
    ) -> None:
        from sklearn.mixture import GaussianMixture

        X = within_limit(X)
        if len(X) == 1:
            X = np.repeat(X, 2, axis=0)  # scikit-learn requires two rows
        model: Any = GaussianMixture(
            n_components=min(components, len(X)),
            covariance_type=covariance,
            reg_covar=ridge,
            random_state=random_state,
        )
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # A mixture that has not converged, or has too few rows, is still valid.
            warnings.simplefilter("ignore")
            model.fit(X)
        self._means = model.means_
        self._factors = model.precisions_cholesky_
        self._diagonal = covariance == "diag"
        self._constants = np.log(model.weights_) + self._log_determinants()
        self._constants -= 0.5 * X.shape[1] * np.log(2 * np.pi)

    def _log_determinants(self) -> FloatArray:
        if self._diagonal:
            diagonals = self._factors
        else:
            diagonals = np.diagonal(self._factors, axis1=1, axis2=2)
        logs: FloatArray = np.log(diagonals).sum(axis=1)
        return logs

    def surprise(self, X: FloatArray) -> FloatArray:
        """Return the negative log-likelihood of each row, float64."""
        return in_blocks(within_limit(X), self._surprise)

    def _surprise(self, X: FloatArray) -> FloatArray:
        logs = np.empty((len(X), len(self._means)))
        for k, (mean, factor) in enumerate(
            zip(self._means, self._factors, strict=True)
        ):
            centred = X - mean
            whitened = centred * factor if self._diagonal else centred @ factor
            logs[:, k] = self._constants[k] - 0.5 * (whitened * whitened).sum(axis=1)
        top = logs.max(axis=1)
        kernels = np.exp(logs - top[:, None]).sum(axis=1)
        surprise: FloatArray = -(top + np.log(kernels))
        return surprise
