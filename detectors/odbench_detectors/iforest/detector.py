"""The isolation forest as a detector."""

from __future__ import annotations

import secrets

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError
from odbench_detectors.iforest.kernels import grow, search_depth, total_lengths
from odbench_detectors.shared.estimator import Estimator, is_count

_WORDS = 2**64


class IForest(Estimator):
    """Mean depth at which random splits isolate a row [1]_.

    Each tree splits a few training rows, drawn without replacement, at random values
    until each is isolated or the tree is ``ceil(log2(samples))`` deep. The score is
    ``2 ** (-E[h(x)] / c(samples))``: h is the depth of the leaf that the row falls
    into plus c of the leaf's training rows, and c the mean depth of an unsuccessful
    search among that many. Values are float64 throughout; finite ones do not overflow.

    Parameters
    ----------
    trees : int, default=100
        Number of trees, 1 or more.
    samples : int, default=256
        Training rows per tree, 1 or more; limited to the number of rows.
    random_state : int or None, default=None
        Seed. The same one grows the same trees everywhere; None draws one.

    References
    ----------
    .. [1] Liu, Ting, Zhou, "Isolation Forest", ICDM 2008.
    """

    def __init__(
        self, trees: int = 100, samples: int = 256, random_state: int | None = None
    ) -> None:
        self.trees = trees
        self.samples = samples
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse numbers of trees or samples below 1."""
        if not (is_count(self.trees, 1) and is_count(self.samples, 1)):
            msg = (
                f"iforest wants trees >= 1 and samples >= 1; "
                f"got trees={self.trees!r}, samples={self.samples!r}"
            )
            raise DetectorError(msg)

    def fit(self, X: FloatArray) -> IForest:
        """Grow the trees.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Training rows, finite.

        Returns
        -------
        IForest
            Itself.

        Raises
        ------
        DetectorError
            If a parameter is out of range, or the table is empty or not finite.
        """
        self.check_params()
        seed = self.random_state
        if seed is None:
            seed = secrets.randbelow(_WORDS)
        rows = self.train_rows(X)
        samples = min(self.samples, len(rows))
        self._forest = grow(rows, self.trees, samples, np.uint64(int(seed) % _WORDS))
        self._expected = self.trees * search_depth(samples)
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
            In (0, 1], higher is more anomalous.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not finite.
        """
        rows = self.rows_to_score(X)
        if self._expected == 0:  # with one row per tree, every row is equally isolated
            return np.full(len(rows), 0.5)
        scores: FloatArray = np.exp2(
            -total_lengths(rows, self._forest) / self._expected
        )
        return scores
