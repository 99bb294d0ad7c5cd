"""Conformal p-values for any detector, and selection with a false discovery rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.errors import UsageError

Fit = Callable[[FloatArray], Any]


@dataclass(frozen=True)
class Fold:
    """A detector fitted without some reference rows, and its scores of those.

    Attributes
    ----------
    detector : Detector
    held_out : float64 array of shape (n_held_out,)
        Ascending.
    """

    detector: Any
    held_out: FloatArray


@dataclass(frozen=True)
class Conformal:
    """p-values against reference rows that were held out of fitting.

    Attributes
    ----------
    folds : tuple of Fold
    """

    folds: tuple[Fold, ...]

    @classmethod
    def of(
        cls,
        X: FloatArray,
        fit: Fit,
        parts: Sequence[IntArray],
        as_new: FloatArray | None = None,
    ) -> Conformal:
        """Fit one detector per part, each without that part.

        Parameters
        ----------
        X : float64 array of shape (n, d)
            Reference rows.
        fit : callable
            Fits a detector on rows and returns it.
        parts : sequence of int64 arrays
            The places of the rows to hold out, one array per detector.
        as_new : float64 array of shape (n, d), optional
            The rows as they are scored where they are held out; `X` if not given.
        """
        as_new = X if as_new is None else as_new
        folds = []
        for part in parts:
            kept = np.ones(len(X), dtype=np.bool_)
            kept[part] = False
            detector = fit(np.ascontiguousarray(X[kept]))
            scores = detector.decision_function(np.ascontiguousarray(as_new[part]))
            folds.append(Fold(detector, np.sort(scores)))
        return cls(tuple(folds))

    @property
    def n(self) -> int:
        """Number of reference rows that were held out."""
        return sum(len(fold.held_out) for fold in self.folds)

    def p_values(self, X: FloatArray) -> FloatArray:
        """Return cross-conformal p-values [1]_.

        With s_k the scores of the detector that did not see part k,

            p = (1 + sum over k of #{rows r of part k: s_k(r) >= s_k(x)}) / (n + 1)

        With one part this is split conformal, and P(p <= a) <= a holds for a row that
        is exchangeable with the reference. With several, the guarantee is P <= 2 a; the
        realised rates are in docs/own-tables.md.

        Parameters
        ----------
        X : float64 array of shape (m, d)

        Returns
        -------
        float64 array of shape (m,)
            From 1 / (n + 1) to 1; lower is more anomalous.

        References
        ----------
        .. [1] Vovk, "Cross-conformal predictors", Annals of Mathematics and Artificial
           Intelligence 74, 2015.
        """
        above = np.zeros(len(X))
        for fold in self.folds:
            scores = fold.detector.decision_function(X)
            above += len(fold.held_out) - np.searchsorted(fold.held_out, scores)
        return np.asarray((1.0 + above) / (self.n + 1.0), dtype=np.float64)


def every_kth(n: int, k: int) -> list[IntArray]:
    """Split the places 0 ... n - 1 into k parts: every k-th place, from each start."""
    return [np.arange(start, n, k, dtype=np.int64) for start in range(min(k, n))]


def among_themselves(scores: FloatArray) -> FloatArray:
    """Return the share of rows, itself included, that score at least as high.

    This is the p-value of a row against the other rows of its own table.

    Parameters
    ----------
    scores : float64 array of shape (n,)

    Returns
    -------
    float64 array of shape (n,)
        From 1 / n to 1.
    """
    below = np.searchsorted(np.sort(scores), scores)
    return np.asarray((len(scores) - below) / len(scores), dtype=np.float64)


def benjamini_hochberg(p: FloatArray, fdr: float) -> BoolArray:
    """Select as many rows as a false discovery rate allows [1]_.

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
    UsageError
        If `fdr` is out of range.

    References
    ----------
    .. [1] Benjamini, Hochberg, "Controlling the false discovery rate", Journal of the
       Royal Statistical Society B 57, 1995.
    """
    if not (isinstance(fdr, Real) and 0.0 < fdr < 1.0):
        msg = f"fdr {fdr!r}: is not a rate; use one between 0 and 1, such as 0.1"
        raise UsageError(msg)
    ordered = np.sort(p)
    allowed = np.flatnonzero(ordered <= fdr * np.arange(1, len(p) + 1) / len(p))
    limit = ordered[allowed[-1]] if len(allowed) else -1.0
    return np.asarray(p <= limit, dtype=np.bool_)


def rows_needed(m: int, fdr: float, flagged: int = 1) -> int:
    """Return how many reference rows let a number of rows be flagged.

    The smallest p-value of n reference rows is 1 / (n + 1). Benjamini and Hochberg flag
    k of m rows if k p-values are at most k fdr / m.

    Parameters
    ----------
    m : int
        Rows to score.
    fdr : float
    flagged : int
        k.
    """
    return int(np.ceil(m / (fdr * flagged))) - 1
