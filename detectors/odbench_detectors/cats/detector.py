"""CATS as a detector: the calibrated surprises of eight views, combined."""

from __future__ import annotations

from collections.abc import Sequence

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.errors import DetectorError
from odbench.tables.conformal import benjamini_hochberg
from odbench_detectors.cats.conformal import SplitConformal
from odbench_detectors.cats.explain import Explanations
from odbench_detectors.cats.explain_settings import explain_in_batch, explain_own_rows
from odbench_detectors.cats.scoring import Scores
from odbench_detectors.shared.estimator import column_names


class CATS(Scores):
    """CAlibrated Tail Sum: several inexpensive views of a table, calibrated and added.

    Each of eight views scores a row by a simple rule. A view's score x becomes a
    surprise s = -log P(X >= x), with P estimated from *leave-one-out* scores of train
    rows, so that views of any scale can be added. The detector's score is the length
    of the vector of surprises, ``sqrt(sum(w * s**2))``; w is 1/2 for the view
    "dependence", else 1.

    All views share one search for the 15 nearest train rows (Euclidean, standardised
    columns): distances on other scales are computed to these candidates only. There
    are no parameters, a row's score does not depend on the rows scored with it, and the
    train rows may come in any order.

    See Also
    --------
    odbench_detectors.cats.conformal : p-values and false discovery rate.
    odbench_detectors.cats.explain : the views and columns that made a score.
    """

    def p_values(self, X: FloatArray) -> FloatArray:
        """Return the probability that an inlier scores at least as high as each row.

        The first call fits a second CATS on half of the train rows and holds the other
        half out to calibrate it; `decision_function` keeps using all rows. See
        `odbench_detectors.cats.conformal.SplitConformal.p_values`.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)

        Returns
        -------
        float64 array of shape (n_rows,)
            Valid for a row that is exchangeable with the train rows; lower is more
            anomalous.

        Raises
        ------
        DetectorError
            As `decision_function`, and if there are fewer than four train rows.
        """
        X = self.rows_to_score(X)
        if self._conformal is None:
            self._conformal = SplitConformal.of(
                self.views.train.z, lambda rows: type(self)().fit(rows)
            )
        return self._conformal.p_values(self._standard.apply(X))

    def flag(self, X: FloatArray, fdr: float = 0.05) -> BoolArray:
        """Select anomalies with an expected share of inliers of at most `fdr`.

        The bound of Benjamini and Hochberg also holds for conformal p-values [1]_.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            The rows to select from; the selection depends on all of them.
        fdr : float, default=0.05
            The false discovery rate.

        Returns
        -------
        bool array of shape (n_rows,)

        Raises
        ------
        DetectorError
            As `p_values`, and if `fdr` is not between 0 and 1.

        References
        ----------
        .. [1] Bates, Candès, Lei, Romano, Sesia, "Testing for outliers with conformal
           p-values", Annals of Statistics 51, 2023.
        """
        if not 0.0 < fdr < 1.0:
            msg = f"fdr={fdr!r} is not a rate: use one between 0 and 1, such as 0.05"
            raise DetectorError(msg)
        return benjamini_hochberg(self.p_values(X), fdr)

    def explain(
        self, X: FloatArray, columns: Sequence[str] | None = None
    ) -> Explanations:
        """Explain each row's score by views and columns.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
        columns : sequence of str, optional
            The columns' names; "column 0", "column 1", ... by default.

        Returns
        -------
        Explanations
            A sequence of one `Explanation` per row: ``str`` describes it in words,
            `odbench_detectors.cats.plot` draws it. Also ``scores``, and ``table(row)``
            as for every detector that explains.

        Raises
        ------
        DetectorError
            As `decision_function`, and if there are not as many names as columns.
        """
        X = self.rows_to_score(X)
        names = column_names(columns, X.shape[1], prefix="column ")
        return Explanations(X, names, self.parts(X))

    def explain_batch(
        self,
        X: FloatArray,
        columns: Sequence[str] | None = None,
        rows: IntArray | None = None,
    ) -> Explanations:
        """Explain the scores of `score_batch` by views, the trees, and columns.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            The batch.
        columns : sequence of str, optional
            As for `explain`.
        rows : int array of shape (m,), optional
            The rows of the batch to explain; all by default.

        Returns
        -------
        Explanations
            As of `explain`; the part of the trees is called "batch".

        Raises
        ------
        DetectorError
            As `explain`, and if a row is not in the batch.
        """
        return explain_in_batch(self, self.rows_to_score(X), columns, rows)

    def explain_own(
        self,
        X: FloatArray,
        columns: Sequence[str] | None = None,
        rows: IntArray | None = None,
    ) -> Explanations:
        """Fit and score rows as `fit_score` does, and explain the scores.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            As for `fit`.
        columns, rows
            As for `explain_batch`.

        Returns
        -------
        Explanations
            As of `explain`, by the views that rank the rows. A row that was learned
            from is compared with the others that were.

        Raises
        ------
        DetectorError
            As `fit`, if there are not as many names as columns, and if a row is not in
            the table.
        """
        return explain_own_rows(self, X, columns, rows)
