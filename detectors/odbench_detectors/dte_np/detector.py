"""DTE-NP: the number of diffusion steps between a row and the training rows."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError
from odbench_detectors.shared.estimator import is_count
from odbench_detectors.shared.neighbours.graph import NeighbourGraph
from odbench_detectors.shared.neighbours.means import mean_of_columns
from odbench_detectors.shared.neighbours.sharing import NeighbourDetector

_STEPS = 300
_FIRST_BETA, _LAST_BETA = 0.0001, 0.01
_CHUNK = 4096


class DTENP(NeighbourDetector):
    """Non-parametric diffusion time estimation [1]_.

    With m the mean squared distance to the k nearest training rows and d the number
    of columns, the posterior of the variance of the noise is an inverse gamma of shape
    ``d/2 - 1`` and scale ``m/2``. The score is the step t of a diffusion of 300 steps,
    its betas linear from 0.0001 to 0.01, at whose variance that density is largest: a
    step function of m/d that saturates above 0.78. The density exists for d >= 3; its
    maximum, which is all that is used here, exists for any d.

    Parameters
    ----------
    k : int, default=5
        Number of neighbours, 1 or more; at most all training rows are used.
    continuous : bool, default=False
        Use m itself as the score: no steps and no saturation, so fewer ties.

    References
    ----------
    .. [1] Livernoche, Jain, Hezaveh, Ravanbakhsh, "On diffusion modeling for anomaly
       detection", ICLR 2024, arXiv 2305.18593.
    """

    def __init__(self, k: int = 5, continuous: bool = False) -> None:
        self.k = k
        self.continuous = continuous

    def neighbours_needed(self) -> int:
        """Return k.

        Raises
        ------
        DetectorError
            If k is below 1.
        """
        if not is_count(self.k, 1):
            msg = f"dte_np wants a whole number k >= 1; got k={self.k!r}"
            raise DetectorError(msg)
        return self.k

    def scores_of(self, graph: NeighbourGraph) -> FloatArray:
        """Return the likeliest step of each row, or its mean squared distance."""
        distances = graph.distances
        mean = mean_of_columns(distances * distances)
        if self.continuous:
            return mean
        return _likeliest_step(mean, self._n_columns)


def _likeliest_step(mean: FloatArray, d: int) -> FloatArray:
    """Return the step with the most likely variance, as float64."""
    variance = 1.0 - np.cumprod(1.0 - np.linspace(_FIRST_BETA, _LAST_BETA, _STEPS))
    steps = np.empty(len(mean))
    for start in range(0, len(mean), _CHUNK):
        scale = mean[start : start + _CHUNK, None] / 2.0
        density = -(d / 2.0) * np.log(variance) - scale / variance
        steps[start : start + _CHUNK] = density.argmax(axis=1)
    return steps
