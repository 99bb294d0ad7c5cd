"""Conformal p-values of scores, and selection with a bounded false discovery rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from odbench.arrays import BoolArray, FloatArray
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


def benjamini_hochberg(p: FloatArray, fdr: float) -> BoolArray:
    """Select as many rows as a false discovery rate allows [1]_.

    The m' rows of lowest p are selected, m' the largest i with p_(i) <= i * fdr / m.
    For conformal p-values of independent rows, the expected share of inliers among
    the selected rows is then at most `fdr` [2]_.

    Parameters
    ----------
    p : float64 array of shape (m,)
    fdr : float
        Between 0 and 1.

    Returns
    -------
    bool array of shape (m,)

    Raises
    ------
    DetectorError
        If `fdr` is out of range.

    References
    ----------
    .. [1] Benjamini, Hochberg, "Controlling the false discovery rate", Journal of the
       Royal Statistical Society B 57, 1995.
    .. [2] Bates, Candès, Lei, Romano, Sesia, "Testing for outliers with conformal
       p-values", Annals of Statistics 51, 2023.
    """
    if not 0.0 < fdr < 1.0:
        msg = f"fdr={fdr!r} is not a rate: use one between 0 and 1, such as 0.05"
        raise DetectorError(msg)
    ordered = np.sort(p)
    allowed = ordered <= fdr * (1.0 + np.arange(len(p))) / len(p)
    if not allowed.any():
        return np.zeros(len(p), dtype=np.bool_)
    chosen: BoolArray = p <= ordered[np.flatnonzero(allowed)[-1]]
    return chosen
