"""Negative log-likelihoods of Gaussian mixtures, independent of the batch."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.blocks import in_blocks
from odbench_detectors.shared.estimator import within_limit
from odbench_detectors.shared.expectation import fit_gaussians, log_roots


class Mixture:
    """A Gaussian mixture fitted by expectation maximisation.

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
        X = within_limit(X)
        if len(X) == 1:
            # As scikit-learn requires, whose scores these are.
            X = np.repeat(X, 2, axis=0)
        self._diagonal = covariance == "diag"
        # A mixture that has not converged, or has too few rows, is still valid.
        with np.errstate(all="ignore"):
            weights, self._means, self._factors = fit_gaussians(
                X,
                components=min(components, len(X)),
                is_diagonal=self._diagonal,
                ridge=ridge,
                random_state=random_state,
            )
        self._constants = np.log(weights) + log_roots(self._factors)
        self._constants -= 0.5 * X.shape[1] * np.log(2 * np.pi)

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
