"""HBOS: the histogram of every column, counted from sorted columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError
from odbench_detectors.hbos.histograms import histograms
from odbench_detectors.shared.column_kernels import add_histograms
from odbench_detectors.shared.columns import (
    Floats,
    SharesColumns,
    as_table,
    check_rows,
    check_scores,
    in_threads,
    obtain_columns,
)
from odbench_detectors.shared.estimator import column_names, is_count, is_number

if TYPE_CHECKING:
    from odbench_detectors.hbos.explain import Explanation


class HBOS(SharesColumns):
    """Histogram-based outlier score.

    Each column gets bins of equal width over the train rows' range. With h_j(x) the
    density of x's bin, the score is ``-Σ log2(h_j(x) + alpha)`` [1]_, bins and edges
    as in PyOD 3.6.7: a value on an edge belongs to the bin below it when it is
    scored; a value outside the range takes the density of the nearest bin up to `tol`
    bin widths away, and the lowest density of the column beyond.

    Parameters
    ----------
    n_bins : int
        Number of bins per column, 2 or more.
    alpha : float
        Added to every density, above 0.
    tol : float
        In bin widths, 0 or more.
    n_jobs : int
        Threads; -1 for all cores. Scores do not depend on it.

    References
    ----------
    .. [1] Goldstein and Dengel, "Histogram-based Outlier Score (HBOS): A fast
       Unsupervised Anomaly Detection Algorithm", KI 2012, poster and demo track.

    Examples
    --------
    >>> import numpy as np
    >>> train = np.array([[0.0], [0.1], [0.2], [1.0]])
    >>> HBOS(n_bins=2).fit(train).decision_function(np.array([[0.1], [0.9]])).round(3)
    array([-0.678,  0.737])
    """

    def __init__(
        self, n_bins: int = 10, alpha: float = 0.1, tol: float = 0.5, n_jobs: int = 1
    ) -> None:
        self.n_bins = n_bins
        self.alpha = alpha
        self.tol = tol
        self.n_jobs = n_jobs

    def fit(self, X: Floats, y: object = None) -> Self:  # noqa: ARG002
        """Count the bins of every train column.

        Parameters
        ----------
        X : float64 or float32 array of shape (n_rows, n_columns)
            Finite, any layout.
        y : ignored

        Returns
        -------
        HBOS
            Itself.

        Raises
        ------
        DetectorError
            If a parameter is out of its range.
        DetectorError
            If the table is empty or not finite.
        """
        self.check_params()
        columns = obtain_columns(
            as_table(X), n_jobs=self.n_jobs, workspace=self._workspace
        )
        return self.use_histograms(*histograms(columns, self.n_bins))

    def use_histograms(self, edges: FloatArray, density: FloatArray) -> Self:
        """Take histograms that were counted elsewhere, instead of `fit`.

        Parameters
        ----------
        edges : float64 array of shape (n_columns, n_bins + 1)
            Ascending, equally spaced.
        density : float64 array of shape (n_columns, n_bins)
            See `odbench_detectors.hbos.histograms`.

        Returns
        -------
        HBOS
            Itself.
        """
        self.edges_ = edges
        self.surprise_: FloatArray = -np.log2(density + self.alpha)
        return self

    def decision_function(self, X: Floats) -> FloatArray:
        """Score rows.

        Parameters
        ----------
        X : float64 or float32 array of shape (n_rows, n_columns)
            Finite, the columns of `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            Bits, of either sign; higher is more anomalous.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not
            finite.
        """
        if not hasattr(self, "edges_"):
            msg = "this HBOS has no train rows yet: call fit first"
            raise DetectorError(msg)
        X = check_rows(X, self.edges_.shape[0])
        scores = np.zeros(X.shape[0])

        def score(first: int, last: int) -> None:
            add_histograms(
                self.edges_, self.surprise_, self.tol, X[first:last], scores[first:last]
            )

        in_threads(score, X.shape[0], self.n_jobs)
        check_scores(scores)
        return scores

    def explain(self, X: Floats, columns: Sequence[str] | None = None) -> Explanation:
        """Split the scores of rows by column.

        Parameters
        ----------
        X : float64 or float32 array of shape (n_rows, n_columns)
            Finite, the columns of `fit`.
        columns : sequence of str or None
            Names of the columns; x0, x1, ... by default.

        Returns
        -------
        Explanation
            The surprise of every value in bits; they add up to the score.

        Raises
        ------
        DetectorError
            As `decision_function`, and if there are not as many names as columns.
        """
        from odbench_detectors.hbos.explain import Explanation, surprises

        scores = self.decision_function(X)
        X = check_rows(X, self.edges_.shape[0])
        names = column_names(columns, X.shape[1])
        found = surprises(self.edges_, self.surprise_, self.tol, X)
        excess = found - self.surprise_.min(axis=1)
        return Explanation(scores, found, excess, X, names)

    def check_params(self) -> None:
        """Refuse parameters that are out of range."""
        for name, wanted, fine in (
            ("n_bins", "an integer of 2 or more", is_count(self.n_bins, 2)),
            ("alpha", "a number above 0", is_number(self.alpha, above=0.0)),
            ("tol", "a number of 0 or more", is_number(self.tol, 0.0)),
        ):
            if not fine:
                got = vars(self)[name]
                msg = f"HBOS parameter {name!r} must be {wanted}, got {got!r}"
                raise DetectorError(msg)
