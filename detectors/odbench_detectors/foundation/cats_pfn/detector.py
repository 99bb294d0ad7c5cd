"""cats_pfn as a detector: CATS, corrected by a network that has seen other tables."""

from __future__ import annotations

from typing import Self

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.cats.detector import CATS
from odbench_detectors.cats.order import content_order
from odbench_detectors.cats.scale import standardised
from odbench_detectors.foundation.odbench_pfn.detector import OdbenchPFN
from odbench_detectors.shared.estimator import Estimator


class CATSPFN(Estimator):
    """The score of CATS plus the network's part of the score of odbench_pfn.

    CATS adds the surprises of its views with the same weights for every table. The
    network, trained on synthetic tables, has learned how views go together, and sees
    other views of single columns. Each errs on other rows, so that on real tables the
    sum has higher means than either. The train rows may come in any order.

    Parameters
    ----------
    context, weights
        As for `odbench_detectors.foundation.odbench_pfn.detector.OdbenchPFN`.
    """

    def __init__(self, context: int = 20_000, weights: str = "") -> None:
        self.context = context
        self.weights = weights

    def check_params(self) -> None:
        """Refuse what odbench_pfn refuses."""
        OdbenchPFN(self.context, self.weights).check_params()

    def fit(self, X: FloatArray) -> Self:
        """Fit both on inliers.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, at least two rows. The scale of columns does not matter.

        Returns
        -------
        CATSPFN
            Itself.

        Raises
        ------
        DetectorError, HashMismatchError, ArchiveError, DataError
            As of `CATS.fit` and `OdbenchPFN.fit`.
        """
        self.check_params()
        rows = self.train_rows(X)
        self._cats = CATS().fit(rows)
        self._pfn: OdbenchPFN | None = OdbenchPFN(self.context, self.weights)
        # The network sees a sample of the rows, which their order must not choose.
        order = content_order(standardised(rows))
        self._pfn.fit(np.ascontiguousarray(rows[order]))
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, the columns of `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            Higher is more anomalous; without a unit.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not finite.
        """
        X = self.rows_to_score(X)
        return self._with_network(self._cats.decision_function(X), X)

    def score_batch(self, X: FloatArray) -> FloatArray:
        """Score the rows of a batch, with CATS's trees that tell it from train rows.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, the columns of `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            Higher is more anomalous; without a unit.

        Raises
        ------
        DetectorError
            As `decision_function`.
        """
        X = self.rows_to_score(X)
        return self._with_network(self._cats.score_batch(X), X)

    def _with_network(self, scores: FloatArray, X: FloatArray) -> FloatArray:
        return scores if self._pfn is None else scores + self._pfn.network_scores(X)

    def fit_score(self, X: FloatArray) -> FloatArray:
        """Score the rows of one table by CATS alone: the network does not help there.

        Other rows are then scored by it alone, too.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            As for `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            In nats, from 0; higher is more anomalous.

        Raises
        ------
        DetectorError
            As `fit`.
        """
        self.check_params()
        self._cats, self._pfn = CATS(), None
        return self._cats.fit_score(self.train_rows(X))
