"""Conformal p-values of scores, from train rows that are held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError


class Scorer(Protocol):
    """The interface of a fitted detector."""

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows; higher is more anomalous."""


@dataclass(frozen=True)
class SplitConformal:
    """A detector fitted on one half of the train rows, calibrated on the other.

    Attributes
    ----------
    scorer : Scorer
        Fitted on the larger half.
    scores : float64 array of shape (n_calibration,)
        Its scores of the other half, ascending.
    """

    scorer: Scorer
    scores: FloatArray

    @classmethod
    def of(cls, X: FloatArray, fit: Callable[[FloatArray], Scorer]) -> SplitConformal:
        """Hold the first half of the rows out, and fit on the other, larger half.

        Parameters
        ----------
        X : float64 array of shape (n, d)
            Inliers, at least four, in an order that says nothing about them.
        fit : callable
            Fits a detector on rows.

        Returns
        -------
        SplitConformal

        Raises
        ------
        DetectorError
            If there are fewer than four rows.
        """
        if len(X) < 4:
            msg = f"p-values need at least 4 train rows, got {len(X)}: fit on more rows"
            raise DetectorError(msg)
        half = len(X) // 2
        scorer = fit(np.ascontiguousarray(X[half:]))
        return cls(scorer, np.sort(scorer.decision_function(X[:half])))

    def p_values(self, X: FloatArray) -> FloatArray:
        """Return the probability that an inlier scores at least as high.

        For the score s of a row and the scores c of n held-out inliers,

            p = (1 + #{c >= s}) / (n + 1)

        For a row that is exchangeable with the inliers, P(p <= a) <= a for every a.

        Parameters
        ----------
        X : float64 array of shape (m, d)

        Returns
        -------
        float64 array of shape (m,)
            From 1/(n + 1) to 1; lower is more anomalous.
        """
        n = len(self.scores)
        below = np.searchsorted(self.scores, self.scorer.decision_function(X))
        return np.asarray((1.0 + n - below) / (n + 1.0), dtype=np.float64)
